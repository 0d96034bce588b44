// One message as an element: a bubble with its keyboard, or a notice.
import { clock, element, rendered } from "./text.js";

const BELL = "M13.7 21a2 2 0 0 1-3.4 0zM4.3 3 3 4.3l4.2 4.2A6.8 6.8 0 0 0 6 12v4l-2 2v1h13.7l2 2 1.3-1.3zM18 14.9V12c0-3.1-1.6-5.6-4.5-6.3V5a1.5 1.5 0 0 0-3 0v.7c-.5.1-1 .3-1.5.6z";

export function color(id) {
  return `c${Math.abs(id) % 5}`;
}

export function nameOf(user) {
  return [user.first_name, user.last_name].filter(Boolean).join(" ");
}

export function summary(message) {
  if (!message) return "";
  if (message.text !== undefined) return message.text.replace(/\s+/g, " ");
  return noticeText(message);
}

function noticeText(message) {
  const who = nameOf(message.from);
  if (message.pinned_message) return `${who} pinned “${(message.pinned_message.text || "").slice(0, 40)}”`;
  if (message.forum_topic_created) return `${who} created the topic “${message.forum_topic_created.name}”`;
  if (message.migrate_from_chat_id) return "This group was upgraded to a supergroup";
  return "Something happened";
}

function silentSign() {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  made.setAttribute("viewBox", "0 0 24 24");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", BELL);
  const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
  title.textContent = "Sent without a sound";
  made.append(title, path);
  return made;
}

function meta(message) {
  const made = element("span", "meta");
  if (message.silent) made.append(silentSign());
  if (message.edit_date && message.earlier_texts.length) {
    const mark = element("span", "", "edited");
    mark.title = `${message.edit_count} edits, the last at ${clock(new Date(message.edit_date * 1000), true)}`;
    made.append(mark);
  }
  const at = new Date(message.date * 1000);
  const stamp = element("span", "", clock(at));
  stamp.title = at.toLocaleString();
  made.append(stamp);
  return made;
}

function keyboard(message, acts) {
  const made = element("div", "keys");
  for (const row of message.reply_markup.inline_keyboard) {
    const line = element("div");
    for (const button of row) {
      const key = element("button", `key ${button.style || ""}`, button.text);
      key.type = "button";
      if (button.url) key.dataset.sign = "↗";
      if (button.web_app) key.dataset.sign = "▣";
      if (button.copy_text) key.dataset.sign = "⧉";
      key.disabled = Boolean(button.disabled);
      key.addEventListener("click", () => acts.onKey(message, button, key));
      line.append(key);
    }
    made.append(line);
  }
  return made;
}

export function bubble(message, { mine, isGroup, isFirst, acts }) {
  if (message.text === undefined) {
    const made = element("div", "notice", noticeText(message));
    made.dataset.id = message.message_id;
    return made;
  }
  const made = element("article", `message${mine ? " mine" : ""}${isFirst ? " first" : ""}`);
  made.dataset.id = message.message_id;
  const box = element("div", "bubble");
  if (isGroup && !mine && isFirst) box.append(element("div", `from ${color(message.from.id)}`, nameOf(message.from)));
  if (message.reply_to_message) {
    const reply = element("button", "reply");
    reply.type = "button";
    const words = message.quote ? message.quote.text : summary(message.reply_to_message);
    reply.append(element("b", "", nameOf(message.reply_to_message.from)), element("span", "", words));
    reply.addEventListener("click", () => acts.onJump(message.reply_to_message.message_id));
    box.append(reply);
  }
  const words = rendered(message, acts.onCommand);
  words.append(meta(message));
  box.append(words);
  box.addEventListener("dblclick", () => acts.onReply(message));
  made.append(box);
  if (message.reply_markup) made.append(keyboard(message, acts));
  return made;
}
