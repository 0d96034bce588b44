// What Telegram tells the app at launch, with or without its own script.

const KEPT = "nexus.launch";

/** Load telegram-web-app.js from the configured place. Resolves in any case: the app must start without it. */
export function loadSdk(url, timeoutMs = 2000) {
  if (!url) return Promise.resolve(false);
  return new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(true);
    script.onerror = () => resolve(false);
    setTimeout(() => resolve(false), timeoutMs);
    document.head.append(script);
  });
}

/** Read initData from the script if it is there, else from the address Telegram opened (#tgWebAppData=…). */
export function readLaunch() {
  const webApp = window.Telegram?.WebApp;
  if (webApp?.initData) return { initData: webApp.initData, theme: webApp.themeParams ?? {} };
  const hash = new URLSearchParams(window.location.hash.slice(1));
  const launch = hash.get("tgWebAppData")
    ? { initData: hash.get("tgWebAppData"), theme: parse(hash.get("tgWebAppThemeParams")) }
    : parse(sessionStorage.getItem(KEPT));
  if (!launch.initData) return null;
  // Kept for a reload inside Telegram, where the hash may be gone.
  sessionStorage.setItem(KEPT, JSON.stringify(launch));
  return launch;
}

/** Tell Telegram that the page is ready, and take over its colours. */
export function settle(launch) {
  window.Telegram?.WebApp?.ready?.();
  window.Telegram?.WebApp?.expand?.();
  for (const [name, colour] of Object.entries(launch?.theme ?? {})) {
    if (/^#[0-9a-f]{6}$/i.test(colour)) {
      document.documentElement.style.setProperty(`--tg-theme-${name.replaceAll("_", "-")}`, colour);
    }
  }
}

function parse(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
