"""The desk of rejected inputs: what waits there, who reads its bytes, and what is put away."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import audit, desk, ledger
from review.caseload import RefusedError
from review.models import AuditRow, Discard, Input, Reject, Request

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


def shown(response: Any) -> str:
    return html.unescape(response.content.decode())


def ids() -> list[int]:
    return list(Reject.objects.order_by("pk").values_list("pk", flat=True))


def faults() -> str:
    return str(audit.verify()["faults"])


def test_who_waits_longest_comes_first_and_is_overdue_in_words(deliver: Make, enter: Make) -> None:
    deliver("binary")
    with time_machine.travel(timezone.now() + timedelta(minutes=241)):
        deliver("no_text")
        page = shown(enter("operator").get("/rejected/"))
    assert page.index("The bytes are not text") < page.index("The column that holds")
    assert page.count("▲ overdue") == 1
    assert "1 waits for longer" in page


def test_filters_choose_and_count(deliver: Make, person: Make) -> None:
    deliver("binary", "no_text", "no_text")
    deliver("no_text", source="south")
    lead, now = person("lead"), timezone.now()
    assert desk.wanted({"reason": "no_text", "source": "south"}).of(lead, now).count() == 1
    assert desk.wanted({"reason": "no_text"}).of(lead, now).count() == 3
    assert desk.wanted({"overdue": "1"}).of(lead, now).count() == 0
    today = timezone.localdate(now).isoformat()
    assert desk.wanted({"since": today, "until": today}).of(lead, now).count() == 4
    south = person("operator", sources=("south",))
    assert desk.counts(south, now).by_state["waiting"] == 1


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"reason": "ugly"}, "reason is 'ugly'"),
        ({"state": "gone"}, "state is 'gone'"),
        ({"since": "yesterday"}, "a day such as"),
        ({"since": "2026-02-02", "until": "2026-02-01"}, "comes after until"),
        ({"patient": "Doe"}, "There is no filter 'patient'"),
    ],
)
def test_a_filter_that_cannot_be_used_is_told(enter: Make, asked: dict[str, str], told: str) -> None:
    response = enter("lead").get("/rejected/", asked)
    assert response.status_code == 400
    assert told in shown(response)


def test_the_number_of_queries_does_not_grow(deliver: Make, enter: Make) -> None:
    client, counts = enter("lead"), []
    for _ in range(3):
        deliver(*["binary"] * 5)
        with CaptureQueriesContext(connection) as asked:
            client.get("/rejected/")
        counts.append(len(asked))
    assert len(set(counts)) == 1


def test_bytes_are_shown_escaped_and_each_look_is_recorded(deliver: Make, enter: Make) -> None:
    deliver("binary")
    (one,) = ids()
    client = enter("lead")
    page = client.get(f"/rejected/{one}/bytes/")
    assert "junk" in shown(page)
    file = client.get(f"/rejected/{one}/bytes/file/")
    assert file.content.startswith(b"\0junk")
    assert file["Content-Type"] == "application/octet-stream"
    assert file["Content-Disposition"] == f'attachment; filename="I{one}.bin"'
    assert file["X-Content-Type-Options"] == "nosniff"
    read = AuditRow.objects.filter(action="input.raw_read", subject=f"input:{one}")
    assert read.count() == 2
    assert "junk" not in str(list(read.values()))


def test_a_discarded_input_leaves_the_counts_and_stays_recorded(
    deliver: Make, enter: Make, person: Make
) -> None:
    deliver("binary", "no_text")
    one, _ = ids()
    client = enter("lead")
    assert "Say why" in shown(client.post("/rejected/discard/", {"input": one}, follow=True))
    client.post("/rejected/discard/", {"input": one, "why": "a test page"})
    assert ledger.intake(timezone.now(), None).rejected.count == 1
    assert "a test page" in shown(client.get("/rejected/?state=discarded"))
    assert audit.verify()["outcomes"]["rejected"] == 2
    assert faults() == "[]"
    with pytest.raises(RefusedError, match="is discarded, not waiting"):
        desk.retry(person("lead"), [one])
    client.post("/rejected/take-back/", {"input": one})
    assert ledger.intake(timezone.now(), None).rejected.count == 2
    client.post("/rejected/discard/", {"input": one, "why": "again"})
    assert faults() == "[]"
    assert Discard.objects.count() == 2


def test_a_retry_asked_for_on_the_page_waits_for_the_next_run(deliver: Make, enter: Make) -> None:
    deliver("binary", "no_text")
    client = enter("operator")
    page = shown(client.post("/rejected/retry/", {"all": "1", "reason": "no_text"}, follow=True))
    assert "1 input will be tried again by the next run" in page
    assert "waits for the next run" in page
    assert Request.objects.get().what == {"inputs": 1}
    assert AuditRow.objects.get(action="input.retried").detail["inputs"] == 1


def hide() -> None:
    Reject.objects.filter(pk=ids()[0]).delete()


def make_up() -> None:
    one = Discard.objects.get()
    Discard.objects.create(input_id=ids()[1], account=one.account, at=one.at, reason="made up")
    Reject.objects.filter(pk=ids()[1]).update(state="discarded")


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (hide, "was rejected, but is not on the desk"),
        (make_up, "was made, but no row of the audit says so"),
        (
            lambda: Reject.objects.filter(state="waiting").update(state="discarded"),
            "against what its discards",
        ),
        (lambda: Reject.objects.filter(state="waiting").update(state="replaced"), "counts as sent anew"),
        (lambda: Reject.objects.update(reason="binary"), "as something else than it is"),
        (lambda: Reject.objects.update(since=timezone.now() + timedelta(days=1)), "as something else"),
        (lambda: Reject.objects.update(state="retrying"), "nobody asked for that"),
    ],
)
def test_what_is_hidden_on_the_desk_is_found(
    deliver: Make, person: Make, tamper: Callable[[], object], told: str
) -> None:
    deliver("no_text", "no_text")
    desk.discard(person("lead"), [ids()[0]], "a test page")
    assert faults() == "[]"
    tamper()
    assert told in faults()


def test_an_input_shows_its_attempts_and_nothing_of_other_sources(deliver: Make, enter: Make) -> None:
    deliver("no_text")
    (one,) = ids()
    assert f"I{one}" in shown(enter("auditor").get(f"/rejected/{one}/"))
    assert enter("operator", sources=("south",)).get(f"/rejected/{one}/").status_code == 404
    assert Input.objects.get().pk == one
