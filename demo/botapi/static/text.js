// Texts and their entities as elements. A JavaScript string is UTF-16, as Telegram's offsets are.
// Nothing here builds HTML from text: every letter goes through a text node.

export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

const SAFE = /^(https?|tg|mailto|tel):/i;

function link(address, title) {
  const made = element("a");
  const full = SAFE.test(address) ? address : `https://${address}`;
  made.href = full;
  made.target = "_blank";
  made.rel = "noopener noreferrer";
  if (title) made.title = full;
  return made;
}

export function clock(date, seconds = false) {
  return date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined, hour12: false });
}

function ago(seconds) {
  const ahead = seconds < 0;
  const size = Math.abs(seconds);
  const [value, unit] = size < 60 ? [size, "s"] : size < 3600 ? [size / 60, "min"] : size < 86400 ? [size / 3600, "h"] : [size / 86400, "d"];
  return ahead ? `in ${Math.floor(value)} ${unit}` : `${Math.floor(value)} ${unit} ago`;
}

// The letters of date_time_format: r relative; w weekday, d or D date, t or T time.
export function localTime(unix, format, fallback) {
  const date = new Date(unix * 1000);
  if (!format) return fallback;
  if (format.includes("r")) return ago(Date.now() / 1000 - unix);
  const parts = [];
  if (format.includes("w")) parts.push(date.toLocaleDateString([], { weekday: "short" }));
  if (format.includes("D")) parts.push(date.toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" }));
  else if (format.includes("d")) parts.push(date.toLocaleDateString([], { day: "numeric", month: "short" }));
  if (format.includes("T")) parts.push(clock(date, true));
  else if (format.includes("t")) parts.push(clock(date));
  return parts.join(" ") || fallback;
}

function time(entity, words) {
  const made = element("time");
  const date = new Date(entity.unix_time * 1000);
  made.dateTime = date.toISOString();
  made.title = `${date.toLocaleString()} · ${date.toISOString().replace(".000", "")}`;
  made.dataset.unix = entity.unix_time;
  made.dataset.format = entity.date_time_format || "";
  made.dataset.words = words;
  made.textContent = localTime(entity.unix_time, entity.date_time_format, words);
  return made;
}

function quote(folds) {
  const made = element("blockquote", folds ? "folds folded" : "");
  const inner = element("div", "fold");
  made.append(inner);
  if (folds) made.addEventListener("click", () => made.classList.toggle("folded"));
  return [made, inner];
}

function wrap(entity, words, onCommand) {
  const simple = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code" }[entity.type];
  if (simple) return element(simple);
  if (entity.type === "pre") {
    const made = element("pre");
    if (entity.language) made.dataset.language = entity.language;
    return made;
  }
  if (entity.type === "text_link") return link(entity.url, true);
  if (entity.type === "url") return link(words);
  if (entity.type === "email") return link(`mailto:${words}`);
  if (entity.type === "bot_command") {
    const made = element("button", "tap");
    made.type = "button";
    made.addEventListener("click", () => onCommand(words));
    return made;
  }
  if (entity.type === "spoiler") {
    const made = element("span", "spoiler");
    made.addEventListener("click", () => made.classList.add("seen"));
    return made;
  }
  if (["mention", "hashtag", "cashtag", "text_mention", "phone_number"].includes(entity.type)) return element("a");
  return element("span");
}

function fill(target, text, start, end, entities, onCommand) {
  let position = start;
  let index = 0;
  while (index < entities.length) {
    const entity = entities[index];
    const stop = Math.min(entity.offset + entity.length, end);
    target.append(text.slice(position, entity.offset));
    const words = text.slice(entity.offset, stop);
    let next = index + 1;
    while (next < entities.length && entities[next].offset < stop) next += 1;
    if (entity.type === "date_time") {
      target.append(time(entity, words));
    } else if (entity.type === "blockquote" || entity.type === "expandable_blockquote") {
      const [made, inner] = quote(entity.type === "expandable_blockquote");
      fill(inner, text, entity.offset, stop, entities.slice(index + 1, next), onCommand);
      target.append(made);
    } else {
      const made = wrap(entity, words, onCommand);
      fill(made, text, entity.offset, stop, entities.slice(index + 1, next), onCommand);
      target.append(made);
    }
    position = stop;
    index = next;
    // A block ends its line itself; the line break after it would show as an empty line.
    const isBlock = ["pre", "blockquote", "expandable_blockquote"].includes(entity.type);
    if (isBlock && text[position] === "\n" && position < end) position += 1;
  }
  target.append(text.slice(position, end));
}

export function rendered(message, onCommand) {
  const made = element("div", "text");
  const entities = [...(message.entities || [])].sort((a, b) => a.offset - b.offset || b.length - a.length);
  fill(made, message.text, 0, message.text.length, entities, onCommand);
  return made;
}

export function refreshTimes() {
  for (const made of document.querySelectorAll("time[data-unix]")) {
    made.textContent = localTime(Number(made.dataset.unix), made.dataset.format, made.dataset.words);
  }
}
