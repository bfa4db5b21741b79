"""What other rules would change is counted before they go live, and nothing of it is stored."""

# ruff: noqa: F811 - fixtures are asked for by their names

from __future__ import annotations

import csv
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from flows import applying, replay, trial
from flows.editions import keep, kept
from flows.verdict import verdict
from nlp import edition, vocabulary
from nlp import rules as rule_files
from nlp.rules import ConfigError
from review import caseload, ledger
from review.digests import canonical, reading_digest, rules_version
from review.models import AuditRow, Case, ErasedRow, Erasure, Reading, ReportVersion, RuleSet
from review.records import Rules
from tests.review.conftest import (  # noqa: F401 - fixtures
    Make,
    anchor,
    deliver,
    finding,
    no_sample,
    person,
    reading,
    run,
    shard,
    version,
)

pytestmark = pytest.mark.django_db
PEPPER = "FINDINGS: Pepper-pot appearance of the L2 vertebral body."
DOUBT = "FINDINGS: Metastasis at L3 looks far-fetched."
CUE = """
[[cue]]
label = "unlikely"
direction = "before"
reach = "clause"
why = "How one of our readers rejects a thought."
phrases = ["looks far-fetched"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rules with one more form and one more cue than those of the configuration."""
    made = tmp_path_factory.mktemp("rules")
    for name, text in rule_files.load().files.items():
        file = made / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text + CUE if name == "context.toml" else text)
    lexicon = made / "lexicon/suspicious.toml"
    before, mark, after = lexicon.read_text().partition('id = "LYTIC"')
    lexicon.write_text(before + mark + after.replace("forms = [", 'forms = ["pepper-pot appearance",', 1))
    return made


@pytest.fixture
def read(deliver: Make, version: Make) -> Make:
    """Let reports arrive, read with the rules of the configuration."""

    def make(**texts: str) -> None:
        keep(vocabulary.current().rules)
        deliver(
            *(
                version(key, text=text, reading=verdict(text, {}, ()), context={})
                for key, text in texts.items()
            )
        )

    return make


@pytest.fixture
def tried(person: Make, folder: Path) -> Make:
    def make(account: Any = None, to: Path | None = None, source: str = "") -> dict[str, Any]:
        since = timezone.now() - timedelta(days=90)
        account = account or person("lead")
        return trial.run(account, applying.load(folder), since, source, to).as_dict(20)

    return make


def test_the_tiers_cases_concepts_and_words_that_would_change_are_told(read: Make, tried: Make) -> None:
    read(A1=PEPPER, A2=DOUBT, A3="FINDINGS: Normal spine MRI.", A4=f"{PEPPER} Metastasis at T3.")
    told = tried()
    assert (told["reports"], told["changed"]) == (4, 2)
    moved = {(row["before"], row["after"]): row["reports"] for row in told["tiers"]}
    assert moved == {("routine", "soon"): 1, ("soon", "routine"): 1, ("soon", "soon"): 1, ("routine",) * 2: 1}
    assert list(told["cases"].values()) == [1, 0, 0, 1]
    assert told["concepts"] == [
        {"concept": "LYTIC", "new": 2, "lost": 0},
        {"concept": "META_SPINE", "new": 0, "lost": 1},
    ]
    assert [(one["what"], one["quote"], one["examples"]) for one in told["words"]] == [
        ("new", "pepper-pot appearance", ["A1"]),
        ("lost", "metastasis", ["A2"]),
    ]


def test_a_trial_stores_nothing_but_that_it_was_done(read: Make, tried: Make, folder: Path) -> None:
    read(A1=PEPPER, A2=DOUBT)
    before = list(Case.objects.values()), list(Reading.objects.values()), RuleSet.objects.count()
    tried()
    assert (list(Case.objects.values()), list(Reading.objects.values()), RuleSet.objects.count()) == before
    row = AuditRow.objects.get(action="exported")
    assert row.detail["rules_version"] == rule_files.load(folder).version
    assert row.detail["count"] == 2


