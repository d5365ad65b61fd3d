/** What every panel over time shares: a uPlot with the page's axes, crosshair and annotations. */

import { united } from "./annotations.js";
import { colour } from "./dom.js";

const CROSSHAIR = "all panels";
const NARROW = 360;

/** Options of an axis, in the colours of now. */
export const axis = (more) => ({
  stroke: colour("soft"),
  grid: { stroke: colour("grid"), width: 1 },
  ticks: { stroke: colour("grid"), width: 1, size: 4 },
  font: "11px system-ui, sans-serif",
  ...more,
});

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** The time of day; the day itself at midnight. */
function timeLabel(seconds) {
  const time = new Date(1000 * seconds);
  return (time.getHours() || time.getMinutes() ? CLOCK : DAY).format(time);
}

/** A chart over the whole body. `more` has series, scales, axes[1], bands, hooks as uPlot's. */
export function makeChart(body, data, { yAxis, hooks = {}, ...more }, annotations) {
  const { width, height } = body.getBoundingClientRect();
  const chart = new uPlot(
    {
      width: Math.max(120, width),
      height: Math.max(90, height - 4),
      legend: { show: false },
      cursor: { sync: { key: CROSSHAIR, setSeries: false }, points: { size: 6 }, drag: { setScale: false } },
      axes: [axis({ values: (u, ticks) => ticks.map(timeLabel), space: width < NARROW ? 60 : 70, size: 30 }), axis(yAxis)],
      padding: [8, 10, 0, 0],
      ...more,
      hooks: { ...hooks, drawAxes: [...(hooks.drawAxes ?? []), (u) => drawAnnotations(u, annotations())] },
    },
    data,
    body,
  );
  chart.root.setAttribute("role", "img");
  return chart;
}

/** Run with the context saved and clipped to the plot. */
export function inPlot(u, paint) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  paint(ctx, bbox);
  ctx.restore();
}

function drawAnnotations(u, annotations) {
  inPlot(u, (ctx, { top, height }) => {
    const place = (time) => u.valToPos(time, "x", true);
    for (const { from, to, colour: name } of united(annotations)) {
      const [left, right] = [from, to].map(place);
      ctx.fillStyle = colour(name);
      ctx.globalAlpha = 0.07;
      ctx.fillRect(left, top, right - left, height);
      ctx.globalAlpha = 0.8;
      ctx.fillRect(left, top + height - 3, Math.max(2, right - left), 3);
    }
    ctx.setLineDash([4, 4]);
    for (const { from, colour: name } of annotations) {
      const left = place(from);
      ctx.strokeStyle = colour(name);
      ctx.beginPath();
      ctx.moveTo(left, top);
      ctx.lineTo(left, top + height);
      ctx.stroke();
    }
  });
}
