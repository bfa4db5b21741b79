// The keyboard of all pages. An element with data-key="c" is pressed by that key; in a list the rows with
// data-row are walked through. Silent while somebody types, holds Ctrl, Alt or Meta, or a dialog is open.

let selected = ""; // the id of the row that the keys are at
let place = 0; // where it stood, should it go away
let leaving = false; // a form is on its way: a second press would do the act twice

const rows = () => [...document.querySelectorAll("[data-row]")];
const TYPED = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=button], [type=submit])";

function isVisible(element) {
  return element.checkVisibility({ checkVisibilityCSS: true }) && !element.disabled;
}

function select(row, { focus }) {
  for (const other of rows()) {
    other.toggleAttribute("aria-current", false);
    other.tabIndex = -1;
  }
  if (!row) return;
  selected = row.id;
  place = rows().indexOf(row);
  row.setAttribute("aria-current", "true");
  row.tabIndex = 0;
  // The browser's way back finds the row again; a number of a case is all that it keeps.
  history.replaceState({ ...history.state, row: row.id }, "");
  if (focus) {
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }
}

function move(step) {
  const all = rows();
  const at = all.findIndex((row) => row.id === selected);
  select(all[at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1)], { focus: true });
}

function open() {
  document.getElementById(selected)?.querySelector("a[href]")?.click();
}

const WALK = {
  j: [() => move(1), "next row"],
  k: [() => move(-1), "row before"],
  o: [open, "open the row (Enter too)"],
};

// Goes to the first field of a form that unfolds.
export function enter(details) {
  (details.querySelector("[data-first]") ?? details.querySelector("select, textarea, input:not([type=hidden])"))?.focus();
}

function press(element) {
  if (element.matches(TYPED)) {
    element.focus();
    element.select?.();
    return;
  }
  element.click();
  // That it has unfolded is told only later; what is typed until then would be taken for keys.
  const details = element.matches("summary") && element.parentElement;
  if (details?.open) enter(details);
}

function keyed(key) {
  return [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key && isVisible(one));
}

function help() {
  const dialog = document.createElement("dialog");
  dialog.id = "keys";
  dialog.setAttribute("aria-labelledby", "keys-title");
  const title = document.createElement("h2");
  title.id = "keys-title";
  title.textContent = "Keys on this page";
  const list = document.createElement("dl");
  const lines = [...document.querySelectorAll("[data-key]")]
    .filter(isVisible)
    .map((one) => [one.dataset.key, one.dataset.label ?? one.ariaLabel ?? one.textContent.trim()]);
  if (rows().length) lines.push(...Object.entries(WALK).map(([key, [, label]]) => [key, label]));
  lines.push(["?", "show these keys"], ["Esc", "close, or leave a field"]);
  for (const [key, label] of lines) {
    const term = document.createElement("dt");
    const cap = document.createElement("kbd");
    cap.textContent = key;
    term.append(cap);
    const said = document.createElement("dd");
    said.textContent = label;
    list.append(term, said);
  }
  const close = document.createElement("button");
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  dialog.append(title, list, close);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || leaving) return;
  const target = event.target;
  const opened = document.querySelector("dialog[open]");
  if (opened) {
    if (opened.id === "keys" && event.key === "?") opened.close();
    return; // Esc closes a dialog by itself
  }
  const unfolded = event.key === "Escape" && target.closest("details[open]");
  if (unfolded) {
    unfolded.open = false;
    unfolded.querySelector("summary").focus();
    return;
  }
  if (target.closest(TYPED)) {
    if (event.key === "Escape") target.blur();
    return;
  }
  if (event.key === "Enter") {
    if (target.matches("[data-row]")) open();
    return;
  }
  const walk = rows().length ? WALK[event.key] : undefined;
  const element = event.repeat ? undefined : keyed(event.key);
  if (event.key === "?" && !event.repeat) help();
  else if (walk) walk[0]();
  else if (element) press(element);
  else return;
  event.preventDefault();
});

document.addEventListener("submit", (event) => {
  leaving = !event.defaultPrevented;
});
window.addEventListener("pageshow", () => {
  leaving = false;
});
document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.("[data-row]");
  if (row && row.id !== selected) select(row, { focus: false });
});
// A list that was refreshed keeps its row; if that is gone, the one that took its place.
document.addEventListener("htmx:afterSwap", () => {
  if (!selected) return;
  const had = document.activeElement;
  const all = rows();
  const row = document.getElementById(selected) ?? all[Math.min(place, all.length - 1)];
  select(row, { focus: had === document.body || had?.id === row?.id });
});

for (const button of document.querySelectorAll("[data-help]")) {
  button.hidden = false;
  button.addEventListener("click", help);
}
// Who comes back from a case finds the list at that case.
const from = history.state?.row ?? document.referrer.replace(/^.*\/case\/(\d+)\/.*$/, "row-$1");
const before = rows().find((row) => row.id === from);
const isTyping = document.activeElement?.matches(TYPED);
if (!isTyping) select(before ?? rows()[0], { focus: Boolean(before) });
