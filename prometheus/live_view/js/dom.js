/** Elements from text only: nothing that comes from a label is ever read as HTML. */

/** An element with properties (`class`, `dataset`, … by their DOM name) and children or texts. */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element with attributes. */
export function shape(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The value of a colour variable in live_view.css, as it is now. */
export const colour = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim() || name;

export const SERIES_COLOURS = 8;

/** The colour of the series with this place in its panel. */
export const seriesColour = (index) => colour(`series-${index % SERIES_COLOURS}`);