def test_decided_cases_tell_what_the_rules_are_worth(read: Make, tried: Make, person: Make) -> None:
    read(A1=DOUBT, A2="FINDINGS: Metastasis at L4.")
    lead = person("lead")
    for key, verdict_ in (("A1", "dismissed"), ("A2", "confirmed")):
        case = Case.objects.get(report__key=key)
        caseload.claim(lead, case.pk)
        reason = {"reason": "misread"} if verdict_ == "dismissed" else {}
        caseload.decide(lead, case.pk, case.reading.version_id, verdict_, **reason)
    told = {(row["verdict"], row["what"]): row for row in tried(lead)["decided"]}
    assert (told["dismissed", "queued so far"]["count"], told["dismissed", "queued then"]["count"]) == (1, 0)
    assert (told["confirmed", "queued then"]["count"], told["confirmed", "fall"]["count"]) == (1, 0)
    assert 0.15 < told["confirmed", "queued then"]["low"] < 0.25  # Wilson, 1 of 1


def test_each_changed_report_is_a_row_of_a_file_of_its_owner(read: Make, tried: Make, tmp_path: Path) -> None:
    read(A1=PEPPER, A2="FINDINGS: Normal spine MRI.")
    file = tmp_path / "changed.csv"
    tried(to=file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [(row["report"], row["before"], row["after"], row["effect"]) for row in rows] == [
        ("A1", "routine", "soon", "a case opens")
    ]
    with pytest.raises(applying.ApplyError, match="is there already; name a new file"):
        tried(to=file)


def test_what_waits_to_be_read_blind_is_only_counted(read: Make, tried: Make, tmp_path: Path) -> None:
    read(A1=DOUBT)
    Case.objects.update(is_blind=True)
    told = tried(to=tmp_path / "changed.csv")
    assert (told["changed"], told["words"]) == (1, [])
    assert len((tmp_path / "changed.csv").read_text().splitlines()) == 1


def test_a_person_tries_rules_on_the_sources_they_may_see(read: Make, tried: Make, person: Make) -> None:
    read(A1=PEPPER)
    assert tried(person("lead", sources=("elsewhere",)))["reports"] == 0
    assert tried(source="inbox")["reports"] == 1
    assert tried(source="elsewhere")["reports"] == 0


def test_a_broken_folder_is_refused_with_the_file_and_the_place(tmp_path: Path, folder: Path) -> None:
    for name, text in rule_files.load(folder).files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text.replace('route = "S"', 'route = "Q"'))
    with pytest.raises(ConfigError, match=r"lexicon/.*\.toml: concept .*'route'.*expected one of S"):
        applying.load(tmp_path)
    with pytest.raises(ConfigError, match=r"no \*\.toml file"):
        applying.load(tmp_path / "nowhere")


@pytest.mark.parametrize("since", ["", "90", "d", "-3d", "2026-13-01"])
def test_a_time_that_means_nothing_is_refused(since: str) -> None:
    with pytest.raises(applying.ApplyError, match="--since is"):
        applying.moment(since)


def test_rules_that_new_reports_are_not_read_with_do_not_go_live(folder: Path, person: Make) -> None:
    asked = {"reason": "x", "since": timezone.now(), "source": ""}
    with pytest.raises(applying.ApplyError, match=r"differ in context\.toml, lexicon/suspicious\.toml"):
        applying.open_run(person("lead"), rule_files.load(folder), **asked)
    with pytest.raises(applying.ApplyError, match="Say with --reason"):
        applying.open_run(person("lead"), rule_files.load(), **asked | {"reason": " "})
    assert not RuleSet.objects.exists()


def replayed(account: Any, report: str = "A1") -> replay.Tally:
    kept.cache_clear()
    return replay.replay(account, None, report, 20)


