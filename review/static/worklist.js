// Keeps the worklist fresh without losing the place: htmx fetches what changes with time, while the page
// is looked at. The filters, the columns and what is typed stand outside of that part.

const EVERY = 15_000; // milliseconds
const live = document.getElementById("live");
const stale = document.getElementById("stale");
const news = document.getElementById("news");
let fresh = new Date();
let anchor = null; // a row and where it stood on the screen

function refresh() {
  if (live && document.visibilityState === "visible") htmx.trigger(document.body, "refresh");
}

function tellStale() {
  stale.querySelector("[data-since]").textContent = fresh.toLocaleTimeString("en-GB");
  stale.hidden = false;
}

function visibleRow() {
  const rows = [...live.querySelectorAll("[data-row]")];
  const current = rows.find((row) => row.hasAttribute("aria-current"));
  const inView = (row) => row.getBoundingClientRect().bottom > 0 && row.getBoundingClientRect().top < innerHeight;
  return current && inView(current) ? current : rows.find(inView);
}

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target !== live) return;
  // Whoever is logged out meanwhile is led to the login, and not shown it inside of the list.
  if (new URL(event.detail.xhr.responseURL).pathname !== location.pathname) {
    event.detail.shouldSwap = false;
    location.reload();
    return;
  }
  const row = visibleRow();
  anchor = row && scrollY > 0 ? { id: row.id, top: row.getBoundingClientRect().top } : null;
});

// The same news a second time would only be read out a second time.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const plain = (element) => element.textContent.replace(/\s+/g, " ").trim();
  if (event.detail.target === news && plain(event.detail.fragment) === plain(news)) event.detail.shouldSwap = false;
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== live) return;
  fresh = new Date();
  stale.hidden = true;
  const row = anchor && document.getElementById(anchor.id);
  if (row) scrollBy(0, row.getBoundingClientRect().top - anchor.top);
});

for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(failure, tellStale);
}
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, EVERY);
