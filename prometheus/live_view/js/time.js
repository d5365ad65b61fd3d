/** The time that is shown. */

export const RANGES = [
  ["now-15m", "15 min"], ["now-30m", "30 min"], ["now-1h", "1 h"], ["now-6h", "6 h"],
  ["now-24h", "24 h"], ["now-7d", "7 d"],
];
// A push or scrape each 15 s: `timeInterval` in grafana/provisioning/datasources/datasources.yml.
export const PUSH_SECONDS = 15;
const POINTS = 240;
const SECONDS = { s: 1, m: 60, h: 3600, d: 86400 };

/** "15s", "6h", "7d" in seconds. */
export const durationSeconds = (text) => parseInt(text, 10) * SECONDS[text.at(-1)];

/** start, end, range and step in seconds. The end is the last push, not a multiple of the step: over
 * seven days that would leave out the newest forty minutes, and all of them after a first start. */
export function timeSpan(from, now = Date.now() / 1000) {
  const range = durationSeconds(from.slice("now-".length));
  const step = Math.max(PUSH_SECONDS, Math.ceil(range / POINTS / PUSH_SECONDS) * PUSH_SECONDS);
  const end = Math.floor(now / PUSH_SECONDS) * PUSH_SECONDS;
  return { range, step, end, start: end - range };
}

// Of the range: with less than a third of it filled, a shorter one says more.
const FILLED = 3;

/** The range, or the shortest offered that shows everything since `first`, where that is far less. */
export function fittingRange(from, first, now = Date.now() / 1000) {
  const wide = durationSeconds(from.slice("now-".length));
  const age = now - (first ?? now - wide);
  const fits = RANGES.find(([range]) => durationSeconds(range.slice("now-".length)) >= age);
  return FILLED * age < wide && fits ? fits[0] : from;
}

/** What Grafana's Prometheus data source puts in the place of its own variables. */
export const builtIns = ({ range, step }) => ({
  __interval: `${step}s`,
  __rate_interval: `${Math.max(step + PUSH_SECONDS, 4 * PUSH_SECONDS)}s`,
  __range: `${range}s`,
});
