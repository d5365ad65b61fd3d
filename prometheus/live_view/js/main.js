/** The page: reads the dashboards once, then asks and draws again and again. */

import { addressOf, readAddress } from "./address.js";
import { readFiring, showFiring } from "./alerts.js";
import { readAnnotations } from "./annotations.js";
import { Card } from "./card.js";
import { applyTheme, showControls } from "./controls.js";
import { readDashboards, sections } from "./dashboards.js";
import { element } from "./dom.js";
import { Refused, queryRange } from "./prometheus.js";
import { findUnsupported } from "./support.js";
import { durationSeconds, fittingRange, timeSpan } from "./time.js";
import { readChoices, replacer } from "./variables.js";
import { showTrace } from "./waterfall.js";

const byId = (id) => document.getElementById(id);
const RETRY_SECONDS = 5;

class Page {
  #dashboards;
  #dashboard;
  #shown;
  #rows = [];
  #timer;
  #turn = 0;

  /** Shows what the address says. */
  async open() {
    this.#dashboards ??= await readDashboards();
    this.#shown = readAddress();
    const asked = this.#dashboards.find(({ uid }) => uid === this.#shown.uid);
    this.#dashboard = asked ?? this.#dashboards[0];
    this.#shown.uid = this.#dashboard.uid;
    document.title = byId("title").textContent = this.#dashboard.title;
    this.#build();
    await this.refresh();
    this.#markTarget();
  }

  /** The panel that the address names; `:target` does not see what was made after loading. */
  #markTarget() {
    const target = document.getElementById(location.hash.slice(1));
    target?.classList.add("target");
    target?.scrollIntoView();
  }

  #build() {
    this.#showMenu();
    this.#rows = sections(this.#dashboard).map(({ row, panels }) => {
      const cards = panels.map((panel) => new Card(panel));
      const grid = element("div", { className: "grid" }, ...cards.map((card) => card.element));
      const summary = element("summary", { textContent: row?.title ?? "" });
      const details = element("details", { className: "row", open: !row?.collapsed }, summary, grid);
      if (row?.collapsed) details.addEventListener("toggle", () => details.open && this.refresh());
      return { details, cards };
    });
    byId("panels").replaceChildren(...this.#rows.map(({ details }) => details));
  }

  #showMenu() {
    const { job } = this.#shown.chosen;
    const chosen = job ? { job } : {};
    const links = this.#dashboards.map(({ uid, title }) => {
      const link = element("a", { href: addressOf({ uid, chosen }), textContent: title.split(": ").at(-1) });
      if (uid === this.#shown.uid) link.setAttribute("aria-current", "page");
      return link;
    });
    byId("dashboards").replaceChildren(...links);
  }

  #openCards() {
    return this.#rows.filter(({ details }) => details.open).flatMap(({ cards }) => cards);
  }

  /** Asks for everything that is in sight, draws it, and comes back later. */
  async refresh() {
    clearTimeout(this.#timer);
    const turn = ++this.#turn;
    let pause = durationSeconds(this.#dashboard.refresh);
    try {
      const began = performance.now();
      await this.#draw(turn);
      this.#report("", `${new Date().toLocaleTimeString("en-GB")} · ${Math.round(performance.now() - began)} ms`);
    } catch (error) {
      pause = RETRY_SECONDS;
      const advice = "What is below is from before; this page goes on asking. Does it run? ./start_mlops.sh status";
      this.#report(`Prometheus does not answer (${error.message}). ${advice}`, "");
    }
    if (turn === this.#turn) this.#timer = setTimeout(() => this.refresh(), 1000 * pause);
  }

  async #draw(turn) {
    const variables = this.#dashboard.templating.list;
    const from = this.#shown.from || (await this.#ownRange());
    const span = timeSpan(from);
    const [choices, firing] = await Promise.all([readChoices(variables, this.#shown.chosen, span), readFiring()]);
    const shown = { ...this.#shown, from };
    const context = { span, shown, replace: replacer(variables, this.#shown.chosen, span) };
    context.annotations = await readAnnotations(this.#dashboard, context).catch(ignoreRefused);
    if (turn !== this.#turn) return;
    showFiring(byId("alerts"), firing, this.#dashboards, shown);
    showControls(byId("controls"), this.#dashboard, choices, this.#shown, from, (next) => this.#go(next));
    await Promise.all(this.#openCards().map((card) => card.update(context)));
    document.documentElement.dataset.drawn = String(turn);
  }

  /** While nobody has chosen one: the dashboard's, or after a first start what there is by now. */
  async #ownRange() {
    const own = this.#dashboard.time.from;
    const span = timeSpan(own);
    const [scraped] = await queryRange("count(up)", { ...span, step: Math.ceil(span.range / 60) });
    return fittingRange(own, scraped?.values[0][0]);
  }

  #report(problem, state) {
    const unknown = findUnsupported({ ...this.#dashboard, panels: [] });
    const more = unknown.length ? ` This page does not know: ${unknown.join(", ")}.` : "";
    byId("problem").textContent = problem + more;
    if (state) byId("state").textContent = state;
  }

  #go(shown) {
    history.pushState(null, "", addressOf(shown));
    this.open();
  }

  redraw() {
    for (const card of this.#openCards()) card.redraw();
  }
}

function ignoreRefused(error) {
  if (!(error instanceof Refused)) throw error;
  return [];
}

/** From a dot, from the field above, or from the page's address: ?trace=ID. */
function listenForTraces() {
  const show = (id) => showTrace(byId("trace"), id);
  addEventListener("trace", ({ detail }) => show(detail));
  byId("find").addEventListener("submit", (event) => {
    event.preventDefault();
    show(new FormData(event.target).get("id"));
  });
  const asked = new URLSearchParams(location.search).get("trace");
  if (asked) show(asked);
}

async function start() {
  applyTheme();
  const page = new Page();
  for (const event of ["resize", "themechange"]) addEventListener(event, () => page.redraw());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => page.redraw());
  addEventListener("popstate", () => page.open());
  listenForTraces();
  try {
    await page.open();
  } catch (error) {
    byId("problem").textContent = `The dashboards cannot be read (${error.message}). This page tries again.`;
    setTimeout(() => location.reload(), 1000 * RETRY_SECONDS);
  }
}

start();
