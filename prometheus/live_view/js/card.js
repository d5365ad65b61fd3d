/** The frame of a panel: title, link, description and queries, then what its type draws. */

import { followLink } from "./address.js";
import { element } from "./dom.js";
import { PANELS } from "./panels/index.js";
import { Unreachable } from "./prometheus.js";
import { findUnsupportedInPanel } from "./support.js";

const SCROLLED = ["barchart", "bargauge", "table"];

/** A card that draws its panel when told to. */
export class Card {
  #panel;
  #drawn;
  #answered;
  #title = element("h2");
  #why = element("details", { className: "why" });
  #body = element("div", { className: "body" });
  #foot = element("div", { className: "legend" });

  constructor(panel) {
    this.#panel = panel;
    this.element = element(
      "section",
      { className: `panel ${panel.type}`, id: `panel-${panel.id}` },
      element("header", {}, this.#title, this.#why),
      this.#body,
      this.#foot,
    );
    // These may be longer than the card: the keyboard must be able to scroll them.
    if (SCROLLED.includes(panel.type)) this.#body.tabIndex = 0;
    this.element.style.setProperty("--w", panel.gridPos.w);
    this.element.style.setProperty("--h", panel.gridPos.h);
    this.#why.append(element("summary", { textContent: "?" }));
  }

  /** Asks and draws; raises Unreachable, and says everything else itself. */
  async update(context) {
    this.#head(context);
    const unknown = findUnsupportedInPanel(this.#panel);
    if (unknown.length) return this.#say(`This page cannot draw: ${unknown.join(", ")}.`, "failed");
    try {
      this.#answered = { answer: await PANELS[this.#panel.type].read(this.#panel, context), context };
    } catch (error) {
      if (error instanceof Unreachable) throw error;
      return this.#say(error.message, "failed");
    }
    return this.redraw();
  }

  /** Draws the last answer again, as after a change of size or colours. */
  redraw() {
    if (!this.#answered) return;
    const { answer, context } = this.#answered;
    if (answer.isEmpty) return this.#say(this.#panel.fieldConfig.defaults.noValue, "");
    const { draw } = PANELS[this.#panel.type];
    if (this.#body.querySelector(".empty")) this.#clear();
    const parts = { panel: this.#panel, body: this.#body, foot: this.#foot, answer, context };
    this.#drawn = draw({ ...parts, previous: this.#drawn });
  }

  #head({ replace, shown }) {
    const title = replace(this.#panel.title);
    const [link] = this.#panel.links ?? [];
    this.#title.replaceChildren(
      link ? element("a", { href: followLink(link.url, shown), title: link.title, textContent: title }) : title,
    );
    this.#why.firstElementChild.ariaLabel = `About ${title}`;
    const queries = this.#panel.targets.map(({ expr }) => element("code", { textContent: replace(expr) }));
    this.#why.replaceChildren(this.#why.firstElementChild, this.#panel.description, ...queries);
  }

  #say(text, kind) {
    this.#clear();
    this.#body.replaceChildren(element("p", { className: `empty ${kind}`, textContent: text }));
  }

  #clear() {
    this.#drawn?.destroy();
    this.#drawn = undefined;
    this.#body.replaceChildren();
    this.#foot.replaceChildren();
  }
}
