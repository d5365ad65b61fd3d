const MOST_REASONS = 10;

/** A waterfall: from the base value over each feature's contribution to the score. */
function showReasons({ explanation, fraud_probability: probability }) {
  get("why").hidden = !explanation;
  if (!explanation) return;
  const steps = shorten(Object.entries(explanation.contributions));
  let level = explanation.base_value;
  const drawn = steps.map(([name, change]) => {
    const from = level;
    level += change;
    return { name: words(name), from, to: level, text: points(change), kind: change < 0 ? "down" : "up" };
  });
  const rows = [
    { name: "base value", from: 0, to: explanation.base_value, text: percent(explanation.base_value), kind: "ends" },
    ...drawn,
    { name: "score", from: 0, to: probability, text: percent(probability), kind: "ends" },
  ];
  const levels = rows.flatMap(({ from, to }) => [from, to]);
  const [low, high] = [Math.min(...levels), Math.max(...levels, 1e-9)];
  get("reasons").replaceChildren(element("tbody", {}, ...rows.map((row) => reason(row, low, high))));
}

/** The largest first; what is beyond the limit is added up. */
function shorten(contributions) {
  const sorted = contributions.sort((one, other) => Math.abs(other[1]) - Math.abs(one[1]));
  if (sorted.length <= MOST_REASONS) return sorted;
  const rest = sorted.slice(MOST_REASONS - 1);
  const sum = rest.reduce((total, [, change]) => total + change, 0);
  return [...sorted.slice(0, MOST_REASONS - 1), [`the other ${rest.length} features`, sum]];
}

function reason({ name, from, to, text, kind }, low, high) {
  const bar = element("i", { className: kind });
  const place = (level) => (100 * (level - low)) / (high - low);
  bar.style.left = `${Math.min(place(from), place(to))}%`;
  bar.style.width = `${Math.abs(place(to) - place(from))}%`;
  const track = element("div", { className: "track", ariaHidden: "true" }, bar);
  return element(
    "tr",
    { className: kind === "ends" ? "ends" : "" },
    element("th", { scope: "row" }, name),
    element("td", {}, track),
    element("td", {}, text),
  );
}
