const EVERY_MS = 5000;
const RATE_SECONDS = 60;
const SHARE_SECONDS = 300;
// Fires as long as all is well: a heartbeat.
const HEARTBEAT = "Watchdog";
// Alerts of these concern every service that they watch.
const OF_THE_STACK = ["prometheus", "otel-collector", "alertmanager"];
const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const STACK = {
  building: "What watches this service is still being made, once; dashboards and alerts follow:",
  unwatched: "Nothing watches this service: no dashboards, no alerts. The figures above are its own.",
};
const UNWATCHED = { building: "nobody looks yet", unwatched: "nobody looks" };

// The counts that were answered lately, oldest first.
let seen = [];

async function refreshNow() {
  try {
    const stats = await call("/stats");
    remember(stats);
    showStats(stats);
    showStack(stats.stack);
    get("now-state").textContent = `${CLOCK.format(new Date())}, of all workers; share and P95 ${lately(stats).said}; refreshed every ${EVERY_MS / 1000} s`;
  } catch (error) {
    const still = seen.length ? " The figures are old." : "";
    get("now-state").textContent = `${error.message}${still}`;
    if (error.status === 401) showTokenHint();
  }
}

/** Without taking the focus from whoever is typing. */
function showTokenHint() {
  get("access").hidden = false;
  get("token-why").textContent = "The figures above want a token that opens /metrics.";
  get("access").onsubmit = (event) => {
    event.preventDefault();
    token = get("token").value.trim();
    get("access").hidden = true;
    refreshNow();
  };
}

function remember(stats) {
  const last = seen.at(-1);
  if (last && total(last) > total(stats)) seen = [];
  seen = [...seen.filter(({ time }) => stats.time - time <= SHARE_SECONDS), stats];
}

const total = ({ predictions }) => Object.values(predictions).reduce((sum, count) => sum + count, 0);

function showStats(stats) {
  const early = seen.find(({ time }) => stats.time - time <= RATE_SECONDS);
  const seconds = stats.time - early.time;
  get("now-rate").textContent = seconds > 0 ? `${((total(stats) - total(early)) / seconds).toFixed(2)} /s` : "…";
  const { since } = lately(stats);
  const scored = total(stats) - total(since);
  get("now-fraud").textContent = scored ? percent((stats.predictions.fraud - since.predictions.fraud) / scored) : "none scored";
  const p95 = quantile(0.95, stats.predict_seconds, since.predict_seconds);
  get("now-p95").textContent = p95 === null ? "nobody asked" : `${(1000 * p95).toFixed(1)} ms`;
  get("now-model").textContent = stats.model_version;
}

/** What the start of the stack says of itself; nothing where everything is there, or nobody says. */
function showStack(stack) {
  const place = get("now-stack");
  const said = STACK[stack?.state];
  place.hidden = !said;
  if (!said) return;
  place.querySelector("p").textContent = said;
  place.querySelector("ul").replaceChildren(...stack.lines.map((line) => element("li", {}, line)));
}

/** The counts of five minutes ago; of the start of the service while too little was seen since: a share of
 * the three predictions that came since the page was opened says nothing. */
function lately(stats) {
  const nothing = {
    predictions: Object.fromEntries(Object.keys(stats.predictions).map((name) => [name, 0])),
    predict_seconds: {},
  };
  const seconds = stats.time - seen[0].time;
  return seconds >= RATE_SECONDS && total(seen[0]) < total(stats)
    ? { since: seen[0], said: `of the last ${seconds < 2 * RATE_SECONDS ? "minute" : `${Math.floor(seconds / 60)} minutes`}` }
    : { since: nothing, said: "since its start" };
}

/** As Prometheus' histogram_quantile: evenly between the bounds of the bucket that holds it. */
function quantile(share, upTo, before) {
  const bound = (text) => (text === "+Inf" ? Infinity : Number(text));
  const buckets = Object.keys(upTo)
    .map((text) => [bound(text), upTo[text] - (before[text] ?? 0)])
    .sort(([one], [other]) => one - other);
  const wanted = share * buckets.at(-1)[1];
  let [lower, below] = [0, 0];
  for (const [upper, count] of buckets) {
    if (count >= wanted && count > below) {
      return upper === Infinity ? lower : lower + ((upper - lower) * (wanted - below)) / (count - below);
    }
    [lower, below] = [upper, count];
  }
  return null;
}

/** One Alertmanager may serve several services: those of others are not ours. */
function concernsUs({ labels: { job } }) {
  const own = seen.at(-1)?.job;
  return !own || !job || job === own || OF_THE_STACK.includes(job);
}

/** Asked of Alertmanager itself, as it would send it: silenced ones left out. */
async function refreshFiring() {
  const place = get("now-firing");
  const { alerts } = document.body.dataset;
  if (!alerts) {
    place.replaceChildren(element("small", {}, "set ALERTMANAGER_EXTERNAL_URL to see it here"));
    return;
  }
  const unwatched = UNWATCHED[seen.at(-1)?.stack?.state];
  if (unwatched) {
    place.className = "";
    place.replaceChildren(element("small", {}, unwatched));
    return;
  }
  try {
    const response = await fetch(`${alerts}/api/v2/alerts?active=true&silenced=false&inhibited=false`);
    const names = (await response.json()).filter(concernsUs).map(({ labels }) => labels.alertname);
    const firing = [...new Set(names)].filter((name) => name !== HEARTBEAT).sort();
    place.textContent = firing.join(", ") || "nothing";
    place.className = firing.length ? "act" : "";
  } catch {
    place.className = "";
    place.replaceChildren("cannot be reached from here: ", element("a", { href: alerts }, "Alertmanager"));
  }
}

function watch() {
  // First who this service is, then what fires of it.
  refreshNow().then(refreshFiring);
  setInterval(() => document.hidden || refreshNow(), EVERY_MS);
  setInterval(() => document.hidden || refreshFiring(), 3 * EVERY_MS);
}
