/** One trace over the page: its spans below each other, each with a bar at its time. */

import { element } from "./dom.js";
import { format } from "./format.js";
import { NoTrace, readTrace } from "./traces.js";

// What is said of a span's attributes, and how; the terminal says the same (stack/traces/waterfall.py).
const TOLD = {
  "http.response.status_code": "{}",
  "error.type": "{}",
  "prediction.class_name": "{}",
  "prediction.risk_level": "{} risk",
  "prediction.count": "{} scored",
  "model.version": "model {}",
};

/** Shows the trace in the dialog, or why it cannot be shown. */
export async function showTrace(dialog, id) {
  const close = element("button", { type: "button", textContent: "Close" });
  close.addEventListener("click", () => dialog.close());
  let content;
  try {
    content = draw(await readTrace(id));
  } catch (error) {
    content = [element("p", { textContent: error instanceof NoTrace ? error.message : `The traces cannot be read (${error.message}).` })];
  }
  dialog.replaceChildren(element("header", {}, element("h2", { textContent: "Trace" }), close), ...content);
  if (!dialog.open) dialog.showModal();
}

function draw(spans) {
  const begin = spans[0].start;
  const end = spans.reduce((last, span) => (span.end > last ? span.end : last), begin);
  const [first] = inOrder(spans);
  const when = new Date(Number(begin / 1_000_000n)).toLocaleString("en-GB");
  const head = `${first.span.service} · ${when} · ${seconds(end - begin)} · ${first.span.traceId}`;
  const rows = inOrder(spans).map(({ span, depth }) => row(span, depth, begin, Math.max(Number(end - begin), 1)));
  return [element("p", { textContent: head }), element("table", {}, element("tbody", {}, ...rows))];
}

function row(span, depth, begin, whole) {
  const bar = element("i", { className: span.failed ? "red" : "" });
  bar.style.marginLeft = `${(100 * Number(span.start - begin)) / whole}%`;
  bar.style.width = `${(100 * Number(span.end - span.start)) / whole}%`;
  const name = element("th", { scope: "row", className: "label", textContent: span.name });
  name.style.paddingLeft = `${depth + 0.5}em`;
  const told = Object.entries(TOLD)
    .filter(([key]) => key in span.attributes)
    .map(([key, text]) => text.replace("{}", span.attributes[key]));
  return element(
    "tr",
    {},
    name,
    element("td", { className: "track" }, bar),
    element("td", { textContent: seconds(span.end - span.start) }),
    element("td", { className: "label", textContent: [...(span.failed ? ["failed"] : []), ...told].join(" · ") }),
  );
}

/** [{span, depth}]: each after its parent; one whose parent is not there is a first one. */
function inOrder(spans) {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const below = (parents, depth) =>
    parents.flatMap((span) => [
      { span, depth },
      ...below(spans.filter(({ parentId }) => parentId === span.spanId), depth + 1),
    ]);
  return below(spans.filter(({ parentId }) => !known.has(parentId)), 0);
}

const seconds = (nanoseconds) => format(Number(nanoseconds) / 1e9, "s");
