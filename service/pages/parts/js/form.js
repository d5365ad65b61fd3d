/** The input of one feature of the card, with its label, hint and place for what is wrong. */
function field(feature) {
  const { name, description, minimum, maximum } = feature;
  const range = minimum != null && maximum != null ? `${minimum.toLocaleString("en")} to ${maximum.toLocaleString("en")}` : "";
  const optional = feature.nullable ? "may be empty" : "";
  const hint = [description, range, optional].filter(Boolean).join(", ");
  const input = feature.type === "boolean" || feature.categories ? choice(feature) : number(feature);
  input.id = input.name = name;
  input.setAttribute("aria-describedby", `${name}-hint ${name}-problem`);
  return [
    element("label", { htmlFor: name }, words(name)),
    element("small", { id: `${name}-hint` }, hint),
    input,
    element("p", { id: `${name}-problem`, className: "problem" }),
  ];
}

function choice(feature) {
  const texts = feature.type === "boolean" ? ["false", "true"] : feature.categories;
  const options = texts.map((text) => new Option(text, text));
  return element("select", {}, ...(feature.nullable ? [new Option("not known", "")] : []), ...options);
}

const number = () => element("input", { inputMode: "decimal", autocomplete: "off" });

/** What the service is sent. What is no number is sent as it is: the service says what is wrong. */
function valueOf(feature) {
  const text = get(feature.name).value.trim();
  if (text === "" && feature.nullable) return null;
  if (feature.type === "category") return text;
  if (feature.type === "boolean") return text === "true";
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

const read = (features) => Object.fromEntries(features.map((each) => [each.name, valueOf(each)]));

function fill(features, transaction) {
  clearProblems(features);
  for (const { name } of features) get(name).value = transaction[name] ?? "";
}

function clearProblems(features) {
  get("problem").textContent = "";
  for (const { name } of features) {
    get(name).removeAttribute("aria-invalid");
    get(`${name}-problem`).textContent = "";
  }
}

/** Beside the field that was refused, which gets the focus, else below the form. */
function showProblem(features, error) {
  const refused = features.find(({ name }) => name === error.field);
  if (!refused) {
    get("problem").textContent = error.message;
    return;
  }
  get(`${refused.name}-problem`).textContent = error.message;
  get(refused.name).setAttribute("aria-invalid", "true");
  get(refused.name).focus();
}
