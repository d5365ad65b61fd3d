/** The HTTP API of the Prometheus that serves this page. */

const API = new URL("../../api/v1/", import.meta.url);
const TIMEOUT = 30_000;

/** Prometheus did not answer at all, or not as itself. */
export class Unreachable extends Error {}
/** Prometheus answered that it cannot do this. */
export class Refused extends Error {}

async function call(path, parameters, method) {
  const url = new URL(path, API);
  const body = new URLSearchParams(parameters);
  if (method === "GET") url.search = body;
  let answer;
  let content;
  try {
    const signal = AbortSignal.timeout(TIMEOUT);
    answer = await fetch(url, method === "GET" ? { signal } : { method, body, signal });
    content = await answer.json();
  } catch (error) {
    throw new Unreachable(answer ? `status ${answer.status}` : error.message);
  }
  if (content.status !== "success") throw new Refused(content.error ?? `status ${answer.status}`);
  return content.data;
}

/** The series of an instant query: [{metric, value: [time, text]}]. */
export const query = async (expression, time) =>
  (await call("query", { query: expression, time }, "POST")).result;

/** The series of a range query: [{metric, values: [[time, text], …]}]. */
export const queryRange = async (expression, { start, end, step }) =>
  (await call("query_range", { query: expression, start, end, step }, "POST")).result;

/** [{time, value, labels}] of the requests that were kept as examples. */
export async function queryExemplars(expression, { start, end }) {
  const found = await call("query_exemplars", { query: expression, start, end }, "POST");
  return found.flatMap((series) =>
    series.exemplars.map((one) => ({ time: one.timestamp, value: Number(one.value), labels: one.labels })),
  );
}

/** The values of a label over the series of a selector, within the time. */
export const labelValues = (label, selector, { start, end }) =>
  call(`label/${label}/values`, { "match[]": selector, start, end }, "GET");

/** Every pending and firing alert. */
export const alerts = async () => (await call("alerts", {}, "GET")).alerts;
