/** Dots of single requests over a panel; the one under the cursor tells its trace. */

import { inPlot } from "./chart.js";
import { colour } from "./dom.js";
import { queryExemplars } from "./prometheus.js";

const NEAR = 12;
const RADIUS = 2.5;

/** [{time, value, labels}] of the queries that ask for exemplars, one for each step. */
export async function readExemplars(panel, { replace, span }) {
  const asking = panel.targets.filter(({ exemplar }) => exemplar);
  const found = await Promise.all(asking.map(({ expr }) => queryExemplars(replace(expr), span)));
  return thin(found.flat(), span.step);
}

/** The slowest of each step: those are looked for, and hundreds of dots would hide the lines. */
function thin(exemplars, step) {
  const slowest = new Map();
  for (const one of exemplars) {
    const place = Math.floor(one.time / step);
    if (!(slowest.get(place)?.value >= one.value)) slowest.set(place, one);
  }
  return [...slowest.values()];
}

/** Draws the dots; `place(value)` is the height on the y scale. */
export function drawExemplars(u, exemplars, place) {
  inPlot(u, (ctx) => {
    ctx.fillStyle = colour("series-3");
    for (const { time, value } of exemplars) {
      ctx.beginPath();
      ctx.arc(u.valToPos(time, "x", true), u.valToPos(place(value), "y", true), RADIUS * devicePixelRatio, 0, 7);
      ctx.fill();
    }
  });
}

/** A click on a dot asks the page for its trace; `exemplars()` are those of now. */
export function openOnClick(u, exemplars, place) {
  u.over.addEventListener("click", () => {
    const one = exemplarAt(u, exemplars(), place);
    if (one) dispatchEvent(new CustomEvent("trace", { detail: one.labels.trace_id }));
  });
}

/** The dot next to the cursor, or undefined. */
export function exemplarAt(u, exemplars, place) {
  const { left, top } = u.cursor;
  const distance = ({ time, value }) =>
    Math.hypot(u.valToPos(time, "x") - left, u.valToPos(place(value), "y") - top);
  let best;
  for (const one of exemplars) if (distance(one) < NEAR && (!best || distance(one) < distance(best))) best = one;
  return best;
}
