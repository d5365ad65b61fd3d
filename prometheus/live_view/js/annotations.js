/** The dashboard's annotations: stretches of time in which an expression had a value. */

import { legend } from "./fields.js";
import { queryRange } from "./prometheus.js";
import { durationSeconds } from "./time.js";

/** [{text, colour, from, to}] of every annotation that is switched on. */
export async function readAnnotations(dashboard, context) {
  const on = dashboard.annotations.list.filter(({ enable, hide }) => enable && !hide);
  return (await Promise.all(on.map((annotation) => stretches(annotation, context)))).flat();
}

async function stretches(annotation, { replace, span }) {
  const step = Math.max(durationSeconds(annotation.step), span.step);
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

/** Texts of what holds at this time. */
export const annotationsAt = (annotations, time, step) =>
  annotations.filter(({ from, to }) => from - step / 2 <= time && time <= to + step / 2).map(({ text }) => text);
