/** The last kept traces: files beside this page, which the native Collector writes in OTLP/JSON. */

const FOLDER = new URL("../traces/", import.meta.url);
const LEAST = 4;
const ERROR = 2;

/** No trace can be shown; the message says why. */
export class NoTrace extends Error {}

async function read(url) {
  const answer = await fetch(url, { cache: "no-store" });
  if (!answer.ok) throw new NoTrace("No traces are kept in files here; with Docker they are in Grafana (Explore, Tempo).");
  return answer.text();
}

/** The spans of the trace whose id begins so, in the order in which they began; raises NoTrace. */
export async function readTrace(wanted) {
  const id = wanted.trim().toLowerCase();
  if (!/^[0-9a-f]{1,32}$/.test(id) || id.length < LEAST) throw new NoTrace(`"${wanted}" is no trace's id.`);
  const found = (await readFiles()).flatMap((text) => spansIn(text, id));
  const spans = [...new Map(found.map((span) => [span.spanId, span])).values()];
  if (new Set(spans.map(({ traceId }) => traceId)).size > 1) throw new NoTrace(`"${id}" is not enough: give more of the id.`);
  if (!spans.length) throw new NoTrace(`Trace ${id} is not kept: it was not sampled, its files are full of newer ones, or it comes in seconds.`);
  return spans.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
}

/** Prometheus lists the folder as links. */
async function readFiles() {
  const list = new DOMParser().parseFromString(await read(FOLDER), "text/html");
  const names = [...list.querySelectorAll('a[href$=".jsonl"]')].map((link) => link.getAttribute("href"));
  return Promise.all(names.map((name) => read(new URL(name, FOLDER))));
}

function spansIn(text, id) {
  const exported = text.split("\n").filter((line) => line.includes(`"traceId":"${id}`)).flatMap(parse);
  return exported.filter(({ traceId }) => traceId.startsWith(id));
}

/** The spans of a line; one that is cut off has none. */
function parse(line) {
  try {
    return JSON.parse(line).resourceSpans.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans.map((span) => toSpan(span, attributes(resource)))),
    );
  } catch {
    return [];
  }
}

/** Times are nanoseconds: more digits than a number has. */
const toSpan = (span, resource) => ({
  traceId: span.traceId,
  spanId: span.spanId,
  parentId: span.parentSpanId ?? "",
  name: span.name,
  start: BigInt(span.startTimeUnixNano),
  end: BigInt(span.endTimeUnixNano),
  failed: span.status?.code === ERROR,
  service: resource["service.name"] ?? "",
  attributes: attributes(span),
});

const attributes = (holder) =>
  Object.fromEntries((holder?.attributes ?? []).map(({ key, value }) => [key, String(Object.values(value)[0] ?? "")]));
