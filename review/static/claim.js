// The clock of a claim, and the heartbeat that keeps it while somebody looks at the page.
const BEAT = 60_000; // between two heartbeats
const WARN = 120; // seconds left at which the person is warned

const token = () => document.querySelector("input[name=csrfmiddlewaretoken]").value;
const post = (url, more) => fetch(url, { method: "POST", headers: { "X-CSRFToken": token(), ...more } });
const UNASKED = { "X-By-Itself": "1" }; // a heartbeat keeps the claim, but nobody logged in

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
  async function beat() {
    beaten = performance.now();
    let answer;
    try {
      const response = await post(clock.dataset.beat, UNASKED);
      if (response.redirected || response.status === 403) throw new TypeError("logged out");
      answer = await response.json();
    } catch (error) {
      const out = error instanceof TypeError && error.message === "logged out";
      say(out ? "You are logged out. What you typed stays here: log in in another tab, then send it."
        : "The server does not answer. What you typed stays here; the page goes on trying.");
      return;
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
  }
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
  tick();
  setInterval(tick, 1000);
}
