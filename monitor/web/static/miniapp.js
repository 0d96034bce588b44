// Hands the init data that Telegram put behind the address to the monitor, and goes on to the page that was asked for.
"use strict";

(async () => {
  const place = document.getElementById("miniapp");
  const says = document.getElementById("miniapp-says");
  const given = new URLSearchParams(location.hash.slice(1)).get("tgWebAppData");
  history.replaceState(null, "", location.pathname + location.search); // the login must not stay in the address
  if (!given) {
    says.textContent = "Open this page from the monitor's bot in Telegram.";
    return;
  }
  const started = new URLSearchParams(given).get("start_param") ?? "";
  const incident = /^incident-(\d+)$/.exec(started);
  const next = incident ? `/incidents/${incident[1]}` : place.dataset.next;
  try {
    const answer = await fetch("/login/telegram", { method: "POST", body: new URLSearchParams({ init_data: given, next }) });
    const said = await answer.json();
    if (answer.ok) location.replace(said.next);
    else says.textContent = said.detail;
  } catch {
    says.textContent = "The monitor does not answer.";
  }
})();
