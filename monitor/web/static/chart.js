// Draws a check's latency with uPlot: failed looks, incidents and deploys marked; follows the page's live updates.
"use strict";

(() => {
  const panel = document.getElementById("latency");
  const place = document.getElementById("plot");
  const says = document.getElementById("plot-says");
  const HEIGHT = 240;
  const REFRESH_MS = 4000;
  let hours = 1;
  let plot = null;
  let series = null;
  let askedAt = 0;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const seconds = (value) => (value === null ? "–" : value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(1)} s`);
  const clock = (value) => {
    const instant = new Date(value * 1000);
    const time = instant.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: hours === 1 ? "2-digit" : undefined, hourCycle: "h23" });
    return hours > 24 ? `${instant.toLocaleDateString([], { month: "short", day: "numeric" })} ${time}` : time;
  };
  const at = (instant) => Date.parse(instant) / 1000;

  const behind = (u) => {
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    const within = (x) => Math.min(Math.max(u.valToPos(x, "x", true), left), left + width);
    ctx.save();
    for (const incident of series.incidents) {
      const from = within(at(incident.started_at));
      const to = within(incident.ended_at ? at(incident.ended_at) : Date.now() / 1000);
      ctx.globalAlpha = 0.16;
      ctx.fillStyle = colour("down");
      ctx.fillRect(from, top, Math.max(to - from, 2), height);
    }
    ctx.globalAlpha = 1;
    ctx.setLineDash([5, 4]);
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.strokeStyle = ctx.fillStyle = colour("unknown");
    ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    for (const deploy of series.deploys) {
      const x = within(at(deploy.started_at));
      ctx.beginPath();
      ctx.moveTo(x, top);
      ctx.lineTo(x, top + height);
      ctx.stroke();
      ctx.fillText(`▲ ${deploy.commit.slice(0, 7)}`, x + 4, top + 14 * devicePixelRatio);
    }
    ctx.restore();
  };

  const marks = (u, index, from, to) => {
    const { ctx } = u;
    const size = 4 * devicePixelRatio;
    ctx.save();
    ctx.lineWidth = 2 * devicePixelRatio;
    for (let i = from; i <= to; i += 1) {
      const outcome = series.outcomes[i];
      if (outcome === "ok") continue;
      const x = u.valToPos(series.times[i], "x", true);
      const y = u.valToPos(series.seconds[i], "y", true);
      ctx.strokeStyle = colour(outcome === "failed" ? "down" : outcome);
      ctx.beginPath();
      ctx.moveTo(x - size, y - size);
      ctx.lineTo(x + size, y + size);
      ctx.moveTo(x + size, y - size);
      ctx.lineTo(x - size, y + size);
      ctx.stroke();
    }
    ctx.restore();
  };

  const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

  const build = () => {
    plot?.destroy();
    const axis = { stroke: colour("muted"), grid: { stroke: colour("edge"), width: 1 }, ticks: { stroke: colour("edge") } };
    plot = new uPlot(
      {
        width: place.clientWidth,
        height: HEIGHT,
        cursor: { y: false },
        scales: { y: { range: (u, low, high) => [0, Math.max(high * 1.1, 0.001)] } },
        axes: [{ ...axis, space: 84, values: (u, values) => values.map(clock) }, { ...axis, size: 66, values: (u, values) => values.map(seconds) }],
        series: [
          { label: "at", value: (u, value) => (value === null ? "–" : clock(value)) },
          {
            label: "latency",
            stroke: colour("accent"),
            width: 1.6,
            fill: `color-mix(in srgb, ${colour("accent")} 12%, transparent)`,
            points: { show: false },
            value: (u, value, index, i) => (i === null || i === undefined ? "–" : `${seconds(value)}, ${series.outcomes[i]}`),
          },
        ],
        hooks: { drawClear: [behind], drawSeries: [(u, index) => index === 1 && marks(u, index, 0, series.times.length - 1)] },
      },
      [series.times, series.seconds],
      place,
    );
  };

  const load = async (isNew) => {
    if (!isNew && Date.now() - askedAt < REFRESH_MS) return;
    askedAt = Date.now();
    try {
      const answer = await fetch(`${panel.dataset.series}?hours=${hours}`);
      if (!answer.ok) return;
      const said = await answer.json();
      series = { ...said, times: said.looks.map((one) => at(one.started_at)), seconds: said.looks.map((one) => one.duration_seconds), outcomes: said.looks.map((one) => one.outcome) };
    } catch {
      return; // the page says by itself that it is not live
    }
    const bad = series.outcomes.filter((one) => one !== "ok").length;
    says.textContent = `${count(series.times.length, "look")}, ${bad} not ok (✕), ${count(series.incidents.length, "incident")} (shaded), ${count(series.deploys.length, "deploy")} (▲)`;
    panel.hidden = false;
    if (plot === null || isNew) build();
    else plot.setData([series.times, series.seconds]);
  };

  for (const button of panel.querySelectorAll("[data-hours]")) {
    button.addEventListener("click", () => {
      hours = Number(button.dataset.hours);
      for (const other of panel.querySelectorAll("[data-hours]")) other.setAttribute("aria-pressed", String(other === button));
      load(true);
    });
  }
  new ResizeObserver(() => plot && plot.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => series && build());
  document.addEventListener("htmx:sseMessage", () => load(false));
  panel.hidden = false;
  load(true);
})();
