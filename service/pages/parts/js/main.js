// A model without stored background rows has no reasons: asked once, then no more.
let explained = true;

async function score(info) {
  clearProblems(info.features);
  try {
    const { answer, headers } = await predict(info);
    showAnswer(answer, info, traceOf(headers));
    refreshNow();
  } catch (error) {
    showProblem(info.features, error);
    if (error.status === 401) askForToken(error, () => score(info));
  }
}

async function predict(info) {
  const headers = { traceparent: newTrace() };
  try {
    return await ask(`/predict?explain=${explained}`, read(info.features), headers);
  } catch (error) {
    if (error.status !== 503 || !explained) throw error;
    explained = false;
    return ask("/predict?explain=false", read(info.features), headers);
  }
}

function offerExamples(info) {
  const buttons = Object.entries(info.examples).map(([name, transaction]) => {
    const button = element("button", { type: "button" }, words(name));
    button.onclick = () => {
      fill(info.features, transaction);
      score(info);
    };
    return button;
  });
  get("examples").append("Try: ", ...buttons);
}

async function start() {
  watch();
  const info = await call("/model_info");
  get("fields").append(...info.features.flatMap(field));
  fill(info.features, Object.values(info.examples)[0] ?? {});
  offerExamples(info);
  get("form").addEventListener("submit", (event) => {
    event.preventDefault();
    score(info);
  });
}

start().catch((error) => (get("problem").textContent = error.message));
