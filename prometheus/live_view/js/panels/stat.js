/** One figure, coloured by its thresholds. */

import { colour, element } from "../dom.js";
import { fieldConfig, thresholdColour } from "../fields.js";
import { format } from "../format.js";
import { lastNotNull, readSeries } from "../frames.js";

export const read = async (panel, context) => {
  const { series } = await readSeries(panel, context);
  const figures = series.map((one) => ({ ...one, value: lastNotNull(one.values) }));
  const known = figures.filter(({ value }) => value !== null);
  return { figures: known, isEmpty: known.length === 0 };
};

export function draw({ panel, body, answer }) {
  const withName = panel.options.textMode === "value_and_name";
  const shown = answer.figures.map((one) => {
    const { unit, thresholds } = fieldConfig(panel, one);
    const figure = element("b", { textContent: format(one.value, unit) });
    figure.style.color = colour(thresholdColour(thresholds, one.value));
    return element("div", {}, figure, withName ? element("span", { textContent: ` ${one.name}` }) : null);
  });
  body.replaceChildren(...shown);
}
