import { createRoot } from "react-dom/client";
import { createApi } from "./api.js";
import { App } from "./App.jsx";
import { loadSdk, readLaunch, settle } from "./telegram.js";
import "./style.css";

const config = window.NEXUS_CONFIG ?? {};

async function start() {
  await loadSdk(config.sdkUrl);
  const launch = readLaunch();
  settle(launch);
  const api = createApi(config.apiUrl ?? "", launch?.initData);
  createRoot(document.getElementById("root")).render(<App api={api} isInTelegram={launch !== null} />);
}

start();
