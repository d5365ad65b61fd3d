/** A line on top for each alert that fires. */

import { addressOf } from "./address.js";
import { placeOfAlert } from "./dashboards.js";
import { element } from "./dom.js";
import { alerts } from "./prometheus.js";

const TOLD = ["page", "ticket"];

/** The firing alerts that somebody is told of, the urgent ones first. */
export async function readFiring() {
  const firing = (await alerts()).filter(({ state, labels }) => state === "firing" && TOLD.includes(labels.severity));
  return firing.sort((a, b) => TOLD.indexOf(a.labels.severity) - TOLD.indexOf(b.labels.severity));
}

/** Puts them into the list. */
export function showFiring(list, firing, dashboards, shown) {
  list.replaceChildren(...firing.map((alert) => {
    const { alertname, severity, job } = alert.labels;
    // Its own service; a job that is none is mended by the page.
    const chosen = job ? { ...shown.chosen, job } : shown.chosen;
    const place = placeOfAlert(dashboards, alertname);
    return element(
      "li",
      { className: severity },
      element("b", { textContent: alertname }),
      ` ${alert.annotations.summary ?? ""} ${alert.annotations.value ?? ""}`,
      element("a", { href: runbook(alert), textContent: "runbook" }),
      place && element("a", {
        href: addressOf({ ...shown, chosen, uid: place.dashboard.uid }, place.panel.id),
        textContent: place.panel.title,
      }),
    );
  }));
}

/** The runbooks lie beside this page; a rule that names a whole address has its own. */
function runbook({ labels, annotations }) {
  const given = annotations.runbook_url ?? "";
  return /^https?:/.test(given) ? given : `runbooks/${labels.alertname}.md`;
}
