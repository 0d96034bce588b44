// What the page knows, and the few words it uses everywhere.
import { color, summary } from "./bubbles.js";
import { clock, element } from "./text.js";

export const $ = (id) => document.getElementById(id);
export const state = { people: [], bots: [], rooms: [], me: null, open: null, topic: null, messages: [], unread: new Map(), reply: null };
export const DAY = { weekday: "long", day: "numeric", month: "long" };

export async function ask(path, body) {
  const options = body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {};
  const answer = await fetch(path, options);
  const value = await answer.json();
  if (!answer.ok) throw new Error(typeof value.detail === "string" ? value.detail : "This did not work.");
  return value;
}

export const room = () => state.rooms.find((one) => one.key === state.open);
export const mine = () => state.rooms.filter((one) => one.people.includes(state.me.id));

function initials(title) {
  return title.split(/\s+/).slice(0, 2).map((word) => [...word][0]).join("").toUpperCase();
}

export function drawAvatar(target, one) {
  target.className = `avatar ${one.kind === "private" ? color(Number(one.key.split(":")[0])) : "c3"}`;
  target.textContent = initials(one.title);
}

export function drawRooms(open) {
  const last = (one) => (one.last ? one.last.date : 0);
  const made = mine().sort((a, b) => last(b) - last(a)).map((one) => {
    const row = element("button", `room${one.key === state.open ? " open" : ""}`);
    row.type = "button";
    const avatar = element("span");
    drawAvatar(avatar, one);
    row.append(avatar, element("strong", "", one.title), element("time", "", one.last ? clock(new Date(one.last.date * 1000)) : ""));
    const author = one.last && one.last.from.id === state.me.id ? "You: " : "";
    row.append(element("span", "preview", one.last ? author + summary(one.last) : "No messages yet"));
    const unread = state.unread.get(one.key);
    if (unread && unread.count) row.append(element("span", `badge${unread.loud ? "" : " silent"}`, String(unread.count)));
    row.addEventListener("click", () => open(one.key));
    return row;
  });
  $("rooms").replaceChildren(...made);
  const loud = [...state.unread.values()].reduce((sum, one) => sum + one.loud, 0);
  document.title = loud ? `(${loud}) Chats` : "Chats";
}
