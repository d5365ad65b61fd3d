/** Every type of panel that can be drawn: `read` asks Prometheus, `draw` shows the answer. */

import { groups, histogram } from "./bars.js";
import * as heatmap from "./heatmap.js";
import * as stat from "./stat.js";
import * as stateTimeline from "./state_timeline.js";
import * as table from "./table.js";
import * as timeseries from "./timeseries.js";
import * as xychart from "./xychart.js";

export const PANELS = {
  barchart: groups,
  bargauge: histogram,
  heatmap,
  stat,
  "state-timeline": stateTimeline,
  table,
  timeseries,
  xychart,
};
