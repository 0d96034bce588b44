// Keeps ages ticking, shows instants in the reader's time zone, and says whether the page is live.
"use strict";

(() => {
  const ageWords = (seconds) => {
    const whole = Math.max(0, Math.floor(seconds));
    if (whole < 60) return `${whole} s`;
    const minutes = Math.floor(whole / 60);
    if (minutes < 60) return `${minutes} min`;
    if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
    return `${Math.floor(minutes / 1440)} d ${Math.floor(minutes / 60) % 24} h`;
  };

  const clockWords = (instant) => {
    const time = instant.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
    const isToday = instant.toDateString() === new Date().toDateString();
    return isToday ? time : `${instant.toLocaleDateString([], { month: "short", day: "numeric" })}, ${time}`;
  };

  const write = (element, words) => {
    if (element.textContent !== words) element.textContent = words;
  };

  const tick = () => {
    const now = Date.now();
    for (const time of document.querySelectorAll("time[data-age]")) {
      write(time, ageWords((now - Date.parse(time.dateTime)) / 1000));
    }
    for (const time of document.querySelectorAll("time[data-clock]")) {
      const instant = new Date(time.dateTime);
      write(time, clockWords(instant));
      time.title = instant.toLocaleString();
    }
    const banner = document.querySelector("[data-title]");
    if (banner) document.title = `${banner.dataset.title} · ${baseTitle}`;
  };

  const baseTitle = document.title;
  const say = (state, words) => {
    const sign = document.getElementById("live");
    if (!sign) return;
    sign.hidden = false;
    sign.dataset.state = state;
    write(sign, words);
  };

  document.addEventListener("htmx:sseOpen", () => say("live", "live"));
  document.addEventListener("htmx:sseError", () => say("lost", "reconnecting"));
  document.addEventListener("htmx:sseMessage", tick);
  tick();
  setInterval(tick, 1000);
})();
