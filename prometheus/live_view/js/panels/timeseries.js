/** Lines over time, with bands and limits; or stacked areas. */

import { annotationsAt } from "../annotations.js";
import { inPlot, makeChart } from "../chart.js";
import { colour, element, seriesColour } from "../dom.js";
import { drawExemplars, exemplarAt, openOnClick, readExemplars } from "../exemplars.js";
import { fieldConfig } from "../fields.js";
import { format } from "../format.js";
import { lastNotNull, readSeries } from "../frames.js";

// So that ticks of bytes are round in KiB and MiB.
const POWERS_OF_TWO = Array.from({ length: 50 }, (_, n) => 2 ** n);

export const read = async (panel, context) => {
  const [frame, exemplars] = await Promise.all([readSeries(panel, context), readExemplars(panel, context)]);
  return { ...frame, exemplars, isEmpty: frame.series.every(({ values }) => lastNotNull(values) === null) };
};

/** Draws, or puts new data into the chart that is there; gives back what to call at the end. */
export function draw({ panel, body, foot, answer, context, previous }) {
  const names = answer.series.map(({ name }) => name);
  const fields = answer.series.map((series) => describe(panel, series, placeOfColour(names, series.name)));
  const stacked = fields.some(({ config }) => config.custom.stacking?.mode === "normal");
  const data = [answer.times, ...(stacked ? stack(answer.series) : answer.series.map(({ values }) => values))];
  const shape = JSON.stringify([fields.map(({ name, stroke }) => [name, stroke]), body.clientWidth, colour("page")]);
  const state = previous?.shape === shape ? previous.state : {};
  Object.assign(state, { panel, fields, answer, context, foot, stacked });
  if (previous?.shape === shape) {
    previous.chart.setData(data);
    tell(state, previous.chart);
    return previous;
  }
  previous?.destroy();
  body.replaceChildren();
  // The legend first: what it takes of the height is not the chart's.
  tell(state);
  const chart = makeChart(body, data, options(state), () => state.context.annotations);
  chart.root.setAttribute("aria-label", panel.title);
  return { shape, state, chart, destroy: () => chart.destroy() };
}

/** "latency, 5 min" is drawn in the colour of "latency": it is the same thing, seen otherwise. */
export function placeOfColour(names, name) {
  const whole = names.findIndex((other) => name.startsWith(`${other}, `));
  return whole < 0 ? names.indexOf(name) : whole;
}

function describe(panel, series, n) {
  const config = fieldConfig(panel, series);
  const isFixed = config.color?.mode === "fixed";
  return { ...series, config, stroke: isFixed ? colour(config.color.fixedColor) : seriesColour(n) };
}

/** Sums from below. What is not there at a time adds nothing to what is: no hole goes through the pile. */
export function stack(series) {
  const isThere = series[0]?.values.map((_, n) => series.some(({ values }) => values[n] !== null));
  const sum = [];
  return series.map(({ values }) => values.map((value, n) => (isThere[n] ? (sum[n] = (sum[n] ?? 0) + (value ?? 0)) : null)));
}

function options(state) {
  const { fields, panel, stacked } = state;
  const { unit, max } = panel.fieldConfig.defaults;
  return {
    series: [{}, ...fields.map(line)],
    bands: stacked ? stackBands(fields) : bands(fields),
    scales: { y: { range: (u, low, high) => range(state, low, high, max) } },
    yAxis: { size: 64, ...(unit === "bytes" ? { incrs: POWERS_OF_TWO } : {}), values: (u, ticks) => ticks.map((value) => format(value, unit)) },
    hooks: {
      drawAxes: [(u) => drawLimits(u, state.fields)],
      draw: [(u) => drawExemplars(u, state.answer.exemplars, (value) => value)],
      setCursor: [(u) => tell(state, u)],
      ready: [(u) => openOnClick(u, () => state.answer.exemplars, (value) => value)],
    },
  };
}

function line({ config: { custom }, stroke }) {
  const isStacked = custom.stacking?.mode === "normal";
  const opacity = Math.round(2.55 * custom.fillOpacity).toString(16).padStart(2, "0");
  return {
    stroke: custom.lineWidth ? stroke : "transparent",
    width: custom.lineWidth,
    dash: custom.lineStyle?.dash,
    fill: isStacked ? stroke + opacity : undefined,
    points: { show: false },
  };
}

/** From a series down to the one below it, which is the stack's part of the series itself. */
const stackBands = (fields) =>
  fields.slice(1).map((_, n) => ({ series: [n + 2, n + 1] }));

function bands(fields) {
  return fields.flatMap(({ config: { custom }, stroke }, n) => {
    const below = fields.findIndex(({ name }) => name === custom.fillBelowTo);
    const opacity = Math.round(2.55 * custom.fillOpacity).toString(16).padStart(2, "0");
    return below < 0 ? [] : [{ series: [n + 1, below + 1], fill: stroke + opacity }];
  });
}

/** Limits are in sight where they are not far above what there is. */
function range({ fields }, low, high, max) {
  const limits = shownLimits(fields).map(({ value }) => value);
  const near = limits.filter((value) => value <= 2 * Math.max(high ?? 0, 1e-9));
  const top = max ?? (Math.max(high ?? 0, ...near) * 1.08 || 1);
  const config = fields[0]?.config;
  return [Math.min(config?.min ?? 0, low < 0 && config?.min === undefined ? low * 1.08 : 0), top];
}

function shownLimits(fields) {
  const limits = fields
    .filter(({ config }) => config.custom.thresholdsStyle?.mode === "dashed")
    .flatMap(({ config }) => config.thresholds.steps.filter(({ value }) => value !== null));
  return limits.filter((limit, n) => limits.findIndex(({ value }) => value === limit.value) === n);
}

function drawLimits(u, fields) {
  inPlot(u, (ctx, { left, width }) => {
    for (const { value, color } of shownLimits(fields)) {
      const y = u.valToPos(value, "y", true);
      ctx.strokeStyle = colour(color);
      ctx.setLineDash([7, 5]);
      ctx.beginPath();
      ctx.moveTo(left, y);
      ctx.lineTo(left + width, y);
      ctx.stroke();
    }
  });
}

function tell({ fields, answer, context, foot }, u) {
  const at = u?.cursor.idx ?? null;
  const rows = fields
    .filter(({ config }) => !config.custom.hideFrom?.legend)
    .map(({ config, name, stroke, values }) => {
      const mark = element("i");
      mark.style.borderColor = stroke;
      mark.style.borderTopStyle = { dash: "dashed", dot: "dotted" }[config.custom.lineStyle?.fill] ?? "solid";
      const value = at === null ? lastNotNull(values) : values[at];
      return element("span", {}, mark, `${name} `, element("b", { textContent: format(value, config.unit) }));
    });
  foot.replaceChildren(...rows, ...notes(u, answer, context, at));
}

function notes(u, { times, exemplars }, { annotations, span }, at) {
  if (at === null) return [];
  const texts = annotationsAt(annotations, times[at], span.step);
  const exemplar = exemplarAt(u, exemplars, (value) => value);
  if (exemplar) texts.push(`trace ${exemplar.labels.trace_id}`);
  return texts.map((textContent) => element("span", { className: "note", textContent }));
}
