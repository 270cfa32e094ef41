// Viewers and bitrate over time.

import { h } from "./page.js";

const HEIGHT = 160; // pixels

/** `add(points)`: [[seconds, value]] in place of those before. Nothing without uPlot. */
export async function chart(label, unit, signal) {
  const place = h("figure", { className: "chart" }, h("figcaption", {}, label));
  const UPlot = await library();
  if (!UPlot) {
    place.append(h("p", { className: "muted" }, "Charts are not installed."));
    return { place, set() {} };
  }
  const box = h("div", { role: "img", "aria-label": label });
  place.append(box);
  let plot = null;
  const size = () => ({ width: Math.max(box.clientWidth, 200), height: HEIGHT });
  const observer = new ResizeObserver(() => plot?.setSize(size()));
  observer.observe(box);
  signal.addEventListener("abort", () => {
    observer.disconnect();
    plot?.destroy();
  });
  function set(points) {
    const data = [points.map(([at]) => at), points.map(([, value]) => value)];
    const last = points.at(-1)?.[1];
    box.setAttribute("aria-label", Number.isFinite(last) ? `${label}: ${unit(last)} now` : label);
    if (plot) plot.setData(data);
    else if (!signal.aborted) plot = new UPlot(options(label, unit, size()), data, box);
  }
  return { place, set };
}

async function library() {
  try {
    const found = await import("./uplot.mjs");
    return found.default;
  } catch {
    return null;
  }
}

function options(label, unit, size) {
  const style = getComputedStyle(document.body);
  const ink = style.getPropertyValue("--muted");
  const axis = { stroke: ink, grid: { stroke: style.getPropertyValue("--line"), width: 1 }, ticks: { show: false } };
  return {
    ...size,
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.15, 1)] } },
    axes: [axis, { ...axis, size: 80, values: (_, many) => many.map((one) => unit(one)) }],
    series: [{}, { label, stroke: style.getPropertyValue("--accent"), width: 2, fill: style.getPropertyValue("--tint") }],
  };
}
