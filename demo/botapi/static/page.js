// The page: which chat is open, what people type and press, and what the server tells as it happens.
import { bubble, nameOf, summary } from "./bubbles.js";
import { $, DAY, ask, drawAvatar, drawRooms, mine, room, state } from "./rooms.js";
import { element, refreshTimes } from "./text.js";

async function tried(action) {
  try {
    return await action();
  } catch (error) {
    toast(error.message);
    return null;
  }
}

async function loadWorld() {
  const world = await ask("/_/world");
  Object.assign(state, world);
  state.me = state.people.find((one) => one.id === state.me?.id) || state.people.find((one) => one.is_operator) || state.people[0];
  if (!mine().some((one) => one.key === state.open)) state.open = mine()[0]?.key ?? null;
  const select = $("person");
  select.replaceChildren(...state.people.map((one) => new Option(nameOf(one) + (one.is_operator ? " (operator)" : ""), one.id, false, one.id === state.me.id)));
  drawRooms(open);
}

async function loadMessages() {
  const key = state.open;
  if (!key) return;
  const messages = await ask(`/_/messages?chat=${encodeURIComponent(key)}`);
  if (key !== state.open) return;
  state.messages = messages;
  drawBar();
  drawMessages(true);
}

function drawBar() {
  const one = room();
  if (!one) return;
  drawAvatar($("avatar"), one);
  $("title").textContent = one.title;
  $("status").className = "";
  $("status").textContent = one.kind === "private" ? "bot" : `${one.people.length + one.bots.length} members`;
  const pin = one.pinned.filter((message) => !state.topic || (message.message_thread_id ?? 0) === state.topic).at(-1);
  $("pin").hidden = !pin;
  if (pin) $("pin-text").textContent = summary(pin);
  $("pin").onclick = () => jump(pin.message_id);
  $("topics").hidden = !one.is_forum;
  const topics = [{ id: null, name: "All" }, ...one.topics];
  $("topics").replaceChildren(...topics.map((topic) => {
    const tab = element("button", state.topic === topic.id ? "open" : "", topic.name);
    tab.type = "button";
    tab.addEventListener("click", () => { state.topic = topic.id; drawBar(); drawMessages(true); });
    return tab;
  }));
  const menu = one.menu_button;
  const isApp = menu && menu.type === "web_app";
  $("menu").hidden = !isApp && !one.commands.length;
  $("menu").textContent = isApp ? menu.text : "☰ Menu";
  $("menu").onclick = () => (isApp ? launch(one.bots[0], menu.web_app.url) : showCommands($("commands").hidden ? one.commands : []));
}

const acts = {
  onJump: jump,
  onCommand: (text) => say(text),
  onReply: (message) => {
    state.reply = message.message_id;
    $("answering").hidden = false;
    $("answering-text").textContent = `Reply to ${nameOf(message.from)}: ${summary(message)}`;
    $("text").focus();
  },
  onKey: async (message, button, key) => {
    if (button.url) window.open(button.url, "_blank", "noopener");
    else if (button.web_app) launch(message.from.username, button.web_app.url);
    else if (button.copy_text) await tried(async () => { await navigator.clipboard.writeText(button.copy_text.text); toast("Copied"); });
    else if (button.callback_data) {
      key.classList.add("waiting");
      setTimeout(() => key.classList.remove("waiting"), 15000);
      const body = { chat_id: state.open, message_id: message.message_id, data: button.callback_data, person: state.me.id };
      if (!(await tried(() => ask("/_/press", body)))) key.classList.remove("waiting");
    }
  },
};

function launch(bot, url) {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const query = new URLSearchParams({ bot, person: state.me.id, url, dark });
  window.open(`/_/launch?${query}`, "_blank", "noopener");
}

function drawMessages(toEnd) {
  const list = $("messages");
  const stick = toEnd || list.scrollHeight - list.scrollTop - list.clientHeight < 90;
  const known = new Set([...list.querySelectorAll("[data-id]")].map((one) => one.dataset.id));
  const folded = new Set([...list.querySelectorAll("blockquote.folds:not(.folded)")].map((one) => one.closest("[data-id]").dataset.id));
  const one = room();
  const shown = state.messages.filter((message) => !state.topic || message.message_thread_id === state.topic);
  const made = [];
  let before = null;
  for (const message of shown) {
    const day = new Date(message.date * 1000).toLocaleDateString([], DAY);
    if (!before || new Date(before.date * 1000).toLocaleDateString([], DAY) !== day) made.push(element("div", "notice", day));
    const isFirst = !before || before.from.id !== message.from.id || before.text === undefined || message.date - before.date > 300;
    const item = bubble(message, { mine: message.from.id === state.me.id, isGroup: one.kind !== "private", isFirst, acts });
    if (!toEnd && !known.has(item.dataset.id)) item.classList.add("new");
    if (folded.has(item.dataset.id)) item.querySelectorAll("blockquote.folded").forEach((quote) => quote.classList.remove("folded"));
    made.push(item);
    before = message;
  }
  if (!made.length) made.push(element("div", "empty", "No messages here yet. Write one, or wait for the bot."));
  list.replaceChildren(...made);
  if (stick) list.scrollTo({ top: list.scrollHeight, behavior: toEnd ? "instant" : "smooth" });
  drawDown();
}

function drawDown() {
  const list = $("messages");
  $("down").hidden = list.scrollHeight - list.scrollTop - list.clientHeight < 160;
}

function jump(id) {
  const found = $("messages").querySelector(`[data-id="${Number(id)}"]`);
  if (!found) return;
  found.scrollIntoView({ block: "center" });
  found.classList.remove("flash");
  requestAnimationFrame(() => found.classList.add("flash"));
}

