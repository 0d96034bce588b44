"""A stand-in for telegram-web-app.js: what an app reads at its launch, and methods that do nothing."""

SCRIPT = """(() => {
  const launch = new URLSearchParams(location.hash.slice(1));
  const parsed = (text) => { try { return JSON.parse(text); } catch { return undefined; } };
  const initData = launch.get("tgWebAppData") || "";
  const unsafe = {};
  for (const [name, value] of new URLSearchParams(initData)) unsafe[name] = parsed(value) ?? value;
  const quiet = () => new Proxy(function () {}, {
    get: (target, name) => (name === Symbol.toPrimitive ? () => "" : name === "then" ? undefined : quiet()),
    apply: () => quiet(),
  });
  const known = {
    initData, initDataUnsafe: unsafe, themeParams: parsed(launch.get("tgWebAppThemeParams")) || {},
    version: launch.get("tgWebAppVersion") || "9.0", platform: launch.get("tgWebAppPlatform") || "android",
    colorScheme: "light", isExpanded: true, isActive: true, viewportHeight: innerHeight,
    viewportStableHeight: innerHeight, isVersionAtLeast: () => true,
    safeAreaInset: { top: 0, bottom: 0, left: 0, right: 0 },
    contentSafeAreaInset: { top: 0, bottom: 0, left: 0, right: 0 },
  };
  const WebApp = new Proxy(known, { get: (target, name) => (name in target ? target[name] : quiet()) });
  window.Telegram = { WebApp, WebView: quiet(), Utils: quiet() };
})();
"""
