"""Reports of before are read again with other rules: nothing is lost or falls, nobody is asked twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from review import audit, caseload, ledger
from review.history.why import why
from review.models import (
    AuditRow,
    Case,
    CaseEvent,
    Correction,
    Input,
    Reading,
    ReportVersion,
    RuleSet,
    Run,
    Shard,
)
from tests.review.conftest import Make
from tests.review.test_rules_kept import rules

pytestmark = [pytest.mark.django_db, pytest.mark.database]
NEW = rules("forms = ['newer']")


def faults() -> list[str]:
    return [fault["what"] for fault in audit.verify()["faults"]]


@pytest.fixture
def lead(person: Make) -> Any:
    ledger.keep_rules(rules())
    ledger.keep_rules(NEW)
    return person("lead")


@pytest.fixture
def opened(lead: Any) -> Make:
    def make(**other: Any) -> int:
        asked = {"reason": "new words", "since": timezone.now() - timedelta(days=90), "source": "", "size": 2}
        return ledger.open_reread(lead, **asked | {"rules_version": NEW.version, "code_version": "1"} | other)

    return make


@pytest.fixture
def reread(opened: Make, reading: Make) -> Make:
    """Read everything again; by report key what it reads as now, a tier or a whole reading."""

    def make(run: int = 0, **now: Any) -> dict[str, int]:
        run = run or opened()
        for shard in ledger.unfinished(run, "readings"):
            texts = ledger.reread_texts(shard)
            keys = dict(ReportVersion.objects.values_list("id", "report__key"))
            said = {one.pk: now[keys[one.pk]] for one in texts}
            ledger.store_reread(
                shard,
                {
                    pk: (reading(one) if isinstance(one, str) else one) | {"rules_version": NEW.version}
                    for pk, one in said.items()
                },
            )
        ledger.close_run(run, "completed")
        return ledger.reread_counts(run)

    return make


def kinds(case: Case) -> list[str]:
    return list(case.events.order_by("id").values_list("kind", flat=True))


@pytest.fixture
def deliver(deliver: Make) -> Make:
    """Deliver by batches that have ended: a reread waits for those that read with the rules of before."""

    def make(*items: Any) -> None:
        deliver(*items)
        batches = Run.objects.filter(kind="triage", state="running")
        batches.update(state="completed", ended_at=timezone.now())

    return make


@pytest.fixture
def judge(deliver: Make, version: Make, lead: Any, case_of: Any) -> Make:
    """Let a report arrive that reads as soon, and a person decide it."""

    def make(verdict: str, tier: str = "soon", **other: Any) -> Case:
        deliver(version("A1", tier))
        case: Case = case_of("A1")
        for start, end in other.pop("judged", ()):
            said = {"category": "malignant", "certainty": "present", "kind": "missed"}
            where = {"case": case, "reading": case.reading, "start": start, "end": end}
            Correction.objects.create(**said, **where, account=lead, at=timezone.now())
        caseload.claim(lead, case.pk)
        more = {"reason": "degenerative"} if verdict == "dismissed" else {}
        caseload.decide(lead, case.pk, case.reading.version_id, verdict, **more | other)
        return case

    return make


def test_a_routine_report_that_reads_as_urgent_now_gets_a_case(
    deliver: Make, version: Make, reread: Make, case_of: Any
) -> None:
    deliver(version("A1", "routine"), version("A2", "stat"), version("A3", "routine"))
    counts = reread(A1="urgent", A2="stat", A3="routine")
    assert counts == {"readings": 3, "opened": 1, "raised": 0, "waits_again": 0, "calmer": 0, "failed": 0}
    case = case_of("A1")
    assert (case.get_tier_display(), case.state, kinds(case)) == ("urgent", "waiting", ["opened"])
    assert case.first_arrival == case.report.first_arrival
    assert case.waiting_since > case.first_arrival
    assert case_of("A2").reading.rules_version == NEW.version
    assert kinds(case_of("A2")) == ["opened"]
    assert faults() == []


def test_its_run_tells_what_it_did_and_nothing_of_what_it_has_not_done_yet(
    deliver: Make, version: Make, reread: Make, opened: Make
) -> None:
    deliver(version("A1", "routine"), version("A2", "stat"), version("A3", "routine"))
    run = opened()
    assert ledger.summary(run)["reread"]["readings"] == 0
    counts = reread(run, A1="urgent", A2="stat", A3="routine")
    assert ledger.summary(run)["reread"] == counts
    assert ledger.summary(Run.objects.order_by("id")[0].pk)["reread"] is None


def test_a_case_that_other_rules_opened_is_not_called_drawn(
    deliver: Make, version: Make, reread: Make, lead: Any, case_of: Any
) -> None:
    deliver(version("A1", "routine"), version("A2", "soon"))
    reread(A1="urgent", A2="soon")
    told = why(Input.objects.get(version__report__key="A1"), lead).sentence
    assert f"Rules of another version opened a case for it later: {case_of('A1').name}, urgent" in told
    assert "drawn" not in told


def test_the_readings_of_before_stay(deliver: Make, version: Make, reread: Make) -> None:
    deliver(version("A1", "routine"))
    before = Reading.objects.values().get()
    reread(A1="soon")
    first, second = Reading.objects.order_by("id").values()
    assert first == before
    assert (second["tier"], second["rules_version"]) == ("soon", NEW.version)
    assert second["shard_id"] == Shard.objects.get(kind="readings").pk


def test_a_tier_rises_and_the_clock_begins_anew(
    deliver: Make, version: Make, reread: Make, case_of: Any
) -> None:
    deliver(version("A1", "soon"))
    before = case_of("A1")
    assert reread(A1="stat")["raised"] == 1
    case = case_of("A1")
    assert (case.get_tier_display(), kinds(case)) == ("stat", ["opened", "reread_up"])
    assert case.waiting_since > before.waiting_since
    assert faults() == []


def test_a_tier_never_falls_but_it_is_told(deliver: Make, version: Make, reread: Make, case_of: Any) -> None:
    deliver(version("A1", "stat"), version("A2", "urgent"))
    assert reread(A1="soon", A2="routine")["calmer"] == 2
    assert [case_of(key).get_tier_display() for key in ("A1", "A2")] == ["stat", "urgent"]
    assert [kinds(case_of(key)) for key in ("A1", "A2")] == [["opened", "reread_down"]] * 2
    assert faults() == []


def test_a_dismissed_case_is_not_asked_about_the_same_again(judge: Make, reread: Make, case_of: Any) -> None:
    judge("dismissed", "urgent")
    assert reread(A1="urgent")["waits_again"] == 0
    assert (case_of("A1").state, kinds(case_of("A1"))[-1]) == ("dismissed", "dismissed")
    assert faults() == []


def test_a_dismissed_case_waits_again_when_it_reads_as_graver(
    judge: Make, reread: Make, case_of: Any
) -> None:
    judge("dismissed")
    assert reread(A1="stat")["waits_again"] == 1
    case = case_of("A1")
    assert (case.state, case.get_tier_display(), kinds(case)[-1]) == ("waiting", "stat", "reread_again")
    assert case.decided_at is None
    assert faults() == []


def test_a_dismissed_case_waits_again_for_a_lesion_on_other_words(
    judge: Make, reading: Make, reread: Make, finding: Make
) -> None:
    judge("dismissed")
    more = [finding(), finding(quote="Epidural mass")]
    assert reread(A1=reading("soon", findings=more))["waits_again"] == 1
    assert faults() == []


def test_words_that_the_person_judged_are_no_news(
    judge: Make, reading: Make, reread: Make, finding: Make
) -> None:
    other = finding(quote="Epidural mass")
    judge("dismissed", judged=[(other["start"], other["end"])])
    assert reread(A1=reading("soon", findings=[finding(), other]))["waits_again"] == 0


@pytest.mark.parametrize(
    ("given", "now", "state"),
    [(2, "soon", "confirmed"), (2, "urgent", "waiting"), (0, "urgent", "confirmed")],
)
def test_a_confirmed_case_waits_again_only_when_it_is_graver_than_the_person_said(
    judge: Make, reread: Make, given: int, now: str, state: str
) -> None:
    case = judge("confirmed", tier_given=given)
    reread(A1=now)
    case.refresh_from_db()
    assert case.state == state
    assert faults() == []


def test_a_case_read_blind_tells_the_same_whatever_was_read(
    deliver: Make, version: Make, reread: Make, case_of: Any
) -> None:
    deliver(version("A1", "soon"), version("A2", "soon"), version("A3", "soon"))
    Case.objects.update(is_blind=True)
    reread(A1="soon", A2="routine", A3="urgent")
    assert [kinds(case_of(key))[-1] for key in ("A1", "A2", "A3")] == ["reread", "reread", "reread_up"]
    assert [case_of(key).is_blind for key in ("A1", "A2", "A3")] == [True, True, False]


def test_a_decision_on_the_reading_of_before_is_refused(
    deliver: Make, version: Make, reread: Make, case_of: Any, lead: Any
) -> None:
    deliver(version("A1", "soon"))
    case = case_of("A1")
    caseload.claim(lead, case.pk)
    reread(A1="stat")
    asked = (lead, case.pk, case.reading.version_id, "confirmed")
    with pytest.raises(caseload.NewerVersionError, match="read again with other rules"):
        caseload.decide(*asked, reading_seen=case.reading_id)
    caseload.decide(*asked, reading_seen=case_of("A1").reading_id)
    assert case_of("A1").state == "confirmed"


def test_rules_go_live_by_a_named_person_with_a_reason(opened: Make, lead: Any) -> None:
    run = opened()
    kept = RuleSet.objects.get(pk=NEW.version)
    assert (kept.applied_by, kept.reason) == (lead, "new words")
    row = AuditRow.objects.get(action="rules.applied", subject=f"run:{run}")
    assert row.actor == lead.actor
    assert "new words" not in str(row.detail)
    assert Run.objects.get(pk=run).account == lead
    assert faults() == []


def test_two_rereads_never_go_on_at_once(opened: Make) -> None:
    run = opened()
    with pytest.raises(ledger.RereadError, match=f"Run {run} reads again already"):
        opened()


def test_no_reread_begins_while_a_batch_reads_with_the_rules_of_before(opened: Make, run: Make) -> None:
    number = run()
    with pytest.raises(ledger.RereadError, match=f"Run {number} still reads with the rules of before"):
        opened()
    assert RuleSet.objects.get(pk=NEW.version).applied_at is None


def test_what_is_read_with_these_rules_is_not_read_again(
    deliver: Make, version: Make, opened: Make, reread: Make
) -> None:
    deliver(version("A1"), version("A2"), version("A3"))
    run = opened()
    first = ledger.unfinished(run, "readings")[0]
    assert len(ledger.reread_texts(first)) == 2
    ledger.close_run(run, "failed")  # before it read anything
    again = opened()
    assert len(ledger.take_over(again)) == 2
    assert reread(again, A1="stat", A2="stat", A3="stat")["readings"] == 3
    assert reread()["readings"] == 0
    assert Reading.objects.count() == 6
    assert faults() == []


def test_a_batch_takes_no_shard_of_a_reread_over(
    deliver: Make, version: Make, opened: Make, run: Make
) -> None:
    deliver(version("A1"))
    number = opened()
    ledger.close_run(number, "failed")
    assert ledger.take_over(run(rules_version=NEW.version)) == []
    assert len(ledger.take_over(opened())) == 1


def test_what_is_left_of_a_reread_goes_on_under_the_name_of_who_began_it(
    deliver: Make, version: Make, opened: Make, lead: Any, reread: Make
) -> None:
    deliver(version("A1"))
    assert ledger.resume_reread(NEW.version, "1") is None
    number = opened()
    ledger.close_run(number, "failed")
    assert ledger.resume_reread("sha256:other", "1") is None
    again = ledger.resume_reread(NEW.version, "1")
    assert again and Run.objects.get(pk=again).account == lead
    ledger.take_over(again)
    assert reread(again, A1="stat")["readings"] == 1
    assert faults() == []


def test_a_version_that_was_replaced_meanwhile_is_left_alone(
    deliver: Make, version: Make, opened: Make, reading: Make
) -> None:
    deliver(version("A1", "routine"))
    (shard,) = ledger.unfinished(opened(), "readings")
    (old,) = ledger.reread_texts(shard)
    deliver(version("A1", "routine", text="Normal."))
    said = reading("stat") | {"rules_version": NEW.version}
    assert ledger.store_reread(shard, {old.pk: said})["readings"] == 0
    assert not Case.objects.exists()
    assert ledger.store_reread(shard, {old.pk: said})["readings"] == 0


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"tier": "soon"}, "an input, version or reading of shard"),
        ({"data": "{}"}, "an input, version or reading of shard"),
        ({"shard": None}, "an input, version or reading of shard"),
    ],
)
def test_a_reading_of_a_reread_that_was_changed_is_found(
    deliver: Make, version: Make, reread: Make, change: dict[str, Any], what: str
) -> None:
    deliver(version("A1", "stat"))
    reread(A1="stat")
    if change == {"data": "{}"}:
        change = {"data": Reading.objects.order_by("id")[0].data.replace("74", "75")}
    Reading.objects.filter(rules_version=NEW.version).update(**change)
    assert any(what in fault for fault in faults())


def test_a_dismissal_that_hides_what_a_reread_found_is_found(judge: Make, reread: Make, case_of: Any) -> None:
    judge("dismissed")
    reread(A1="stat")
    again = CaseEvent.objects.get(kind="reread_again")
    at = case_of("A1").decisions.get().at
    Case.objects.update(state="dismissed", decided_at=at)
    assert f"case {again.case_id} is dismissed, but a reread made it wait again" in faults()


def test_the_quality_sample_does_not_draw_old_reports_because_they_were_read_again(
    deliver: Make, version: Make, reread: Make, settings: Any
) -> None:
    deliver(version("A1", "routine"))
    Reading.objects.update(at=timezone.now() - timedelta(days=30))
    reread(A1="routine")
    settings.SITE = replace(settings.SITE, quality=replace(settings.SITE.quality, share=1.0))
    assert caseload.draw(timezone.now()).opened == 0


def test_a_reread_is_no_intake(deliver: Make, version: Make, reread: Make, run: Make) -> None:
    deliver(version("A1", "routine"))
    Run.objects.update(state="completed", ended_at=timezone.now() - timedelta(hours=5))
    reread(A1="routine")
    assert ledger.intake(timezone.now(), None).is_late
