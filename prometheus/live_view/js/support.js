/**
 * What this page can draw, and what a dashboard asks for beyond it, by name.
 *
 * Values are listed where the page draws those only; ANY where it takes each value, or where the
 * setting changes nothing that is seen here.
 */

import { MATCHERS } from "./fields.js";
import { isUnit } from "./format.js";
import { TRANSFORMATIONS } from "./frames.js";
import { PANELS } from "./panels/index.js";
import { MAPPINGS } from "./panels/state_timeline.js";
import { CELLS } from "./panels/table.js";
import { VARIABLE_TYPES } from "./variables.js";

const ANY = null;
const LAST = { "reduceOptions.calcs.*": ["lastNotNull"], "reduceOptions.values": [false] };
const LEGEND = { "legend.displayMode": ["list"], "legend.placement": ["bottom"], "legend.showLegend": ANY };
const TOOLTIP = { "tooltip.mode": ANY, "tooltip.sort": ANY };

const OPTIONS = {
  barchart: {
    ...LEGEND, ...TOOLTIP, barRadius: ANY, barWidth: ANY, fullHighlight: ANY, groupWidth: ANY, orientation: ["horizontal"],
    showValue: ANY, stacking: ["none"], xField: ANY, xTickLabelMaxLength: ANY, xTickLabelRotation: ANY, xTickLabelSpacing: ANY,
  },
  bargauge: {
    ...LEGEND, ...LAST, displayMode: ["basic"], maxVizHeight: ANY, minVizHeight: ANY, minVizWidth: ANY, namePlacement: ANY,
    orientation: ["horizontal"], showUnfilled: [true], sizing: ANY, valueMode: ANY,
  },
  heatmap: {
    ...TOOLTIP, calculate: [false], cellGap: ANY, "color.exponent": ANY, "color.fill": ["blue"], "color.mode": ["scheme"],
    "color.reverse": [false], "color.scheme": ["Blues"], "color.steps": ANY, "exemplars.color": ANY, "filterValues.le": ANY,
    "legend.show": ANY, selectionMode: ANY, showValue: ANY, "yAxis.unit": ANY,
  },
  row: {},
  stat: {
    ...LAST, colorMode: ["value"], graphMode: ["none"], justifyMode: ANY, orientation: ANY, percentChangeColorMode: ANY,
    showPercentChange: [false], textMode: ["value", "value_and_name"], wideLayout: ANY,
  },
  "state-timeline": { ...LEGEND, ...TOOLTIP, alignValue: ANY, mergeValues: ANY, perPage: ANY, rowHeight: ANY, showValue: ANY },
  table: {
    cellHeight: ANY, frameIndex: [0], showHeader: [true], showTypeIcons: [false],
  },
  timeseries: { ...LEGEND, ...TOOLTIP, "legend.calcs.*": ["lastNotNull"] },
  xychart: {
    ...LEGEND, ...TOOLTIP, mapping: ["manual"], "series.*.name.fixed": ANY, "series.*.x.matcher.id": ["byName"],
    "series.*.x.matcher.options": ANY, "series.*.y.matcher.id": ["byName"], "series.*.y.matcher.options": ANY,
  },
};

const CUSTOM = {
  barchart: { fillOpacity: ANY, gradientMode: ["none"], lineWidth: ANY },
  "state-timeline": { fillOpacity: ANY, lineWidth: [0] },
  table: { align: ["auto"], inspect: [false], "cellOptions.type": Object.keys(CELLS), "cellOptions.mode": ["basic"] },
  timeseries: {
    fillOpacity: ANY, lineWidth: ANY, showPoints: ["never"], "stacking.mode": ["normal"], "thresholdsStyle.mode": ["dashed", "off"],
    fillBelowTo: ANY, "hideFrom.legend": ANY, "hideFrom.tooltip": ANY, "hideFrom.viz": [false], "lineStyle.fill": ["dash", "dot", "solid"], "lineStyle.dash.*": ANY,
  },
  xychart: { fillOpacity: ANY, show: ["points", "lines"] },
};

const FIELD = {
  unit: ANY, min: ANY, max: ANY, noValue: ANY, "thresholds.mode": ["absolute"], "thresholds.steps.*.color": ["green", "orange", "red"],
  "thresholds.steps.*.value": ANY, "mappings.*.type": Object.keys(MAPPINGS), "mappings.*.options": ANY,
  "color.mode": ["fixed"], "color.fixedColor": ["red", "orange", "green", "blue", "purple"],
};

function* leaves(value, path = "") {
  if (path === "mappings.*.options" || value === null || typeof value !== "object") yield [path, value];
  else
    for (const [key, inner] of Object.entries(value))
      yield* leaves(inner, [path, Array.isArray(value) ? "*" : key].filter(Boolean).join("."));
}

function unknown(known, value, prefix) {
  return [...leaves(value)]
    .filter(([path, leaf]) => !(path in known) || (known[path] !== ANY && !known[path].includes(leaf)))
    .map(([path, leaf]) => `${prefix} ${path} = ${JSON.stringify(leaf)}`);
}

/** Texts that name what is not known of a panel; empty when it can be drawn as it is meant. */
export function findUnsupportedInPanel(panel) {
  if (!(panel.type in OPTIONS) || (panel.type !== "row" && !(panel.type in PANELS))) return [`panel type ${panel.type}`];
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  const { custom = {}, ...field } = defaults;
  return [
    ...unknown(OPTIONS[panel.type], panel.options ?? {}, "option"),
    ...unknown(CUSTOM[panel.type] ?? {}, custom, "custom"),
    ...unknown(FIELD, field, "field"),
    ...[defaults.unit].filter((unit) => unit && !isUnit(unit)).map((unit) => `unit ${unit}`),
    ...overrides.flatMap((override) => unknownInOverride(panel.type, override)),
    ...(panel.transformations ?? []).filter(({ id }) => !(id in TRANSFORMATIONS)).map(({ id }) => `transformation ${id}`),
  ];
}

function unknownInOverride(type, { matcher, properties }) {
  const matchers = matcher.id in MATCHERS ? [] : [`matcher ${matcher.id}`];
  return matchers.concat(
    properties.flatMap(({ id, value }) =>
      id.startsWith("custom.")
        ? unknown(CUSTOM[type] ?? {}, nest(id.slice("custom.".length), value), "custom")
        : [...unknown(FIELD, { [id]: value }, "field"), ...(id === "unit" && !isUnit(value) ? [`unit ${value}`] : [])],
    ),
  );
}

const nest = (path, value) => path.split(".").reduceRight((inner, key) => ({ [key]: inner }), value);

/** The same for a whole dashboard, its variables too. */
export function findUnsupported(dashboard) {
  const panels = dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
  return [
    ...dashboard.templating.list.filter(({ type }) => !(type in VARIABLE_TYPES)).map(({ type }) => `variable type ${type}`),
    ...panels.flatMap((panel) => findUnsupportedInPanel(panel).map((text) => `${panel.title}: ${text}`)),
  ];
}
