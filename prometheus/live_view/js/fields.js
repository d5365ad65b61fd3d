/** A field's settings: the panel's defaults under the overrides that match; and thresholds. */

/** One for each matcher that is known: does the override hold for this field? */
export const MATCHERS = {
  byName: (options, field) => field.name === options,
  byFrameRefID: (options, field) => field.refId === options,
};

/** unit, min, max, thresholds, mappings and custom of a field {name, refId}. */
export function fieldConfig(panel, field) {
  const { defaults, overrides = [] } = panel.fieldConfig;
  const made = { ...defaults, custom: { ...defaults.custom } };
  for (const { matcher, properties } of overrides) {
    if (!MATCHERS[matcher.id](matcher.options, field)) continue;
    for (const { id, value } of properties) {
      if (id.startsWith("custom.")) made.custom[id.slice("custom.".length)] = value;
      else made[id] = value;
    }
  }
  return made;
}

/** The colour of the highest step that the value reaches; the first step is below all others. */
export function thresholdColour(thresholds, value) {
  let found = thresholds.steps[0].color;
  for (const step of thresholds.steps) if (step.value !== null && value >= step.value) found = step.color;
  return found;
}

/** {{label}} in a legend's pattern. */
export const legend = (pattern, labels) =>
  pattern.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? "");
