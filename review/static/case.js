// The forms of the case page: focus on opening, sending by key, one sending only.
import { keepClaim } from "./claim.js";
import { enter } from "./keys.js";
import { followMarking } from "./marking.js";

for (const act of document.querySelectorAll("details.act")) {
  act.addEventListener("toggle", () => {
    if (act.open && !act.contains(document.activeElement.form ?? null)) enter(act);
  });
}
// Only once the page is loaded: going to the place after the # takes the focus away.
const kept = document.querySelector("details.act[open]");
if (kept && (location.hash === "" || location.hash === `#${kept.id}`)) {
  window.addEventListener("load", () => setTimeout(enter, 0, kept));
}

// Enter in a line of text sends by itself, in a longer text it makes a line; Ctrl+Enter sends everywhere. In a
// select Enter chooses while its list is open, and sends when it is closed, if the browser tells which.
const tellsOpen = CSS.supports("selector(select:open)");

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("details.act form");
  if (!form || event.key !== "Enter") return;
  const isList = event.target.tagName === "SELECT";
  let sends = event.ctrlKey || event.metaKey;
  if (isList && !sends) {
    if (tellsOpen && event.target.matches(":open")) return;
    sends = tellsOpen && !event.repeat;
  }
  if (!sends && !isList) return;
  event.preventDefault();
  if (sends) form.requestSubmit(form.querySelector("button.main") ?? form.querySelector("button"));
});

// A second press of the same button sends nothing; a page that comes back from the history may send again.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  else event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

keepClaim();
followMarking();
