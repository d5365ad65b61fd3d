/** Grafana's published types for JSON: an enum is the values of its members, and of a panel's own
 * options and field options each may be left out, as Grafana fills them in. */

import type {
  Dashboard,
  FieldConfig,
  FieldConfigSource,
  Panel,
  RowPanel,
} from "@grafana/schema/dist/types/raw/dashboard/x/types.gen";
import type * as barchart from "@grafana/schema/dist/types/raw/composable/barchart/panelcfg/x/types.gen";
import type * as bargauge from "@grafana/schema/dist/types/raw/composable/bargauge/panelcfg/x/types.gen";
import type * as heatmap from "@grafana/schema/dist/types/raw/composable/heatmap/panelcfg/x/types.gen";
import type * as stat from "@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen";
import type * as statetimeline from "@grafana/schema/dist/types/raw/composable/statetimeline/panelcfg/x/types.gen";
import type * as table from "@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen";
import type * as timeseries from "@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen";
import type * as xychart from "@grafana/schema/dist/types/raw/composable/xychart/panelcfg/x/types.gen";
import type { Prometheus } from "@grafana/prometheus/dist/types/dataquery";

type NumberOf<T extends number> = `${T}` extends `${infer N extends number}` ? N : number;
type Json<T> = unknown extends T
  ? T
  : T extends string
    ? `${T}`
    : T extends number
      ? NumberOf<T>
      : T extends readonly (infer One)[]
        ? Json<One>[]
        : T extends object
          ? { [Key in keyof T]: Json<T[Key]> }
          : T;
type Optional<T> = T extends readonly (infer One)[]
  ? Optional<One>[]
  : T extends object
    ? { [Key in keyof T]?: Optional<T[Key]> }
    : T;

type Overrides = Omit<Json<FieldConfigSource>["overrides"][number], "properties"> & {
  properties: { id: keyof FieldConfig | `custom.${string}`; value?: unknown }[];
};
/** A panel of one type: its own options, and its own part of the field options. */
type Typed<Type extends string, Options, Custom = Record<string, never>> = Omit<
  Json<Panel>,
  "type" | "options" | "fieldConfig" | "targets"
> & {
  type: Type;
  options: Optional<Json<Options>>;
  fieldConfig: {
    // The first step has no value in JSON: it is below all others.
    defaults: Omit<Json<FieldConfig>, "custom" | "thresholds"> & {
      custom?: Optional<Json<Custom>>;
      thresholds?: { mode: "absolute" | "percentage"; steps: { value: number | null; color: string }[] };
    };
    overrides: Overrides[];
  };
  targets: (Optional<Json<Prometheus>> & { refId: string })[];
};

export interface Panels {
  row: Omit<Json<RowPanel>, "panels"> & { panels: [] };
  barchart: Typed<"barchart", barchart.Options, barchart.FieldConfig>;
  bargauge: Typed<"bargauge", bargauge.Options>;
  heatmap: Typed<"heatmap", heatmap.Options, heatmap.FieldConfig>;
  stat: Typed<"stat", stat.Options>;
  "state-timeline": Typed<"state-timeline", statetimeline.Options, statetimeline.FieldConfig>;
  table: Typed<"table", table.Options, table.FieldConfig>;
  timeseries: Typed<"timeseries", timeseries.Options, timeseries.FieldConfig>;
  xychart: Typed<"xychart", xychart.Options, xychart.FieldConfig>;
}

/** What an annotation asks is its data source's own. */
type Annotation = NonNullable<NonNullable<Json<Dashboard>["annotations"]>["list"]>[number] & {
  expr: string;
  step?: string;
  titleFormat?: string;
};
/** The Foundation SDK gives every variable what a variable of intervals has. */
type Variable = NonNullable<NonNullable<Json<Dashboard>["templating"]>["list"]>[number] & {
  definition?: string;
  auto?: false;
  auto_min?: string;
  auto_count?: number;
};
export type Board = Omit<Json<Dashboard>, "panels" | "annotations" | "templating"> & {
  panels: [];
  annotations: { list: Annotation[] };
  templating: { list: Variable[] };
};
