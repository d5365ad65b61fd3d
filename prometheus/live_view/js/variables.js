/** The dashboard's variables: their choices, what is chosen, and putting them into a query. */

import { labelValues } from "./prometheus.js";
import { builtIns } from "./time.js";

const ALL = "$__all";
const LABEL_VALUES = /^label_values\((.+),\s*(\w+)\)$/s;

/** One for each type of variable that is known: the choices as [{value, text}]. */
export const VARIABLE_TYPES = {
  // This page has one source, the Prometheus that serves it.
  datasource: async () => [{ value: "default", text: "this Prometheus" }],
  custom: async (variable) => variable.options.map(({ value, text }) => ({ value, text })),
  query: async (variable, replace, span) => {
    const [, selector, label] = LABEL_VALUES.exec(variable.query.query);
    const values = (await labelValues(label, replace(selector), span)).sort();
    const all = variable.includeAll ? [{ value: ALL, text: "All" }] : [];
    return [...all, ...values.map((value) => ({ value, text: value }))];
  },
};

/** What stands in a query for a chosen value. */
export const substitute = (variable, value) => (value === ALL ? variable.allValue : value);

/** A function that puts values in the place of $name and ${name}; values may hold $name again. */
export function replacer(variables, chosen, span) {
  const values = { ...builtIns(span) };
  for (const variable of variables) values[variable.name] = substitute(variable, chosen[variable.name]);
  const replace = (text) =>
    text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced, bare) => {
      const value = values[braced ?? bare];
      return value === undefined || value === whole ? whole : replace(value);
    });
  return replace;
}

/** Choices of every variable by name; `chosen` is completed, and mended where a value is gone. */
export async function readChoices(variables, chosen, span) {
  const choices = {};
  for (const variable of variables) {
    const found = await VARIABLE_TYPES[variable.type](variable, replacer(variables, chosen, span), span);
    choices[variable.name] = found;
    const isThere = found.some(({ value }) => value === chosen[variable.name]);
    if (!isThere) chosen[variable.name] = defaultChoice(variable, found);
  }
  return choices;
}

function defaultChoice(variable, choices) {
  const current = [variable.current?.value].flat()[0];
  return choices.some(({ value }) => value === current) ? current : (choices[0]?.value ?? "");
}
