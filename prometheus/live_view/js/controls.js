/** The choices above the panels: time, variables, colours. */

import { element } from "./dom.js";
import { RANGES } from "./time.js";

const THEMES = [["", "as the system"], ["light", "light"], ["dark", "dark"]];
const STORED = "theme";

/** A labelled choice. */
function choice(label, options, value, onChange) {
  const select = element("select", {}, ...options.map(([option, text]) => new Option(text, option, false, option === value)));
  select.addEventListener("change", () => onChange(select.value));
  return element("label", {}, `${label} `, select);
}

/** Choices of the time (`from` is what is shown, also where none is chosen) and of each variable that has
 * more than one value. */
export function showControls(form, dashboard, choices, shown, from, changed) {
  const ranges = RANGES.some(([value]) => value === from) ? RANGES : [...RANGES, [from, from]];
  const time = choice("Time", ranges, from, (chosen) => changed({ ...shown, from: chosen }));
  const variables = dashboard.templating.list
    .filter(({ name }) => choices[name].length > 1)
    .map(({ name, label }) =>
      choice(label ?? name, choices[name].map(({ value, text }) => [value, text]), shown.chosen[name], (value) =>
        changed({ ...shown, chosen: { ...shown.chosen, [name]: value } }),
      ),
    );
  form.replaceChildren(time, ...variables, themeChoice());
}

const storedTheme = () => localStorage.getItem(STORED) ?? "";

function themeChoice() {
  return choice("Colours", THEMES, storedTheme(), (theme) => {
    localStorage.setItem(STORED, theme);
    applyTheme();
  });
}

/** Puts the stored choice on the page; listeners of `themechange` draw again. */
export function applyTheme() {
  document.documentElement.dataset.theme = storedTheme();
  dispatchEvent(new Event("themechange"));
}
