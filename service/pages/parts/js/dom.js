"use strict";
// Elements are made from text only: nothing that the service answers is ever read as HTML.

const get = (id) => document.getElementById(id);

/** An element with properties (by their DOM name) and children or texts. */
function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** The children of a `dl`: a name and a value each. */
const terms = (pairs) =>
  pairs.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);

const words = (name) => name.replaceAll("_", " ");

/** A share in percent; what would be rounded to nothing says so. */
function percent(share) {
  if (share === 0 || share === 1) return `${100 * share} %`;
  if (share < 0.0001) return "< 0.01 %";
  if (share > 0.9999) return "> 99.99 %";
  return `${(100 * share).toFixed(share < 0.1 || share > 0.99 ? 2 : 1)} %`;
}

/** A difference of shares in percentage points, with its sign. */
function points(difference) {
  const sign = difference < 0 ? "\u2212" : "+";
  return `${sign}${(100 * Math.abs(difference)).toFixed(2)} pp`;
}
