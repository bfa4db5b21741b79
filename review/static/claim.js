// The clock of a claim, and the heartbeat that keeps it while somebody looks at the page.
const BEAT = 60_000; // between two heartbeats
const WARN = 120; // seconds left at which the person is warned

const UNASKED = { "X-By-Itself": "1" }; // a heartbeat keeps the claim, but nobody logged in
const TOKENS = "input[name=csrfmiddlewaretoken]";
const post = (url, more) =>
  fetch(url, { method: "POST", headers: { "X-CSRFToken": document.querySelector(TOKENS).value, ...more } });

// Each login has a token of its own: the forms of a page that is older than the login take the new one.
async function renewTokens() {
  const response = await fetch(location.pathname.replace(/^(\/case\/\d+\/).*$/, "$1"), { headers: UNASKED });
  if (!response.ok || response.redirected) return false;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const field of document.querySelectorAll(TOKENS)) field.value = page.querySelector(TOKENS).value;
  return true;
}
const WORDS = "textarea, input:not([type=hidden], [type=checkbox])";
const hasWords = (form) => [...form.querySelectorAll(WORDS)].some((field) => field.value.trim());

const shown = (seconds) =>
  seconds <= 0 ? "no time left" : seconds < 60 ? "less than 1 min left" : `${Math.floor(seconds / 60)} min left`;

export function keepClaim() {
  const clock = document.querySelector(".clock");
  if (!clock) return;
  const title = document.title;
  const mine = clock.id === "claim";
  const news = document.querySelector("#claim-news");
  let ends = performance.now() + clock.dataset.left * 1000;
  let beaten = performance.now();
  let told = ""; // what stands in the news, so that it is said once
  let lost = false;

  const say = (what, ...more) => {
    if (!news || told === what) return;
    told = what;
    news.replaceChildren(...(what ? [Object.assign(document.createElement("p"), { textContent: what }), ...more] : []));
    document.title = what ? `⚠ ${title}` : title;
  };
  const again = () => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Claim again" });
    button.addEventListener("click", async () => {
      await post(clock.dataset.claim);
      lost = false;
      beat();
    });
    return button;
  };
  // Returns whether the server took it, so that a form would be taken too.
  async function beat() {
    beaten = performance.now();
    let answer;
    try {
      let response = await post(clock.dataset.beat, UNASKED);
      const isOut = () => response.redirected || response.status === 403;
      if (isOut() && await renewTokens()) response = await post(clock.dataset.beat, UNASKED);
      if (isOut()) {
        say("You are logged out. What you typed stays here: log in in another tab, then send it from here.");
        return false;
      }
      answer = await response.json();
    } catch {
      say("The server does not answer. What you typed stays here; the page goes on trying.");
      return false;
    }
    lost = !answer.mine;
    if (lost) {
      ends = performance.now();
      say(`${answer.told} What you typed stays on this page.`, again());
    } else {
      ends = performance.now() + answer.left * 1000;
      say(String(answer.version) === clock.dataset.version ? ""
        : "A newer version of the report has arrived. Open the case again to read it; copy first what you typed.");
    }
    return true;
  }
  // The login page or an error page in place of the answer would lose what was typed: it is asked for first.
  let asked = null; // the form that may go
  const ask = async (event) => {
    const form = event.target;
    if (asked === form || !hasWords(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!(await beat())) return;
    asked = form;
    form.requestSubmit(event.submitter);
    asked = null;
  };
  const tick = () => {
    const left = Math.round((ends - performance.now()) / 1000);
    clock.querySelector("[data-clock]").textContent = lost ? "not yours any more" : shown(left);
    clock.classList.toggle("late", mine && left <= WARN);
    if (!mine || lost) return;
    const looks = document.visibilityState === "visible" && document.hasFocus();
    if (looks && performance.now() - beaten >= BEAT) beat();
    else if (left <= 0) say("Your claim has run out; others can take the case. What you typed stays here.", again());
    else if (left <= WARN) say("Your claim runs out in less than two minutes; come back to this page to keep it.");
  };
  if (mine) document.addEventListener("submit", ask, { capture: true });
  tick();
  setInterval(tick, 1000);
}
