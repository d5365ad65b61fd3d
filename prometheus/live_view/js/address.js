/** What is shown, in the page's address, so that it can be sent to somebody. */

const VARIABLE = "var-";
const FROM = /^now-\d+[smhd]$/;

/** {uid, from, chosen} as the address says; `from` is "" when the dashboard's own holds. */
export function readAddress(search = location.search) {
  const parameters = new URLSearchParams(search);
  const chosen = {};
  for (const [name, value] of parameters)
    if (name.startsWith(VARIABLE)) chosen[name.slice(VARIABLE.length)] = value;
  const from = parameters.get("from") ?? "";
  return { uid: parameters.get("d") ?? "", from: FROM.test(from) ? from : "", chosen };
}

/** The address of a dashboard, or of one panel of it. */
export function addressOf({ uid, from = "", chosen = {} }, panelId) {
  const parameters = new URLSearchParams({ d: uid });
  if (from) parameters.set("from", from);
  for (const [name, value] of Object.entries(chosen)) parameters.set(VARIABLE + name, value);
  return `?${parameters}${panelId === undefined ? "" : `#panel-${panelId}`}`;
}

/** Grafana's /d/<uid>?… of a panel's link, with the time and the variables of here. */
export function followLink(url, shown) {
  const uid = /^\/d\/([\w-]+)/.exec(url)[1];
  return addressOf({ ...shown, uid });
}
