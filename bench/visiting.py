"""Asks for pages in this process, as told line by line on standard input, and says how long each took."""

from __future__ import annotations

import itertools
import json
import random
import sys
import time
from typing import Any

from review.setup import migrate, setup

setup()

# ruff: noqa: E402 - Django must be set up before its models can be imported
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from review.models import Account, Case, ReportVersion

PAGES = {
    "worklist": "/worklist/",
    "case": "/case/{case}/",
    "worklist, refreshed": "/worklist/",
    "worklist, page 4": "/worklist/?page=4",
    "worklist, last page": "/worklist/?page={last}",
    "worklist, urgent": "/worklist/?tier=urgent",
    "worklist, extradural at T6": "/worklist/?compartment=extradural&level=T6",
    "worklist, overdue": "/worklist/?overdue=1",
    "worklist, confirmed": "/worklist/?status=confirmed",
    "worklist, a patient": "search:{patient}",
    "worklist, a word": "search:hemangioma",
    "health of the queue": "/health/queue/",
}


def serve() -> None:
    """Answer each line, a JSON object with the page and whether to count queries, by one of our own."""
    migrate()  # a database that was kept may be of an older program
    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(Account.objects.get(username="bench"))
    rng = random.Random(4)
    waiting = list(Case.objects.filter(state="waiting").values_list("id", flat=True))
    cases = itertools.cycle(rng.sample(waiting, min(200, len(waiting))))
    patients = ReportVersion.objects.filter(pk__in=range(1, 200)).values_list("patient_id", flat=True)
    filled = {"last": (len(waiting) - 1) // 50 + 1, "patient": patients[7]}
    searches = {
        name: _search(client, page.partition(":")[2].format(**filled))
        for name, page in PAGES.items()
        if page.startswith("search:")
    }
    told = f"{ReportVersion.objects.count():,} reports, {len(waiting):,} open cases"
    print(json.dumps({"pages": list(PAGES), "told": told}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        name = asked["page"]
        at = searches.get(name) or PAGES[name].format(case=next(cases), **filled)
        print(json.dumps(_visit(client, at, name, count=asked["count"])), flush=True)


def _search(client: Client, words: str) -> str:
    """Search as the page does: the words go in a form, and the answer's address has a number only."""
    return str(client.post("/worklist/search/", {"words": words})["Location"])


def _visit(client: Client, at: str, name: str, *, count: bool) -> dict[str, Any]:
    headers = {"HX-Request": "true"} if name.endswith("refreshed") else {}
    if count:
        with CaptureQueriesContext(connection) as asked:
            response = client.get(at, headers=headers)
        return {"queries": len(asked), "ms": 0}
    begin = time.perf_counter()
    response = client.get(at, headers=headers)
    taken = time.perf_counter() - begin
    if response.status_code != 200:
        return {"fault": f"{at}: {response.status_code}"}
    return {"ms": taken * 1000}


if __name__ == "__main__":
    serve()
