/** A row for each series, coloured by what its value means. */

import { inPlot, makeChart } from "../chart.js";
import { colour, element } from "../dom.js";
import { fieldConfig } from "../fields.js";
import { lastNotNull, readSeries } from "../frames.js";

export const read = async (panel, context) => {
  const frame = await readSeries(panel, context);
  return { ...frame, isEmpty: frame.series.every(({ values }) => lastNotNull(values) === null) };
};

/** One for each type of mapping that is known: {text, color} of a value, or undefined. */
export const MAPPINGS = { value: (options, value) => options[String(value)] };

const meaning = (config, value) =>
  config.mappings.map(({ type, options }) => MAPPINGS[type](options, value)).find(Boolean) ?? { text: String(value) };

export function draw({ panel, body, foot, answer, context, previous }) {
  previous?.destroy();
  body.replaceChildren();
  const { times, series } = answer;
  tell(undefined, foot, panel, answer);
  const chart = makeChart(
    body,
    [times, times.map(() => null)],
    {
      series: [{}, { points: { show: false } }],
      scales: { y: { range: () => [0, series.length] } },
      yAxis: {
        size: 104,
        grid: { show: false },
        splits: () => series.map((_, n) => n + 0.5),
        values: (u, ticks) => ticks.map((place) => series[series.length - 1 - Math.floor(place)]?.name ?? ""),
      },
      hooks: {
        drawAxes: [(u) => drawRows(u, panel, answer, context.span.step)],
        setCursor: [(u) => tell(u, foot, panel, answer)],
      },
    },
    () => context.annotations,
  );
  chart.root.setAttribute("aria-label", panel.title);
  return { chart, destroy: () => chart.destroy() };
}

function drawRows(u, panel, { times, series }, step) {
  inPlot(u, (ctx) => {
    series.forEach((one, n) => {
      const config = fieldConfig(panel, one);
      const margin = (1 - panel.options.rowHeight) / 2;
      const row = series.length - 1 - n;
      const [top, bottom] = [row + 1 - margin, row + margin].map((y) => u.valToPos(y, "y", true));
      ctx.globalAlpha = config.custom.fillOpacity / 100;
      one.values.forEach((value, at) => {
        if (value === null) return;
        const [left, right] = [times[at] - step, times[at]].map((time) => Math.round(u.valToPos(time, "x", true)));
        ctx.fillStyle = colour(meaning(config, value).color ?? "soft");
        ctx.fillRect(left, top, right - left, bottom - top);
      });
    });
  });
}

function tell(u, foot, panel, { series }) {
  const at = u?.cursor.idx ?? null;
  const rows = series.map((one) => {
    const value = at === null ? lastNotNull(one.values) : one.values[at];
    const text = value === null ? "–" : meaning(fieldConfig(panel, one), value).text;
    return element("span", {}, `${one.name} `, element("b", { textContent: text }));
  });
  foot.replaceChildren(...rows);
}
