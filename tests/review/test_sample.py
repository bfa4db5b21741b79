"""The quality sample: drawn by lot and nothing else, read blind, and proven by the audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import audit, caseload, ledger
from review.access import is_hidden
from review.caseload import blind, sample
from review.models import (
    Account,
    AuditRow,
    Case,
    CaseMark,
    QualitySample,
    Reading,
    Report,
    ReportVersion,
    SampleHead,
    Tier,
)

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


@pytest.fixture
def shares(settings: Any) -> Make:
    def make(share: float = 1.0, blind_soon_share: float = 0.0, seed: str = "test") -> None:
        quality = replace(settings.SITE.quality, share=share, blind_soon_share=blind_soon_share, seed=seed)
        settings.SITE = replace(settings.SITE, quality=quality)

    return make


def draw(**later: float) -> caseload.Drawn:
    return caseload.draw(timezone.now() + timedelta(**later))


def decide(account: Account, case: Case, verdict: str = "dismissed") -> None:
    assert caseload.claim(account, case.pk)
    reason = "no_lesion" if verdict == "dismissed" else ""
    given = Tier.SOON if verdict == "confirmed" else None
    version = case.reading.version_id
    caseload.decide(account, case.pk, version, verdict, reason=reason, tier_given=given)


def faults() -> str:
    return " ".join(fault["what"] for fault in audit.verify()["faults"])


def test_a_drawn_report_is_a_blind_soon_case_of_its_arrival(
    deliver: Make, version: Make, case_of: Make, shares: Make
) -> None:
    shares()
    deliver(version("A1", "routine"), version("A2", "soon"))
    assert draw() == caseload.Drawn(looked_at=1, opened=1)
    drawn, other = case_of("A1"), case_of("A2")
    assert (drawn.tier, drawn.is_blind, other.is_blind) == (Tier.SOON, True, False)
    # Nothing in the list tells them apart: not the place, not the clock, not the history.
    assert drawn.first_arrival == drawn.waiting_since == other.first_arrival == other.waiting_since
    assert [(e.kind, e.at, e.tier) for e in drawn.events.all()] == [
        (e.kind, e.at, e.tier) for e in other.events.all()
    ]
    assert drawn.sample.stratum == "routine"
    assert drawn.sample.share == 1.0
    row = AuditRow.objects.get(action="sample.drawn")
    assert row.subject == "sample:routine"
    assert row.detail["cases"] == [drawn.pk]
    assert audit.verify()["ok"]


def test_drawing_again_changes_nothing_and_goes_on_with_what_is_new(
    deliver: Make, version: Make, shares: Make
) -> None:
    shares()
    deliver(version("A1", "routine"))
    assert draw().opened == 1
    assert draw().opened == draw(days=1).opened == 0
    deliver(version("A2", "routine"))
    assert draw(days=1) == caseload.Drawn(looked_at=1, opened=1)
    assert AuditRow.objects.filter(action="sample.drawn").count() == 2


def test_the_lot_depends_on_seed_and_key_alone_and_hits_the_share(shares: Make) -> None:
    shares(share=0.1)
    routine = QualitySample.Stratum.ROUTINE
    keys = [f"K{number}" for number in range(4000)]
    first = [key for key in keys if blind.is_chosen(routine, key)]
    # 400 are expected, with a standard deviation of 19.
    assert 324 < len(first) < 476
    assert first == [key for key in keys if blind.is_chosen(routine, key)]
    shares(share=0.2)
    assert set(first) < {key for key in keys if blind.is_chosen(routine, key)}
    shares(share=0.1, seed="other")
    assert first != [key for key in keys if blind.is_chosen(routine, key)]
    shares(seed="test")
    # Worked out beside the program, with hmac and hashlib alone: the recipe that the manual gives.
    assert blind.lot("routine", "K1") == pytest.approx(0.5270862728187566)


def test_a_share_of_nothing_draws_nothing_and_of_everything_all(
    deliver: Make, version: Make, shares: Make
) -> None:
    deliver(*(version(f"A{number}", "routine") for number in range(5)))
    shares(share=0.0)
    assert draw() == caseload.Drawn(0, 0)
    shares(share=1.0)
    assert draw().opened == 5


def test_only_current_routine_versions_that_were_read_and_not_withdrawn_are_drawn(
    deliver: Make, version: Make, shares: Make
) -> None:
    shares()
    deliver(version("gone", "routine"), version("rose", "routine"), version("new", "routine"))
    deliver(version("gone", None, "deleted"), version("rose", "stat", "corrected"), version("x", "unread"))
    newest = version("new", "routine", "corrected")
    deliver(newest)
    assert draw().opened == 1
    assert QualitySample.objects.get().reading.version.text_digest == newest.text_digest
    assert audit.verify()["ok"]


def test_a_report_with_a_case_is_never_drawn(deliver: Make, version: Make, shares: Make) -> None:
    shares()
    deliver(version("A1", "stat"))
    deliver(version("A1", "routine", "corrected"))
    assert draw().opened == 0


def test_two_readings_of_one_report_make_one_case(deliver: Make, version: Make, shares: Make) -> None:
    shares()
    deliver(version("A1", "routine"))
    again = Reading.objects.get()
    again.pk = None
    again.save()
    assert draw().opened == 1
    assert QualitySample.objects.get().reading == again


def test_what_was_stored_late_behind_newer_readings_is_still_drawn(
    deliver: Make, version: Make, shares: Make
) -> None:
    """A shard may commit readings with lower numbers after those of another shard were drawn."""
    shares()
    deliver(version("late", "routine"), version("A2", "routine"))
    late = Reading.objects.get(version__report__key="late")
    ReportVersion.objects.filter(pk=late.version_id).update(is_current=False)  # as if it were not there yet
    assert draw().opened == 1
    ReportVersion.objects.filter(pk=late.version_id).update(is_current=True)
    assert draw(minutes=5).opened == 1


def test_switched_on_the_sample_leaves_old_reports_alone(deliver: Make, version: Make, shares: Make) -> None:
    shares()
    deliver(version("A1", "routine"))
    assert draw(days=8) == caseload.Drawn(0, 0)


def test_a_late_drawing_spreads_its_cases_over_the_time_that_leaves_them_half_of_their_limit(
    deliver: Make, version: Make, shares: Make, settings: Any
) -> None:
    shares()
    deliver(*(version(f"A{number}", "routine") for number in range(12)))
    now = timezone.now() + timedelta(days=5)
    caseload.draw(now)
    since = sorted(Case.objects.values_list("waiting_since", flat=True))
    half = timedelta(minutes=settings.WAITING_MINUTES["soon"] / 2)
    assert now - half <= since[0]
    assert since[-1] <= now
    assert since[-1] - since[0] > half / 4
    assert len(set(since)) == 12
    assert all(case.first_arrival == case.waiting_since for case in Case.objects.all())


def test_drawing_takes_small_steps_and_remembers_each(
    deliver: Make, version: Make, shares: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares()
    deliver(*(version(f"A{number}", "routine") for number in range(7)))
    monkeypatch.setattr(sample, "CHUNK", 3)

    class DownError(Exception):
        pass

    def keep(cases: list[Case], *_: Any) -> None:
        if Case.objects.count() > 3:
            raise DownError

    with monkeypatch.context() as broken:
        broken.setattr(blind, "keep", keep)
        with pytest.raises(DownError):
            draw(hours=2)
    third = Reading.objects.order_by("pk")[2].pk
    assert (Case.objects.count(), SampleHead.objects.get().reading) == (3, third)
    assert draw(hours=2) == caseload.Drawn(looked_at=4, opened=4)


def test_looking_at_many_readings_asks_once_a_step(deliver: Make, version: Make, shares: Make) -> None:
    shares(share=1e-9)
    asked = []
    for batch in range(2):
        deliver(*(version(f"B{batch}-{number}", "routine") for number in range(1 + 30 * batch)))
        with CaptureQueriesContext(connection) as queries:
            draw()
        asked.append(len(queries))
    assert asked[0] == asked[1]


@pytest.mark.parametrize(("role", "hidden"), [("radiologist", True), ("lead", True), ("auditor", False)])
def test_who_may_decide_learns_nothing_from_explain_until_then(  # noqa: PLR0917
    deliver: Make, version: Make, shares: Make, person: Make, case_of: Make, role: str, hidden: bool
) -> None:
    shares()
    deliver(version("A1", "routine"))
    draw()
    account = person(role)
    assert is_hidden(case_of("A1"), account) is hidden
    found = ledger.explain("A1", account)
    assert found is not None
    told = (found["outcome"], found["inputs"][0]["outcome"], found["reading"] is None)
    assert told == ((None, None, True) if hidden else ("routine", "routine", False))
    decide(person(), case_of("A1"))
    found = ledger.explain("A1", account)
    assert found is not None
    assert (found["outcome"], found["reading"]["tier"]) == ("routine", "routine")


def test_soon_cases_are_mixed_in_blind_and_no_graver_one_ever(
    deliver: Make, version: Make, case_of: Make, shares: Make
) -> None:
    shares(share=0.0, blind_soon_share=1.0)
    deliver(*(version(tier, tier) for tier in ("stat", "urgent", "soon", "unread")))
    blinded = {tier for tier in ("stat", "urgent", "soon", "unread") if case_of(tier).is_blind}
    assert blinded == {"soon"}
    assert case_of("soon").sample.stratum == "soon"
    assert AuditRow.objects.get(action="sample.drawn").detail["cases"] == [case_of("soon").pk]
    assert audit.verify()["ok"]


def test_a_blind_case_has_no_marks_until_it_is_decided(
    deliver: Make, version: Make, case_of: Make, shares: Make, person: Make
) -> None:
    shares(blind_soon_share=1.0)
    deliver(version("A1", "soon"))
    deliver(version("A1", "soon", "corrected"))
    assert not CaseMark.objects.exists()
    decide(person(), case_of("A1"), "confirmed")
    assert set(CaseMark.objects.values_list("value", flat=True)) == {"EPI_MASS", "extradural", "T6"}
    assert not case_of("A1").is_blind


def test_a_case_decided_once_is_not_blind_when_it_waits_again(
    deliver: Make, version: Make, case_of: Make, shares: Make, person: Make
) -> None:
    shares()
    deliver(version("A1", "routine"))
    draw()
    account = person()
    decide(account, case_of("A1"))
    caseload.reopen(account, case_of("A1").pk, "second thoughts")
    assert not is_hidden(case_of("A1"), account)
    assert audit.verify()["ok"]


@pytest.mark.parametrize(
    ("newer", "tier", "is_blind", "kind"),
    [
        ("stat", "stat", False, "raised"),
        ("urgent", "urgent", False, "raised"),
        ("soon", "soon", True, "newer"),
        ("routine", "soon", True, "newer"),
        ("unread", "soon", True, "newer"),
    ],
)
@pytest.mark.parametrize("first", ["routine", "soon"])
def test_a_newer_version_lifts_the_blindness_only_when_it_is_grave(  # noqa: PLR0917
    deliver: Make,
    version: Make,
    case_of: Make,
    shares: Make,
    first: str,
    newer: str,
    tier: str,
    is_blind: bool,
    kind: str,
) -> None:
    shares(blind_soon_share=1.0)
    deliver(version("A1", first))
    draw()
    deliver(version("A1", newer, "corrected"))
    case = case_of("A1")
    assert (case.get_tier_display(), case.is_blind, case.events.last().kind) == (tier, is_blind, kind)
    assert case.marks.exists() is not is_blind
    assert audit.verify()["ok"]


def test_a_withdrawn_report_withdraws_its_blind_case(
    deliver: Make, version: Make, case_of: Make, shares: Make
) -> None:
    shares()
    deliver(version("A1", "routine"))
    draw()
    deliver(version("A1", None, "deleted"))
    assert case_of("A1").state == Case.State.WITHDRAWN
    assert audit.verify()["ok"]


def forge_sample() -> None:
    """Pass a stat case off as one of the sample, to lower its tier and hide its reading."""
    case = Case.objects.get(report__key="grave")
    QualitySample.objects.create(
        case=case, reading=case.reading, stratum="routine", drawn_at=timezone.now(), share=1
    )
    Case.objects.filter(pk=case.pk).update(tier=Tier.SOON)


TAMPERINGS: dict[str, tuple[Callable[[], object], str]] = {
    "a stat case passed off as sample": (forge_sample, "gravest reading"),
    "a stat case passed off as sample, again": (forge_sample, "no row of the audit drew it"),
    "a stat case passed off as sample, once more": (forge_sample, "not for a reading of that kind"),
    "a stat case hidden": (
        lambda: Case.objects.filter(report__key="grave").update(is_blind=True),
        "hides its reading",
    ),
    "a soon case hidden": (
        lambda: Case.objects.filter(report__key="plain").update(is_blind=True),
        "hides its reading",
    ),
    "a sample case's tier": (
        lambda: Case.objects.filter(sample__stratum="routine").update(tier=Tier.UNREAD),
        "gravest reading",
    ),
    "a sample forgotten": (
        lambda: QualitySample.objects.filter(stratum="routine").delete(),
        "was drawn, but is not of the sample",
    ),
    "a sample that is no longer known, by its tier": (
        lambda: QualitySample.objects.filter(stratum="routine").delete(),
        "gravest reading",
    ),
    "a stratum": (
        lambda: QualitySample.objects.filter(stratum="routine").update(stratum="soon"),
        "no row of the audit drew it",
    ),
    "another's reading": (
        lambda: QualitySample.objects.filter(stratum="routine").update(
            reading=Reading.objects.get(version__report__key="other")
        ),
        "not for a reading of that kind",
    ),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_tampering_with_the_sample_is_found(deliver: Make, version: Make, shares: Make, what: str) -> None:
    shares(share=1.0, blind_soon_share=0.0)
    deliver(version("calm", "routine"), version("plain", "soon"), version("grave", "stat"))
    draw()
    deliver(version("other", "routine"))
    assert audit.verify()["ok"]
    tamper, told = TAMPERINGS[what]
    tamper()
    assert told in faults()


def test_a_case_of_a_routine_report_that_nobody_drew_is_found(deliver: Make, version: Make) -> None:
    deliver(version("A1", "routine"))
    reading, now = Reading.objects.select_related("version__report").get(), timezone.now()
    report = Report.objects.get()
    Case.objects.create(
        report=report,
        reading=reading,
        tier=Tier.SOON,
        source=report.source,
        first_arrival=now,
        waiting_since=now,
    )
    assert "gravest reading" in faults()