function open(key) {
  state.open = key;
  state.topic = null;
  state.unread.delete(key);
  document.body.dataset.view = "chat";
  endReply();
  showCommands([]);
  drawRooms(open);
  tried(loadMessages);
}

let toastTimer = 0;
function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $("toast").hidden = true; }, 3500);
}

function endReply() {
  state.reply = null;
  $("answering").hidden = true;
}

async function say(text) {
  if (!text.trim() || !state.open) return;
  const body = { chat_id: state.open, text, person: state.me.id, reply_to: state.reply, topic_id: state.topic };
  if (await tried(() => ask("/_/say", body))) {
    endReply();
    const list = $("messages");
    list.scrollTo({ top: list.scrollHeight });
  }
}

function showCommands(commands) {
  $("commands").hidden = !commands.length;
  $("commands").replaceChildren(...commands.map((command, index) => {
    const target = room().kind === "private" ? "" : `@${command.bot}`;
    const row = element("button", index ? "" : "at");
    row.type = "button";
    row.append(element("b", "", `/${command.command}`), element("span", "", command.description + (target ? ` · ${target}` : "")));
    row.addEventListener("click", () => {
      $("text").value = "";
      showCommands([]);
      say(`/${command.command}${target}`);
    });
    return row;
  }));
}

function fitted() {
  const field = $("text");
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, 132)}px`;
  const word = /^\/(\w*)$/.exec(field.value);
  showCommands(word && room() ? room().commands.filter((one) => one.command.startsWith(word[1].toLowerCase())) : []);
}

async function drawFaults() {
  const faults = await ask("/_/faults");
  const strip = $("faults");
  strip.hidden = !faults.length;
  strip.textContent = `Telegram is broken on purpose: ${faults.map((one) => one.kind.replaceAll("_", " ") + (one.bot ? ` (@${one.bot})` : "")).join(", ")}`;
}

let busyTimer = 0;
const heard = {
  message: (event) => changed(event, true),
  edited: (event) => changed(event, false),
  deleted: (event) => {
    if (event.room !== state.open) return;
    state.messages = state.messages.filter((message) => message.message_id !== event.message_id);
    drawMessages(false);
  },
  room: () => tried(async () => { await loadWorld(); drawBar(); }),
  profile: () => tried(async () => { await loadWorld(); drawBar(); }),
  faults: () => tried(drawFaults),
  action: (event) => {
    if (event.room !== state.open) return;
    $("status").className = "busy";
    $("status").textContent = event.action === "typing" ? "typing…" : `${event.action.replaceAll("_", " ")}…`;
    clearTimeout(busyTimer);
    busyTimer = setTimeout(drawBar, 5000);
  },
  answer: (event) => {
    if (event.person_id !== state.me.id) return;
    document.querySelectorAll(`[data-id="${event.message_id}"] .key.waiting`).forEach((key) => key.classList.remove("waiting"));
    if (event.url) window.open(event.url, "_blank", "noopener");
    if (!event.text) return;
    if (!event.show_alert) return toast(event.text);
    $("alert-text").textContent = event.text;
    $("alert").showModal();
  },
};

function changed({ room: key, message }, isNew) {
  const one = state.rooms.find((other) => other.key === key);
  if (!one) return;
  if (isNew || one.last?.message_id === message.message_id) one.last = message;
  if (one.pinned.some((pin) => pin.message_id === message.message_id)) {
    one.pinned = one.pinned.map((pin) => (pin.message_id === message.message_id ? message : pin));
  }
  if (key === state.open) {
    const index = state.messages.findIndex((other) => other.message_id === message.message_id);
    if (index < 0) state.messages.push(message);
    else state.messages[index] = message;
    if (isNew && message.from.is_bot) { clearTimeout(busyTimer); }
    drawBar();
    drawMessages(false);
  }
  if (isNew && message.from.id !== state.me.id && (key !== state.open || document.hidden)) {
    const unread = state.unread.get(key) || { count: 0, loud: 0 };
    state.unread.set(key, { count: unread.count + 1, loud: unread.loud + (message.silent ? 0 : 1) });
  }
  drawRooms(open);
}

function listen() {
  const source = new EventSource("/_/events");
  source.onopen = () => {
    $("live").className = "live on";
    $("live").textContent = "live";
    tried(async () => { await loadWorld(); await loadMessages(); await drawFaults(); });
  };
  source.onerror = () => {
    $("live").className = "live";
    $("live").textContent = "reconnecting";
    // The browser gives up after an answer that is no stream; then only a new source helps.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  };
  source.onmessage = (event) => {
    const told = JSON.parse(event.data);
    heard[told.kind]?.(told);
  };
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value;
  $("text").value = "";
  fitted();
  say(text);
});
$("text").addEventListener("input", fitted);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Escape") { showCommands([]); endReply(); }
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("composer").requestSubmit();
  }
});
$("messages").addEventListener("scroll", drawDown, { passive: true });
$("messages").addEventListener("click", () => showCommands([]));
$("down").addEventListener("click", () => $("messages").scrollTo({ top: $("messages").scrollHeight, behavior: "smooth" }));
$("back").addEventListener("click", () => { document.body.dataset.view = "list"; });
$("answering-off").addEventListener("click", endReply);
$("person").addEventListener("change", (event) => {
  state.me = state.people.find((one) => one.id === Number(event.target.value));
  state.unread.clear();
  open((mine().find((one) => one.key === state.open) || mine()[0]).key);
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && state.open) { state.unread.delete(state.open); drawRooms(open); }
});
setInterval(refreshTimes, 20000);
const wanted = decodeURIComponent(location.hash.slice(1));
if (wanted) { state.open = wanted; document.body.dataset.view = "chat"; }
listen();
