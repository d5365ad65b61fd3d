/** A histogram over time: darker where more is. */

import { inPlot, makeChart } from "../chart.js";
import { colour, element } from "../dom.js";
import { drawExemplars, exemplarAt, openOnClick, readExemplars } from "../exemplars.js";
import { format } from "../format.js";
import { lastNotNull, readSeries } from "../frames.js";

const bound = (series) => (series.labels.le === "+Inf" ? Infinity : Number(series.labels.le));

export async function read(panel, context) {
  const [{ times, series }, exemplars] = await Promise.all([
    readSeries(panel, context),
    readExemplars(panel, context),
  ]);
  const sorted = [...series].sort((a, b) => bound(a) - bound(b));
  const buckets = sorted.map(({ values }, n) =>
    values.map((value, at) => (value === null ? null : value - (n ? (sorted[n - 1].values[at] ?? 0) : 0))),
  );
  const isEmpty = series.every(({ values }) => lastNotNull(values) === null);
  return { times, bounds: sorted.map(bound), buckets, exemplars, isEmpty };
}

export function draw({ panel, body, foot, answer, context, previous }) {
  previous?.destroy();
  body.replaceChildren();
  const { times, bounds } = answer;
  const unit = panel.options.yAxis.unit;
  const place = (value) => placeOf(bounds, value);
  tell(undefined, foot, panel, answer, place);
  const chart = makeChart(
    body,
    [times, times.map(() => null)],
    {
      series: [{}, { points: { show: false } }],
      scales: { y: { range: () => [0, bounds.length] } },
      yAxis: {
        size: 64,
        splits: () => bounds.map((_, n) => n + 1).filter((n) => n % 2),
        values: (u, ticks) => ticks.map((n) => format(bounds[n - 1], unit)),
      },
      hooks: {
        drawAxes: [(u) => drawCells(u, panel, answer, context.span.step)],
        draw: [(u) => drawExemplars(u, answer.exemplars, place)],
        setCursor: [(u) => tell(u, foot, panel, answer, place)],
        ready: [(u) => openOnClick(u, () => answer.exemplars, place)],
      },
    },
    () => context.annotations,
  );
  chart.root.setAttribute("aria-label", panel.title);
  return { chart, destroy: () => chart.destroy() };
}

/** How far up, in buckets; within one evenly. */
function placeOf(bounds, value) {
  const n = bounds.findIndex((upper) => value <= upper);
  const [low, high] = [n > 0 ? bounds[n - 1] : 0, bounds[n]];
  return n + (Number.isFinite(high) ? (value - low) / (high - low) : 0.5);
}

function drawCells(u, panel, { times, buckets }, step) {
  const { color, filterValues } = panel.options;
  const most = Math.max(...buckets.flat().map((value) => value ?? 0), 1e-12);
  inPlot(u, (ctx) => {
    ctx.fillStyle = colour(color.fill);
    buckets.forEach((values, n) =>
      values.forEach((value, at) => {
        if (value === null || value <= filterValues.le) return;
        const [left, right] = [times[at] - step / 2, times[at] + step / 2].map((t) => u.valToPos(t, "x", true));
        const [top, bottom] = [n + 1, n].map((y) => u.valToPos(y, "y", true));
        ctx.globalAlpha = 0.08 + 0.92 * (value / most) ** color.exponent;
        ctx.fillRect(left, top, Math.max(1, right - left - 1), bottom - top - 1);
      }),
    );
  });
}

function tell(u, foot, panel, { bounds, buckets, exemplars }, place) {
  const { idx, top } = u?.cursor ?? {};
  const texts = [];
  if (idx !== null && idx !== undefined && top >= 0) {
    const n = Math.min(bounds.length - 1, Math.floor(u.posToVal(top, "y")));
    const { unit } = panel.options.yAxis;
    const range = `${format(n ? bounds[n - 1] : 0, unit)} – ${format(bounds[n], unit)}`;
    texts.push(`${range}: ${format(buckets[n]?.[idx], "suffix:/s")}`);
    const exemplar = exemplarAt(u, exemplars, place);
    if (exemplar) texts.push(`trace ${exemplar.labels.trace_id}: ${format(exemplar.value, unit)}`);
  }
  if (!texts.length) texts.push(exemplars.length ? "dots: requests whose traces were kept; a click shows one" : "");
  foot.replaceChildren(...texts.map((textContent) => element("span", { className: "note", textContent })));
}
