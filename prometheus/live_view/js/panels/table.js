/** A row for each set of labels, a column for each query. */

import { element } from "../dom.js";
import { fieldConfig, thresholdColour } from "../fields.js";
import { format } from "../format.js";
import { readRows } from "../frames.js";

export const read = async (panel, context) => {
  const frame = await readRows(panel, context);
  return { ...frame, isEmpty: frame.rows.length === 0 };
};

export function draw({ panel, body, answer: { columns, rows } }) {
  const head = element("tr", {}, ...columns.map(({ name, isLabel }) =>
    element("th", { scope: "col", className: isLabel ? "label" : "", textContent: name }),
  ));
  const lines = rows.map((row) => element("tr", {}, ...columns.map((column) => cell(panel, column, row))));
  body.replaceChildren(
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...lines)),
  );
}

/** How a cell shows its colour, by `cellOptions.type`. */
export const CELLS = { auto: () => "", "color-background": (colour) => colour };

function cell(panel, column, row) {
  const value = row.get(column.key);
  if (column.isLabel) return element("td", { className: "label", textContent: value ?? "" });
  const { unit, thresholds, custom } = fieldConfig(panel, column);
  const paint = CELLS[custom.cellOptions?.type ?? "auto"];
  const className = value === undefined ? "" : paint(thresholdColour(thresholds, value));
  return element("td", { className, textContent: format(value, unit) });
}
