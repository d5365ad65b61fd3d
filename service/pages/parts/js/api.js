/** What the service refused, as it says it. */
class Refusal extends Error {
  constructor(status, { type, message, field }) {
    super(message);
    Object.assign(this, { status, type, field });
  }
}

// Kept as long as the page is open, and sent to this service alone.
let token = "";

/** The answer's JSON value and headers; a Refusal, or an Error when nobody answers. */
async function ask(path, body, headers = {}) {
  const options = { headers: { ...headers }, cache: "no-store" };
  if (token) options.headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options).catch(() => {
    throw new Error("The service does not answer.");
  });
  const answer = await response.json().catch(() => null);
  if (response.ok) return { answer, headers: response.headers };
  throw new Refusal(response.status, answer?.error ?? { message: `The service answered ${response.status}.` });
}

const call = async (path, body) => (await ask(path, body)).answer;

/** Ask for the token that a refusal names; `retry` is what was refused. */
function askForToken(refusal, retry) {
  const form = get("access");
  form.hidden = false;
  get("token-why").textContent = `${refusal.message}.`;
  form.onsubmit = (event) => {
    event.preventDefault();
    token = get("token").value.trim();
    form.hidden = true;
    retry();
  };
  get("token").focus();
}
