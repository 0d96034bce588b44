// What the demo's Telegram gives a Mini App in place of telegram-web-app.js: the launch, and calls that do nothing.
(() => {
  const launch = new URLSearchParams(location.hash.slice(1));
  const initData = launch.get("tgWebAppData") ?? "";
  let themeParams = {};
  try {
    themeParams = JSON.parse(launch.get("tgWebAppThemeParams") ?? "{}");
  } catch {
    // A launch without colours is one too.
  }
  const nothing = () => undefined;
  window.Telegram = {
    WebApp: { initData, themeParams, version: "9.0", platform: "web", ready: nothing, expand: nothing, close: nothing },
  };
})();
