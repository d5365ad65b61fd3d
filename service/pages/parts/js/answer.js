/** A trace that begins here; its flag asks for it to be kept, which a public service does not heed. */
function newTrace() {
  const hex = (bytes) =>
    [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `00-${hex(16)}-${hex(8)}-01`;
}

/** The id of the trace that the service made of it, as it says itself. */
const traceOf = (headers) => headers.get("traceresponse")?.split("-")[1] ?? "none";

/** A link where somebody said where traces are seen. */
function showTrace(id) {
  const code = element("code", {}, id);
  const { traces } = document.body.dataset;
  return traces ? element("a", { href: traces + id }, code) : code;
}

function showAnswer(answer, info, traceId) {
  const { fraud_probability: probability, risk_level: risk } = answer;
  get("empty").hidden = true;
  get("answer").hidden = false;
  get("decision").textContent = `${answer.prediction}, ${percent(probability)}`;
  get("decision").className = get("gauge").className = risk;
  drawGauge(probability, info.threshold);
  get("facts").replaceChildren(
    ...terms([
      ["risk", risk],
      ["user type", answer.user_type],
      ["model", answer.model_version],
      ["request id", element("code", {}, answer.request_id)],
      ["trace id", showTrace(traceId)],
    ]),
  );
  showReasons(answer);
  offerLabels(answer);
  comeIntoSight();
}

function drawGauge(probability, threshold) {
  get("level").style.width = `${100 * probability}%`;
  get("gauge").setAttribute("aria-valuenow", (100 * probability).toFixed(2));
  get("gauge").setAttribute("aria-valuetext", percent(probability));
  get("threshold").style.left = `${100 * threshold}%`;
  get("threshold-label").textContent = `fraud from ${percent(threshold)} on`;
}

/** On a phone the answer stands below the form. */
function comeIntoSight() {
  const title = get("answer-title");
  const { top } = title.getBoundingClientRect();
  if (top < 0 || top > 0.6 * innerHeight) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    title.scrollIntoView({ behavior: still ? "auto" : "smooth" });
  }
  title.focus({ preventScroll: true });
}
