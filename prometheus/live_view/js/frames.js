/** What a panel's queries answer, in the two shapes that panels draw: series over time, and rows. */

import { legend } from "./fields.js";
import { query, queryRange } from "./prometheus.js";

const number = (text) => (text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text));

/** [{name, refId, labels, values}]; `values` has one place for each of `times`, null for none. */
export async function readSeries(panel, context) {
  const { start, end, step } = context.span;
  const times = Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, n) => start + n * step);
  const answers = await Promise.all(
    panel.targets.map((target) => queryRange(context.replace(target.expr), context.span)),
  );
  const series = answers.flatMap((result, n) =>
    result.map(({ metric, values }) => ({
      name: legend(panel.targets[n].legendFormat, metric) || panel.title,
      refId: panel.targets[n].refId,
      labels: metric,
      values: spread(values, times, step),
    })),
  );
  return { times, series };
}

function spread(values, times, step) {
  const spreadOut = new Array(times.length).fill(null);
  for (const [time, text] of values) {
    const value = number(text);
    if (Number.isFinite(value)) spreadOut[Math.round((time - times[0]) / step)] = value;
  }
  return spreadOut;
}

/** The last value that is not null. */
export const lastNotNull = (values) => values.findLast((value) => value !== null) ?? null;

/** The instant answers of each query: [[{labels, value}]]. */
const readInstant = (panel, context) =>
  Promise.all(
    panel.targets.map(async (target) =>
      (await query(context.replace(target.expr), context.span.end)).map(({ metric, value }) => ({
        labels: metric,
        value: number(value[1]),
      })),
    ),
  );

/** One for each transformation that is known, on {columns: [{name, refId}], rows: [Map]}. */
export const TRANSFORMATIONS = {
  // Rows with the same labels are one row already: see `readRows`.
  merge: (frame) => frame,
  sortBy: (frame, { sort }) => ({ ...frame, rows: sort.reduceRight(sortBy, frame.rows) }),
  organize: (frame, { excludeByName = {}, indexByName = {}, renameByName = {} }) => {
    // A label that is given no place stands behind the first one, as in Grafana.
    const place = ({ name, isLabel }) => indexByName[name] ?? (isLabel ? 0.5 : Infinity);
    const kept = frame.columns.filter(({ name }) => !excludeByName[name]);
    const columns = kept
      .sort((a, b) => place(a) - place(b) || 0)
      .map((column) => ({ ...column, name: renameByName[column.name] ?? column.name }));
    return { ...frame, columns };
  },
};

/** {columns: [{key, name, refId}], rows: [Map by key]}: labels first, then a column for each query. */
export async function readRows(panel, context) {
  const answers = await readInstant(panel, context);
  const rows = new Map();
  const labels = new Set();
  const key = (n) => (answers.length === 1 ? "Value" : `Value #${panel.targets[n].refId}`);
  answers.forEach((result, n) =>
    result.forEach((sample) => {
      const id = JSON.stringify(Object.entries(sample.labels).sort());
      if (!rows.has(id)) rows.set(id, new Map(Object.entries(sample.labels)));
      Object.keys(sample.labels).forEach((label) => labels.add(label));
      rows.get(id).set(key(n), sample.value);
    }),
  );
  const columns = [
    ...[...labels].map((name) => ({ key: name, name, isLabel: true })),
    ...answers.map((_, n) => ({ key: key(n), name: key(n), refId: panel.targets[n].refId })),
  ];
  const frame = { columns, rows: sortRows([...rows.values()], labels) };
  return (panel.transformations ?? []).reduce(
    (made, { id, options }) => TRANSFORMATIONS[id](made, options),
    frame,
  );
}

/** By one field: a label, or the value of a query; a row without it comes last. */
function sortBy(rows, { field, desc }) {
  const [known, unknown] = [rows.filter((row) => row.has(field)), rows.filter((row) => !row.has(field))];
  const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
  known.sort((a, b) => (desc ? -1 : 1) * compare(a.get(field), b.get(field)));
  return [...known, ...unknown];
}

/** By the texts of these labels; numbers in them by their size. */
function sortRows(rows, labels) {
  const text = (row) => [...labels].map((label) => row.get(label) ?? "").join("\u0000");
  return rows.sort((a, b) => text(a).localeCompare(text(b), "en", { numeric: true }));
}

/** Buckets of an instant histogram query: [{from, to, count}], not cumulative. */
export async function readBuckets(panel, context) {
  const [samples] = await readInstant(panel, context);
  const sorted = samples
    .map(({ labels, value }) => ({ to: number(labels.le), upTo: value }))
    .sort((a, b) => a.to - b.to);
  return sorted.map(({ to, upTo }, n) => ({
    from: n ? sorted[n - 1].to : 0,
    to,
    count: Math.max(0, upTo - (n ? sorted[n - 1].upTo : 0)),
  }));
}
