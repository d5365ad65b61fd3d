/** Values as people read them, in Grafana's units. */

const significant = (value, digits = 3) =>
  Math.abs(value) >= 1000
    ? Math.round(value).toLocaleString("en")
    : String(Number(value.toPrecision(digits)));

/** In parts of a hundred, digits behind the hundredth are chance. */
function percent(value) {
  const size = Math.abs(value);
  if (size >= 1000) return `${significant(value)} %`;
  const rounded = Number(value.toFixed(size >= 10 ? 1 : 2));
  return `${rounded === 0 && value !== 0 ? significant(value, 1) : rounded} %`;
}

function seconds(value) {
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  if (size < 1) return `${significant(1000 * value)} ms`;
  if (size < 120) return `${significant(value)} s`;
  if (size < 7200) return `${significant(value / 60)} min`;
  if (size < 172800) return `${significant(value / 3600)} h`;
  return `${significant(value / 86400)} d`;
}

function bytes(value) {
  const power = value ? Math.min(4, Math.floor(Math.log2(Math.abs(value)) / 10)) : 0;
  return `${significant(value / 1024 ** power)} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
}

/** One for each unit that can be written. */
export const UNITS = {
  short: significant,
  percent,
  percentunit: (value) => percent(100 * value),
  s: seconds,
  bytes,
};

/** True for a unit of the table and for `suffix:…`. */
export const isUnit = (unit) => unit.startsWith("suffix:") || unit in UNITS;

/** The value with its unit; a dash where there is none. */
export function format(value, unit = "short") {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  if (unit.startsWith("suffix:")) return significant(value) + unit.slice("suffix:".length);
  return (UNITS[unit] ?? significant)(value);
}
