"""Small histories, with the figures counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import caseload
from review.models import Account, Case, Communication, Correction, Decision, Shard, Tier
from review.statistics import SUBJECTS, Table

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


def row(table: Table, key: Any) -> dict[str, Any]:
    """Return the row whose first column says so."""
    return next(row for row in table.rows if str(row[table.columns[0].key]) == str(key))


@pytest.fixture
def lead(person: Make) -> Account:
    return person("lead")


@pytest.fixture
def two_days(deliver: Make, version: Make, at: Make) -> None:
    """Two days of reports: on the 10th from two sources, on the 12th from one."""
    with at():
        again = version("A1", "stat")
        deliver(again, version("A2", "routine"), version("A3", "soon"), version("A4", "unread"), "no_text")
        deliver(again, version("B1", "routine"), source="south")
    with at(days=2):
        deliver(
            version("A5", "urgent"), version("A2", "routine", "corrected"), version("A3", None, "deleted")
        )


@pytest.mark.usefixtures("two_days")
def test_inputs_are_counted_on_their_day_by_outcome(figures: Make, lead: Account) -> None:
    table = figures("inputs", lead, days=3)
    assert len(table.rows) == 10
    tenth = row(table, "2026-11-10")
    assert {key: tenth[key] for key in ("queued", "routine", "unreadable_text", "duplicate", "rejected")} == {
        "queued": 2, "routine": 2, "unreadable_text": 1, "duplicate": 1, "rejected": 1,
    }  # fmt: skip
    assert (tenth["all"], row(table, "2026-11-12")["all"], row(table, "2026-11-11")["all"]) == (7, 3, 0)
    assert "10 inputs: 3 queued, 4 routine, 1 that could not be understood, 1 rejected, 1 that" in table.says


@pytest.mark.usefixtures("two_days")
def test_an_account_sees_figures_of_its_sources_only(figures: Make, person: Make, run: Make) -> None:
    south = person("lead", sources=("south",))
    table = figures("inputs", south, days=3)
    assert sum(row["all"] for row in table.rows) == 2
    assert "all sources together" in table.of
    assert all(row["all"] == 0 for row in figures("cases", south, days=3).rows)
    assert all(row["all"] == 0 for row in figures("depth", south, days=3).rows)
    assert row(figures("missed", south, days=3), "routine texts read")["value"] == 1


@pytest.mark.usefixtures("two_days")
def test_cases_are_counted_on_the_day_of_their_arrival(figures: Make, lead: Account) -> None:
    table = figures("cases", lead, days=3)
    assert row(table, "2026-11-10") | {"day": None} == {
        "day": None, "stat": 1, "urgent": 0, "soon": 1, "unread": 1, "all": 3,
    }  # fmt: skip
    assert table.says == "4 cases: 1 stat, 1 urgent, 1 soon, 1 unread."


def test_the_depth_of_the_queue_follows_what_happened_to_each_case(  # noqa: PLR0917
    deliver: Make, version: Make, at: Make, figures: Make, lead: Account, decide: Make, case_of: Make
) -> None:
    with at():  # 10th: three come
        deliver(version("A1", "stat"), version("A2", "soon"), version("A3", "soon"))
    with at(days=1):  # 11th: one is decided, one raised
        decide(lead, "A1", "dismissed")
        deliver(version("A2", "urgent", "corrected"))
    with at(days=2):  # 12th: one waits again, one is withdrawn while it waits
        caseload.reopen(lead, case_of("A1").pk, "second thoughts")
        deliver(version("A3", None, "deleted"))
    with at(days=3):  # 13th: decided, and a decided one withdrawn
        decide(lead, "A1", "dismissed")
        deliver(version("A1", None, "deleted"))
    table = figures("depth", lead, days=4)
    found = {
        str(row["day"])[-2:]: (row["stat"], row["urgent"], row["soon"], row["all"]) for row in table.rows
    }
    assert found["09"] == (0, 0, 0, 0)
    assert found["10"] == (1, 0, 2, 3)
    assert found["11"] == (0, 1, 1, 2)
    assert found["12"] == (1, 1, 0, 2)
    assert found["13"] == (0, 1, 0, 1)
    assert found["14"] == (0, 1, 0, 1)
    assert "the most were 3 on 10 Nov 2026" in table.says
    # Seen from later, the days before are the same.
    earlier = figures("depth", lead, period=("2026-11-10", "2026-11-11"), days=9)
    assert [row["all"] for row in earlier.rows] == [3, 2]


def test_waiting_times_count_from_when_the_case_waits_in_its_tier(  # noqa: PLR0917
    deliver: Make, version: Make, at: Make, figures: Make, lead: Account, decide: Make, case_of: Make
) -> None:
    with at():
        deliver(*(version(f"A{n}", "stat") for n in range(1, 5)), version("B1", "soon"))
    with at(minutes=4):
        caseload.claim(lead, case_of("A1").pk)
    for key, minutes in (("A2", 6), ("A3", 20)):
        with at(minutes=minutes):
            decide(lead, key)
    with at(minutes=30):  # raised: its clock as a stat case begins now
        deliver(version("B1", "stat", "corrected"))
    with at(minutes=31):
        decide(lead, "B1")
    table = figures("decision", lead, minutes=40)
    stat = row(table, "stat")
    # Done after 1, 6 and 20 minutes; two still wait, for 40 minutes. The limit is 15.
    assert (stat["began"], stat["done"], stat["open"]) == (5, 3, 2)
    assert (stat["due"], stat["within"], stat["share"]) == (5, 2, 0.4)
    # Kaplan-Meier: 4/5 left after 1, 3/5 after 6, 2/5 after 20.
    assert (stat["median"], stat["ninety"], stat["limit"]) == (20, None, 15)
    assert row(table, "soon")["began"] == 0
    assert "stat: half decided within 20 min, 40.0 % of 5 within 15 min" in table.says
    # Claimed after 1, 4, 6 and 20 minutes; one waits.
    claims = row(figures("claim", lead, minutes=40), "stat")
    assert (claims["began"], claims["done"], claims["median"], claims["within"]) == (5, 4, 6, 3)
    # Ten minutes after the start nothing is late, and what waits says nothing yet.
    early = row(figures("decision", lead, minutes=10), "stat")
    assert early["share"] is not None


def test_a_tier_of_which_few_are_done_is_said_in_words_and_without_a_dash(  # noqa: PLR0917
    deliver: Make, version: Make, at: Make, figures: Make, lead: Account, decide: Make
) -> None:
    with at():
        deliver(*(version(f"A{n}", "stat") for n in range(3)))
    assert figures("decision", lead, minutes=40).says == "stat: none decided, 3 wait longer than 15 min."
    with at(minutes=1):
        decide(lead, "A1")
    says = figures("decision", lead, minutes=40).says
    assert says == "stat: fewer than half decided so far, 33.3 % of 3 within 15 min."


def test_confirmed_shares_have_their_intervals(  # noqa: PLR0917
    deliver: Make,
    version: Make,
    reading: Make,
    finding: Make,
    at: Make,
    figures: Make,
    lead: Account,
    decide: Make,
) -> None:
    def read(rule: str, *concepts: str) -> dict[str, Any]:
        return reading("stat", decided_by=rule, findings=[finding(concept=concept) for concept in concepts])

    with at():
        deliver(
            version("A1", reading=read("R1", "META", "MASS")),
            version("A2", reading=read("R1", "META")),
            version("A3", reading=read("R2", "META")),
            version("A4", "soon"),
            version("A5", "soon"),
        )
    with at(hours=1):
        decide(lead, "A1")
        decide(lead, "A2", "dismissed")
        decide(lead, "A3")
        decide(lead, "A4", "dismissed")
    with at(days=20):
        decide(lead, "A5")  # after the period
    tier = figures("confirmed-tier", lead, days=30)
    stat = row(tier, "stat")
    assert (stat["decided"], stat["confirmed"]) == (3, 2)
    # Wilson for 2 of 3, by hand: (0.2077, 0.9385).
    assert (stat["low"], stat["high"]) == (pytest.approx(0.2077, abs=1e-4), pytest.approx(0.9385, abs=1e-4))
    assert row(tier, "urgent")["share"] is None
    assert (row(tier, "soon")["decided"], row(tier, "soon")["share"]) == (1, 0)
    rule = figures("confirmed-rule", lead, days=30)
    assert [(r["rule"], r["decided"], r["confirmed"]) for r in rule.rows] == [("R1", 3, 1), ("R2", 1, 1)]
    concept = figures("confirmed-concept", lead, days=30)
    assert [(r["concept"], r["decided"], r["confirmed"]) for r in concept.rows] == [
        ("META", 3, 2), ("EPI_MASS", 1, 0), ("MASS", 1, 1),
    ]  # fmt: skip


def test_a_decision_that_was_taken_back_does_not_count(  # noqa: PLR0917
    deliver: Make, version: Make, at: Make, figures: Make, lead: Account, decide: Make, case_of: Make
) -> None:
    with at():
        deliver(version("A1", "stat"))
        decide(lead, "A1", "dismissed")
    with at(hours=1):
        caseload.reopen(lead, case_of("A1").pk, "second thoughts")
    assert row(figures("confirmed-tier", lead, days=1), "stat")["decided"] == 0
    with at(hours=2):
        decide(lead, "A1")
    stat = row(figures("confirmed-tier", lead, days=1), "stat")
    assert (stat["decided"], stat["confirmed"]) == (1, 1)


@pytest.fixture
def sampled(  # noqa: PLR0917
    deliver: Make, version: Make, at: Make, lead: Account, decide: Make, settings: Any
) -> None:
    """20 routine reports, 11 of them drawn, of which one was confirmed; 3 stat cases, 2 confirmed."""
    settings.SITE = replace(settings.SITE, quality=replace(settings.SITE.quality, share=1.0))
    with at():
        deliver(
            *(version(f"R{n}", "routine") for n in range(11)), *(version(f"S{n}", "stat") for n in range(3))
        )
        caseload.draw(Case.objects.first().first_arrival)
        deliver(*(version(f"Q{n}", "routine") for n in range(9)))
        deliver(version("S0", "routine", "corrected"))
    with at(hours=1):
        decide(lead, "R0", given=Tier.URGENT)
        for number in range(1, 9):
            decide(lead, f"R{number}", "dismissed")
        decide(lead, "S1")
        decide(lead, "S2")
    with at(hours=2):
        # Found by the machine after all: this one says nothing of what it misses.
        deliver(version("R9", "stat", "corrected"))
        decide(lead, "R9")
        # Decided as routine, and graver later: that it was decided before still counts.
        deliver(version("R8", "stat", "corrected"))
        decide(lead, "R8")


@pytest.mark.usefixtures("sampled")
def test_the_missed_share_is_that_of_the_blind_sample(figures: Make, lead: Account) -> None:
    table = figures("missed", lead, hours=3)
    value = {row["what"]: row["value"] for row in table.rows}
    assert value["routine texts read"] == 21
    assert value["drawn for the sample"] == 11
    assert value["decided as routine"] == 9
    assert value["confirmed as suspicious: missed"] == 1
    assert value["confirmed cases that the machine found"] == 2
    assert value["cases of the period that still wait"] == 1
    share = row(table, "missed share of routine reports")
    # Clopper-Pearson for 1 of 9: 0.281 % to 48.25 %.
    assert share["value"] == pytest.approx(1 / 9)
    assert (share["low"], share["high"]) == (
        pytest.approx(0.00281, abs=1e-5),
        pytest.approx(0.4825, abs=1e-4),
    )
    sensitivity = row(table, "sensitivity")
    assert sensitivity["value"] == pytest.approx(2 / (2 + 21 / 9))
    assert sensitivity["low"] == pytest.approx(2 / (2 + 21 * share["high"]))
    assert sensitivity["high"] == pytest.approx(2 / (2 + 21 * share["low"]))
    assert table.says.startswith("Too few to rely on (9 of at least 300). 1 of 9 routine reports")


@pytest.mark.usefixtures("sampled")
def test_the_sample_is_left_out_of_all_other_figures(figures: Make, lead: Account) -> None:
    assert row(figures("confirmed-tier", lead, hours=3), "soon")["decided"] == 0
    assert row(figures("decision", lead, hours=3), "soon")["began"] == 0
    assert row(figures("cases", lead, hours=3), "2026-11-10")["all"] == 3
    assert row(figures("corrected", lead, hours=3), "any of these")["decided"] == 2


def test_without_a_decided_sample_nothing_is_claimed(figures: Make, lead: Account) -> None:
    table = figures("missed", lead)
    assert (
        table.says == "Nothing can be said: no report of the quality sample of this period has been decided."
    )
    assert row(table, "sensitivity")["value"] is None


def test_results_told_in_time_late_and_not_at_all_are_told_apart(  # noqa: PLR0917
    deliver: Make, version: Make, at: Make, figures: Make, lead: Account, decide: Make, case_of: Make
) -> None:
    with at():
        deliver(*(version(f"A{n}", "stat") for n in range(5)), version("U", "urgent"), version("S", "soon"))
        for number in range(5):
            decide(lead, f"A{number}")
        decide(lead, "U")
        decide(lead, "S")
    for key, minutes in (("A0", -3), ("A1", 15), ("A2", 16)):
        with at(minutes=minutes):
            told(case_of(key), lead)
    table = figures("communicated", lead, minutes=60)
    stat, urgent = row(table, "stat"), row(table, "urgent")
    assert [stat[key] for key in ("confirmed", "due", "within", "late", "untold")] == [5, 5, 2, 1, 2]
    assert stat["share"] == 0.4
    assert [urgent[key] for key in ("confirmed", "not_due", "due", "share")] == [1, 1, 0, None]
    assert len(table.rows) == 2


def told(case: Case, account: Account) -> None:
    now = timezone.now()
    Communication.objects.create(
        case=case,
        decision=case.decisions.get(),
        account=account,
        at=now,
        finding="epidural mass",
        told_to="ward 3",
        told_by="the reader",
        found_at=now,
        told_at=now,
        method="phone",
    )


def test_a_tier_that_the_reader_lowered_or_raised_is_the_one_that_counts(  # noqa: PLR0917
    deliver: Make, version: Make, at: Make, figures: Make, lead: Account, decide: Make
) -> None:
    with at():
        deliver(version("A1", "stat"), version("A2", "soon"))
        decide(lead, "A1", given=Tier.SOON)
        decide(lead, "A2", given=Tier.STAT)
    table = figures("communicated", lead, minutes=60)
    assert [row["confirmed"] for row in table.rows] == [1, 0]


def read_terms(at: Make, deliver: Make, version: Make, days: int, terms: dict[str, int]) -> None:
    with at(days=days):
        deliver(version(f"T{days}", "routine"))
    Shard.objects.filter(pk=Shard.objects.latest("pk").pk).update(terms=terms)


def test_a_term_is_flagged_when_its_change_is_beyond_chance_and_matters(
    at: Make, deliver: Make, version: Make, figures: Make, lead: Account
) -> None:
    before = {"": 2000, "TWICE": 40, "SAME": 400, "A_BIT": 1000, "RARE": 1, "GONE": 60}
    now = {"": 1000, "TWICE": 48, "SAME": 205, "A_BIT": 620, "RARE": 4, "NEW": 2}
    read_terms(at, deliver, version, -10, before)
    read_terms(at, deliver, version, -60, {"": 9000, "TWICE": 9000})  # longer ago than the month before
    read_terms(at, deliver, version, 0, now)
    table = figures("drift", lead, days=1)
    flags = {row["concept"]: row["flag"] for row in table.rows}
    assert flags == {
        "TWICE": "▲ more often", "GONE": "▼ less often", "A_BIT": "", "SAME": "", "RARE": "", "NEW": "",
    }  # fmt: skip
    twice = row(table, "TWICE")
    assert (twice["rate_before"], twice["rate"], twice["ratio"]) == (20.0, 48.0, 2.4)
    # A change by a quarter is far beyond chance here, and still no news; the rare ones are not tested.
    assert row(table, "A_BIT")["chance"] < 0.001
    assert row(table, "RARE")["chance"] is row(table, "NEW")["chance"] is None
    assert row(table, "NEW")["ratio"] is None
    assert "2 of 4 concepts tested have changed beyond chance" in table.says
    assert "1,000 in the period, 2,000 in the 30 days before" in table.of
    assert "rules were the same" in table.of


def test_that_the_rules_changed_meanwhile_is_said(  # noqa: PLR0917
    at: Make, deliver: Make, version: Make, run: Make, figures: Make, lead: Account
) -> None:
    with at(days=-10):
        deliver(version("A1", "stat"), run_id=run(rules_version="old"))
    with at():
        deliver(version("A2", "stat"), run_id=run(rules_version="new"))
    assert "The rules changed meanwhile (2 versions" in figures("drift", lead, days=1).of


def test_of_each_stretch_the_newest_correction_counts(  # noqa: PLR0917
    deliver: Make, version: Make, at: Make, figures: Make, lead: Account, decide: Make, case_of: Make
) -> None:
    def correct(key: str, kind: str, start: int) -> None:
        case = case_of(key)
        Correction.objects.create(
            case=case,
            reading=case.reading,
            account=lead,
            at=case.first_arrival,
            kind=kind,
            start=start,
            end=start + 4,
        )

    with at():
        deliver(*(version(f"A{n}", "stat") for n in range(5)))
        correct("A0", "not_a_lesion", 0)
        correct("A0", "not_a_lesion", 10)
        correct("A0", "missed", 20)
        correct("A1", "not_a_lesion", 0)
        correct("A1", "as_read", 0)  # taken back
        correct("A4", "missed", 0)  # of a case that is not decided
        for number in range(4):
            decide(lead, f"A{number}")
    table = figures("corrected", lead, days=1)
    found = {row["what"]: (row["findings"], row["cases"], row["decided"]) for row in table.rows}
    assert found == {
        "a finding was no lesion": (2, 1, 4),
        "a finding was read otherwise": (0, 0, 4),
        "a finding was missed": (1, 1, 4),
        "any of these": (3, 1, 4),
    }
    assert table.says == "1 of 4 decided cases were corrected (25.0 %)."


@pytest.mark.parametrize("name", SUBJECTS)
def test_an_empty_ledger_has_figures_too(figures: Make, lead: Account, name: str) -> None:
    table = figures(name, lead)
    assert table.says
    assert table.of
    assert table.csv.startswith(",".join(column.key for column in table.columns))
    assert all(len(cells) == len(table.columns) for cells in table.shown)


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_subject_asks_no_more_often_when_there_is_more(  # noqa: PLR0917
    deliver: Make, version: Make, at: Make, figures: Make, lead: Account, decide: Make, name: str
) -> None:
    asked = []
    for batch in range(2):
        with at(hours=batch):
            keys = [f"{batch}-{n}" for n in range(1 + 9 * batch)]
            deliver(*(version(key, "stat") for key in keys))
            for key in keys:
                decide(lead, key)
        with CaptureQueriesContext(connection) as queries:
            figures(name, lead, days=1)
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 4
    assert Decision.objects.count() == 11
