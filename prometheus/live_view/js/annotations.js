/** The dashboard's annotations: stretches of time in which an expression had a value. */

import { legend } from "./fields.js";
import { queryRange } from "./prometheus.js";
import { durationSeconds } from "./time.js";

// Prometheus answers with 11,000 at most.
const MOST_POINTS = 10_000;

/** [{text, colour, from, to}] of every annotation that is switched on. */
export async function readAnnotations(dashboard, context) {
  const on = dashboard.annotations.list.filter(({ enable, hide }) => enable && !hide);
  return (await Promise.all(on.map((annotation) => stretches(annotation, context)))).flat();
}

async function stretches(annotation, { replace, span }) {
  // Its own step, which an event lasts: at that of a week's lines most events would fall between two.
  const step = Math.max(durationSeconds(annotation.step), Math.ceil(span.range / MOST_POINTS));
  const series = await queryRange(replace(annotation.expr), { ...span, step });
  return series.flatMap(({ metric, values }) => {
    const found = [];
    for (const [time] of values) {
      const last = found.at(-1);
      if (last && time - last.to <= step) last.to = time;
      else found.push({ from: time, to: time });
    }
    const text = legend(annotation.titleFormat, metric);
    return found.map((one) => ({ ...one, text, colour: annotation.iconColor }));
  });
}

/** Where any of a colour holds: ten alerts at once are to be seen, and still the lines below them. */
export function united(annotations) {
  const found = [];
  for (const { from, to, colour } of [...annotations].sort((a, b) => a.from - b.from)) {
    const before = found.findLast((one) => one.colour === colour);
    if (before && from <= before.to) before.to = Math.max(before.to, to);
    else found.push({ from, to, colour });
  }
  return found;
}

/** Texts of what holds at this time. */
export const annotationsAt = (annotations, time, step) =>
  annotations.filter(({ from, to }) => from - step / 2 <= time && time <= to + step / 2).map(({ text }) => text);
