/** The dashboards' JSON, which lies beside this page: the files that Grafana is provisioned with. */

export const NAMES = ["overview", "model", "service", "pipeline"];

const read = async (name) => {
  const answer = await fetch(new URL(`../dashboards/${name}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`dashboards/${name}.json: status ${answer.status}`);
  return answer.json();
};

/** All of them, the overview first. */
export const readDashboards = () => Promise.all(NAMES.map(read));

/** [{row, panels}]: each heading with what stands below it; panels without one come first. */
export function sections({ panels }) {
  const found = [];
  for (const panel of panels) {
    if (panel.type === "row") found.push({ row: panel, panels: [...(panel.panels ?? [])] });
    else if (found.length) found.at(-1).panels.push(panel);
    else found.push({ row: null, panels: [panel] });
  }
  return found;
}

/** {dashboard, panel} whose description names the alert's runbook; undefined when none does. */
export function placeOfAlert(dashboards, name) {
  for (const dashboard of dashboards)
    for (const panel of sections(dashboard).flatMap((section) => section.panels))
      if (panel.description?.includes(`runbooks/${name}.md`)) return { dashboard, panel };
  return undefined;
}
