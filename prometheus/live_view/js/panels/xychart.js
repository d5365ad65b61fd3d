/** Points by two of their figures; a series may be a line instead. */

import { element, seriesColour, shape } from "../dom.js";
import { fieldConfig } from "../fields.js";
import { format } from "../format.js";
import { readRows } from "../frames.js";

const MARGIN = { left: 62, right: 14, top: 8, bottom: 34 };
const FEW = 12;

export const read = async (panel, context) => {
  const frame = await readRows(panel, context);
  return { ...frame, isEmpty: series(panel, frame).every(({ points }) => points.length === 0) };
};

/** [{name, isLine, points: [{x, y, label}]}] as `options.series` picks columns by name. */
function series(panel, { columns, rows }) {
  const column = (name) => columns.find((one) => one.name === name);
  const labels = columns.filter(({ isLabel }) => isLabel);
  return panel.options.series.map(({ name, x, y }) => {
    const [across, up] = [column(x.matcher.options), column(y.matcher.options)];
    const points = rows
      .map((row) => ({ x: row.get(across.key), y: row.get(up.key), label: labels.map(({ key }) => row.get(key)).join(" ") }))
      .filter((point) => Number.isFinite(point.x) && Number.isFinite(point.y))
      .sort((a, b) => a.x - b.x);
    return { name: name.fixed, isLine: fieldConfig(panel, up).custom.show === "lines", xName: across.name, points };
  });
}

export function draw({ panel, body, foot, answer }) {
  const drawn = series(panel, answer);
  const { width, height } = body.getBoundingClientRect();
  const every = drawn.flatMap(({ points }) => points);
  const top = { x: topOf(every.map(({ x }) => x)), y: topOf(every.map(({ y }) => y)) };
  const low = Math.min(0, ...every.map(({ y }) => y)) * 1.1;
  const at = {
    x: (value) => MARGIN.left + (value / top.x) * (width - MARGIN.left - MARGIN.right),
    y: (value) => height - MARGIN.bottom - ((value - low) / (top.y - low)) * (height - MARGIN.top - MARGIN.bottom),
  };
  const { unit } = panel.fieldConfig.defaults;
  body.replaceChildren(
    shape(
      "svg",
      { role: "img", "aria-label": panel.title, viewBox: `0 0 ${width} ${height}` },
      ...axes(at, { low, top, unit, width, height, xName: drawn[0].xName }),
      ...drawn.flatMap((one, n) => (one.isLine ? [path(one, n, at)] : dots(one, n, at, unit))),
    ),
  );
  foot.replaceChildren(...drawn.map(({ name }, n) => {
    const mark = element("i");
    mark.style.borderColor = seriesColour(n);
    return element("span", {}, mark, name);
  }));
}

const topOf = (values) => Math.max(...values, 1e-9) * 1.12;

/** About four round numbers from low to high. */
function ticks(low, high) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((each) => each * power >= rough);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, n) => (first + n) * step);
}

function axes(at, { low, top, unit, width, height, xName }) {
  const across = ticks(0, top.x).flatMap((value) => [
    shape("line", { x1: at.x(value), x2: at.x(value), y1: MARGIN.top, y2: height - MARGIN.bottom }),
    shape("text", { x: at.x(value), y: height - MARGIN.bottom + 14, "text-anchor": "middle" }, format(value, unit)),
  ]);
  const up = ticks(low, top.y).flatMap((value) => [
    shape("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: at.y(value), y2: at.y(value) }),
    shape("text", { x: MARGIN.left - 6, y: at.y(value) + 4, "text-anchor": "end" }, format(value, unit)),
  ]);
  return [...across, ...up, shape("text", { x: width / 2, y: height - 4, "text-anchor": "middle" }, xName)];
}

const path = ({ points }, n, at) =>
  shape("polyline", {
    points: points.map(({ x, y }) => `${at.x(x)},${at.y(y)}`).join(" "),
    fill: "none", stroke: seriesColour(n), "stroke-width": 1.5, "stroke-dasharray": "5 4",
  });

function dots({ points }, n, at, unit) {
  return points.flatMap(({ x, y, label }) => {
    const title = shape("title", {}, `${label}: ${format(x, unit)}, ${format(y, unit)}`);
    const dot = shape("circle", { cx: at.x(x), cy: at.y(y), r: 4, fill: seriesColour(n) }, title);
    const name = shape("text", { x: at.x(x) + 7, y: at.y(y) + 4, class: "point" }, label);
    return points.length <= FEW ? [dot, name] : [dot];
  });
}