def test_a_reading_is_made_again_byte_for_byte_with_what_was_known_beside_the_text(
    deliver: Make, version: Make, person: Make
) -> None:
    keep(vocabulary.current().rules)
    text, context = (
        "FINDINGS: Normal.\n\nADDENDUM:\nMetastasis at L3 – Ödem.",
        {"patient_age": "067Y", "x": 1.0},
    )
    warned = ("identity_conflict",)
    deliver(
        version("A1", text=text, context=context, reading=verdict(text, context, ())),
        version("A2", text=PEPPER, warnings=warned, reading=verdict(PEPPER, {}, warned), context={}),
    )
    lead = person("lead")
    run = Reading.objects.order_by("id")[0].version.inputs.get().shard.run_id
    tally = replay.replay(lead, run, "", 20)
    assert tally.is_sound
    assert tally.counts["same"] == 2
    row = AuditRow.objects.get(action="run.replayed")
    assert (row.subject, row.actor, row.detail["same"], row.detail["complete"]) == (
        f"run:{run}",
        lead.actor,
        2,
        True,
    )


def test_a_reading_that_was_changed_is_not_explained(read: Make, person: Make) -> None:
    read(A1=DOUBT)
    one = Reading.objects.get()
    Reading.objects.update(data=one.data.replace('"tier":"soon"', '"tier":"stat"'))
    tally = replayed(person("lead"))
    assert not tally.is_sound
    assert "was changed since it was stored" in tally.listed[0].why
    assert {"at": "tier", "stored": "stat", "now": "soon"} in tally.listed[0].differences


def test_a_text_that_was_changed_is_not_explained(read: Make, person: Make) -> None:
    read(A1=DOUBT)
    ReportVersion.objects.update(text="FINDINGS: Normal.")
    assert not replayed(person("lead")).is_sound


@pytest.mark.parametrize(
    ("change", "result", "why"),
    [
        ({"program": {"reader.py": "0"}}, "other_program", "the program differs (made by"),
        ({"libraries": {"spacy": "1.0"}}, "other_libraries", "spacy 1.0, now 3."),
    ],
)
def test_a_difference_is_explained_by_program_or_libraries(
    read: Make, person: Make, change: dict[str, Any], result: str, why: str
) -> None:
    read(A1=DOUBT)
    usual = vocabulary.current().rules
    made = Rules(
        version="",
        files=dict(usual.files),
        program=change.get("program", edition.program()),
        libraries=change.get("libraries", edition.libraries()),
        code_version="0.0.9",
    )
    made = replace(made, version=rules_version(made.files, made.program, made.libraries))
    ledger.keep_rules(made)
    one = Reading.objects.get()
    data = canonical(one.content | {"rules_version": made.version, "score": 1})
    digest = reading_digest(one.version.text, one.version.context, data)
    Reading.objects.update(data=data, rules_version=made.version, digest=digest)
    tally = replayed(person("lead"))
    assert tally.is_sound
    assert tally.counts[result] == 1
    assert why in tally.listed[0].why
    assert [one["at"] for one in tally.listed[0].differences] == ["score"]


def test_old_readings_and_erased_ones_are_counted_apart(
    read: Make, deliver: Make, version: Make, person: Make
) -> None:
    read(A1=DOUBT)
    deliver(version("A2"))
    lead = person("lead")
    assert replayed(lead, "A2").counts["rules_not_kept"] == 1
    erasure = Erasure.objects.create(at=timezone.now())
    ErasedRow.objects.create(
        erasure=erasure, table="reading", row=Reading.objects.get(version__report__key="A1").pk
    )
    assert replayed(lead).counts["erased"] == 1


def test_changed_rules_explain_nothing(read: Make, person: Make) -> None:
    read(A1=DOUBT)
    RuleSet.objects.update(program={"reader.py": "0"})
    tally = replayed(person("lead"))
    assert not tally.is_sound
    assert "the kept rules were changed" in tally.listed[0].why


def test_nothing_of_that_name_is_said(person: Make) -> None:
    with pytest.raises(replay.ReplayError, match="There is no run 4711"):
        replay.replay(person("lead"), 4711, "", 20)
    with pytest.raises(replay.ReplayError, match="No report of that name"):
        replayed(person("lead"), "nobody")


def test_a_case_that_waits_to_be_read_blind_shows_no_difference(read: Make, person: Make) -> None:
    read(A1=DOUBT)
    Case.objects.update(is_blind=True)
    Reading.objects.update(data="{}")
    tally = replayed(person("lead"))
    assert (tally.is_sound, tally.listed[0].differences) == (False, [])
