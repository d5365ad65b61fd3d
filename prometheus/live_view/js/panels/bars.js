/** Bars that lie: of a histogram (bar gauge), and groups of them by a label (bar chart). */

import { colour, element, seriesColour } from "../dom.js";
import { fieldConfig, legend, thresholdColour } from "../fields.js";
import { format } from "../format.js";
import { readBuckets, readRows } from "../frames.js";

/** A row: label, one bar for each [share of the width, colour], text. */
function row(label, bars, text) {
  const track = element("div", { className: "track" });
  for (const [share, background] of bars) {
    const bar = element("i");
    bar.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
    bar.style.background = background;
    track.append(bar);
  }
  return [element("span", { textContent: label }), track, element("span", { textContent: text })];
}

const grid = (rows) => element("div", { className: "bars" }, ...rows.flat());

export const histogram = {
  read: async (panel, context) => {
    const buckets = await readBuckets(panel, context);
    return { buckets, isEmpty: buckets.length === 0 };
  },
  draw: ({ panel, body, answer }) => {
    const { unit, thresholds, min, max } = panel.fieldConfig.defaults;
    const rows = answer.buckets.map(({ from, to, count }) => {
      const range = to === Infinity ? `over ${format(from)}` : `${format(from)} – ${format(to)}`;
      const label = legend(panel.targets[0].legendFormat, { le: range });
      const bar = [(count - min) / (max - min), colour(thresholdColour(thresholds, count))];
      return row(label, [bar], format(count, unit));
    });
    body.replaceChildren(grid(rows));
  },
};

export const groups = {
  read: async (panel, context) => {
    const frame = await readRows(panel, context);
    return { ...frame, isEmpty: frame.rows.length === 0 };
  },
  draw: ({ panel, body, foot, answer: { columns, rows } }) => {
    const { xField } = panel.options;
    const values = columns.filter(({ isLabel }) => !isLabel);
    const label = columns.find(({ name }) => name === xField);
    const most = Math.max(...rows.flatMap((one) => values.map(({ key }) => one.get(key) ?? 0)), 1e-12);
    const drawn = rows.map((one) => {
      const texts = values.map((column) => format(one.get(column.key), fieldConfig(panel, column).unit));
      const bars = values.map(({ key }, n) => [(one.get(key) ?? 0) / most, seriesColour(n)]);
      return row(one.get(label.key), bars, texts.join(" · "));
    });
    body.replaceChildren(grid(drawn));
    foot.replaceChildren(...values.map(({ name }, n) => legendEntry(name, seriesColour(n))));
  },
};

function legendEntry(name, stroke) {
  const mark = element("i");
  mark.style.borderColor = stroke;
  return element("span", {}, mark, name);
}
