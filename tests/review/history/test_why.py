"""Why was this report not queued? In a sentence, for whatever became of it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from review import desk, ledger
from review.digests import canonical
from review.history.why import BLIND, considered, why
from review.models import AuditRow, Case, Input, Reading, RuleSet, Shard
from review.records import NewOutcome, NewPortion

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
TEXT = "No epidural mass at T6. History of metastasis. Disc bulge."


@pytest.fixture
def told(deliver: Make, version: Make, reading: Make, person: Make) -> Make:
    """Store a report read as given; return the sentence."""

    def make(**content: Any) -> str:
        deliver(
            version("A1", text=TEXT, reading=reading("routine", score=12, decided_by="points", **content))
        )
        return why(Input.objects.latest("id"), person("auditor")).sentence

    return make


def test_a_report_without_a_word_of_a_lesion(told: Make) -> None:
    assert told(reasons=[]) == (
        "It was read and not queued: no word for a lesion, or for what presses on the cord, was found in it."
    )


def test_a_report_that_affirms_nothing_says_how_it_speaks_of_it(told: Make, finding: Make) -> None:
    no = finding(TEXT, certainty="absent", cue="no")
    old = finding(TEXT, "metastasis", name="vertebral metastasis", certainty="historical", cue="history of")
    sentence = told(findings=[no, old], reasons=[])
    assert "it names epidural mass, vertebral metastasis (1 denied, 1 in the past)" in sentence
    assert "none of it is affirmed" in sentence


def test_a_report_that_affirms_too_little_says_what_was_missing(told: Make, finding: Make) -> None:
    read = {"findings": [finding(TEXT)], "reasons": [{"rule": "B", "points": 12, "text": "epidural mass"}]}
    sentence = told(**read)
    assert "it affirms epidural mass, but no rule asks for a person because of that" in sentence
    assert "12 points" in sentence
    files = {"priority.toml": "[tiers]\nstat = 70\nurgent = 50\nsoon = 20\n"}
    RuleSet.objects.create(
        version="sha256:abc", first_used=timezone.now(), code_version="1",
        files=zlib.compress(canonical(files).encode()),
    )  # fmt: skip
    assert "it came to 12 points, and 20 are needed" in told(**read, conflicts=[])


def test_a_cap_is_named(deliver: Make, version: Make, reading: Make, finding: Make, person: Make) -> None:
    cap = {"rule": "C1", "tier": "routine", "text": "known, stable or old"}
    read = reading("routine", decided_by="C1", reasons=[cap], findings=[finding(TEXT)])
    deliver(version("A1", text=TEXT, reading=read))
    found = why(Input.objects.get(), person("auditor"))
    assert "rule C1 limits it to routine (known, stable or old)" in found.sentence
    assert [reason.decided for reason in found.reasons] == [True]


def test_each_finding_says_why_it_raised_nothing(finding: Make, reading: Make) -> None:
    disc = finding(TEXT, "Disc bulge", name="disc bulge", **{"class": "degenerative"})
    content = reading(
        "routine",
        findings=[
            finding(TEXT, certainty="absent", cue="No"),
            finding(TEXT, "metastasis", certainty="historical"),
        ],
        context_findings=[disc],
        reasons=[],
    )  # fmt: skip
    rows = considered(content, TEXT)
    assert [row.why for row in rows] == [
        "Affirmed, but no lesion (degenerative): it asks for nobody by itself.",
        "The report denies it: “No”.",
        "The report says it of the past.",
    ]
    assert rows[1].words == ("No ", "epidural mass", " at T6.")


def test_rejected_duplicate_superseded_withdrawn_and_queued_are_said(
    deliver: Make, version: Make, person: Make, case_of: Make
) -> None:
    held = version("A1", "stat")
    deliver(held, "binary")
    deliver(held)
    deliver(version("A1", None, "preliminary", text="older"))
    deliver(version("B1", "routine"))
    deliver(version("B1", None, "deleted", text=""))
    said = [why(item, person("auditor")).sentence for item in Input.objects.order_by("id")]
    first, case = Input.objects.earliest("id"), case_of("A1").name
    assert said[0].startswith("It was read and queued as stat; what decided was rule R1")
    assert f"The report's case is {case}, stat, waiting." in said[0]
    assert said[1].startswith(
        "It was not read: no report text could be taken from it. The bytes are not text."
    )
    assert f"as input I{first.pk} in run {first.shard.run_id}; that one counts, and was queued." in said[2]
    assert said[3].startswith("It was kept but not read: a newer version of the report was already held.")
    assert "Since then version 2 came" in said[4]
    assert said[5] == "Its sender withdrew the report, so there was nothing to read."


def test_what_people_did_about_a_rejected_input_is_said(deliver: Make, person: Make, enter: Make) -> None:
    def now() -> str:
        return why(Input.objects.get(), auditor).sentence

    auditor, lead = person("auditor"), person("lead", name="lea")
    deliver("binary")
    pk = Input.objects.get().pk
    assert "It waits on the desk of rejected inputs" in now()
    assert f"/rejected/{pk}/" in enter("auditor").get(f"/why/input/{pk}/").content.decode()
    desk.discard(lead, [pk], "a test page")
    assert now().endswith(", because: a test page")
    assert "lea put it away on" in now()
    desk.take_back(lead, [pk])
    desk.retry(lead, [pk])
    assert "lea asked on" in now()
    Shard.objects.update(kind="studies")
    assert now().startswith("It is no report but an image file")


def test_another_attempt_is_said_unless_it_is_to_be_read_blind(
    deliver: Make, version: Make, person: Make, enter: Make, run: Make
) -> None:
    deliver("reader_killed")
    old = Input.objects.get()
    portion = old.portion
    again = NewPortion(
        kind="reports",
        source=portion.source,
        path=portion.path,
        fingerprint=portion.fingerprint,
        again=old.pk,
    )
    shard = ledger.add_shard(run(), [again])
    assert shard
    (new,) = ledger.shard_portions(shard)
    ledger.store_shard(shard, [NewOutcome(portion=new.id, item=0, version=version("A1", "soon"))])
    late = Input.objects.latest("id")
    said = why(old, person("auditor")).sentence
    assert f"as input I{late.pk}, which counts: it was queued." in said
    assert f"another attempt at input I{old.pk}" in why(late, person("auditor")).sentence
    Case.objects.update(is_blind=True)
    assert "to be read blind" in why(old, person("radiologist")).sentence
    assert "it was queued" in why(old, person("auditor")).sentence
    page = enter("radiologist").get(f"/why/input/{old.pk}/").content.decode()
    assert "queued</li>" not in page
    assert f"I{late.pk}" not in page


def test_a_reading_that_was_erased_is_said_to_be_gone(deliver: Make, version: Make, person: Make) -> None:
    deliver(version("A1", "routine"))
    Reading.objects.update(data="")
    assert "is not kept any more" in why(Input.objects.get(), person("auditor")).sentence


def test_who_may_decide_learns_nothing_of_what_is_read_blind(
    deliver: Make, version: Make, enter: Make, case_of: Make
) -> None:
    deliver(version("A1", "soon", accession="ACC1"))
    Case.objects.update(is_blind=True)
    report, item = case_of("A1").report_id, Input.objects.get()
    given_away = (f"run {item.shard.run_id}", f"/runs/{item.shard.run_id}/", "R1", "epidural mass, present")
    for role in ("lead", "radiologist"):
        client = enter(role)
        for url in (f"/why/report/{report}/", f"/why/input/{item.pk}/"):
            page = client.get(url).content.decode()
            assert BLIND.split(":")[0] in page
            # Whole words: a token of the page may hold the letters by chance.
            assert not [word for word in given_away if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", page)]
    lead = enter("lead")
    history = lead.get(f"/report/{report}/history/").content.decode()
    assert not [word for word in (*given_away, "soon", "queued as") if word in history.split("<ol", 1)[1]]
    run = lead.get(f"/runs/{item.shard.run_id}/").content.decode()
    assert "A1" not in run
    table = lead.get(f"/runs/{item.shard.run_id}/outcomes.csv")
    assert b"A1" not in b"".join(table.streaming_content)
    auditor = enter("auditor")
    assert "It was read and queued as soon" in auditor.get(f"/why/report/{report}/").content.decode()
    assert "A1" in auditor.get(f"/runs/{item.shard.run_id}/").content.decode()


@pytest.mark.parametrize("name", ["R/1", "ACC1", "PATIENT-9", "case", "input", "run", "path", "1"])
def test_a_report_is_found_by_any_name_and_the_name_stands_nowhere(
    deliver: Make, version: Make, enter: Make, case_of: Make, name: str
) -> None:
    deliver(version("R/1", "stat", accession="ACC1", patient_id="PATIENT-9"))
    item = Input.objects.get()
    names = {
        "case": case_of("R/1").name, "input": f"i{item.pk}", "run": f"run {item.shard.run_id} item 0",
        "path": item.portion.path,
    }  # fmt: skip
    response = enter("auditor").post("/why/", {"name": names.get(name, name)})
    if name == "1":  # too short for going through all names
        assert "was ever taken in" in response.content.decode()
        return
    assert response.url == f"/why/report/{item.version.report_id}/"
    row = AuditRow.objects.filter(action="list.searched").get()
    assert name not in str(row.detail)


def test_a_name_of_several_lists_them_and_one_of_another_source_finds_nothing(
    deliver: Make, version: Make, enter: Make
) -> None:
    deliver(
        version("R/report/1001", "stat", accession="ACC1"), version("R/report/1002", "stat", accession="ACC1")
    )
    page = enter("auditor").post("/why/", {"name": "ACC1"}).content.decode()
    assert "2 inputs of this name" in page
    assert enter("auditor").post("/why/", {"name": "1002"}).status_code == 302
    page = enter("auditor", sources=("south",)).post("/why/", {"name": "ACC1"}).content.decode()
    assert "was ever taken in" in page
    assert enter("auditor").post("/why/", {"name": ""}).status_code == 200
    south = enter("auditor", sources=("south",))
    item = Input.objects.earliest("id")
    for url in (f"/why/input/{item.pk}/", f"/why/report/{item.version.report_id}/"):
        assert south.get(url).status_code == 404
    assert south.get(f"/report/{item.version.report_id}/history/").status_code == 404
