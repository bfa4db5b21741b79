"""The rules that runs read with are kept under the address of their content; a change is seen."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from review import audit, ledger
from review.digests import canonical, rules_version
from review.models import AuditRow, RuleSet
from review.records import Rules

pytestmark = [pytest.mark.django_db, pytest.mark.database]
PROGRAM = {"reader.py": "aa", "levels.py": "bb"}
LIBRARIES = {"spacy": "3.8.18", "python": "3.11.2"}


def rules(text: str = "forms = ['mass']", **other: Any) -> Rules:
    files = {"lexicon/a.toml": text, "context.toml": "# Müller\r\n"}
    version = rules_version(files, PROGRAM, LIBRARIES)
    values = {"version": version, "files": files, "program": PROGRAM, "libraries": LIBRARIES}
    return Rules(**values | {"code_version": "1"} | other)


def faults() -> list[str]:
    return [fault["what"] for fault in audit.verify()["faults"]]


def test_rules_come_back_byte_for_byte() -> None:
    ledger.keep_rules(rules())
    assert ledger.kept_rules(rules().version) == rules()
    assert ledger.kept_rules("sha256:unknown") is None
    assert faults() == []


def test_each_version_is_kept_once() -> None:
    for _ in range(2):
        ledger.keep_rules(rules())
        ledger.keep_rules(rules("forms = ['tumour']"))
    assert RuleSet.objects.count() == 2


def test_the_first_rules_are_live_as_shipped_and_later_ones_wait_to_be_let() -> None:
    ledger.keep_rules(rules())
    ledger.keep_rules(rules("forms = ['tumour']"))
    shipped, later = RuleSet.objects.order_by("first_used")
    assert shipped.applied_at and (shipped.applied_by, shipped.reason) == (None, "as shipped")
    assert (later.applied_at, later.applied_by, later.reason) == (None, None, "")


def test_the_version_names_files_program_and_libraries() -> None:
    files = rules().files
    same = rules_version(dict(reversed(files.items())), PROGRAM, LIBRARIES)
    others = {
        rules_version(files | {"context.toml": "# Müller\n"}, PROGRAM, LIBRARIES),
        rules_version(files, PROGRAM | {"reader.py": "ab"}, LIBRARIES),
        rules_version(files, PROGRAM, LIBRARIES | {"spacy": "3.8.19"}),
    }
    assert same == rules().version
    assert len(others - {same}) == 3


def test_what_is_not_what_its_version_says_is_not_kept() -> None:
    with pytest.raises(ValueError, match="another content than their version says"):
        ledger.keep_rules(rules(program=PROGRAM | {"more.py": "cc"}))
    assert not RuleSet.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"files": zlib.compress(canonical({"context.toml": "other"}).encode())},
        {"files": b"junk"},
        {"program": {"reader.py": "cc"}},
        {"libraries": []},
    ],
)
def test_rules_that_were_changed_are_found(change: dict[str, Any]) -> None:
    ledger.keep_rules(rules())
    RuleSet.objects.update(**change)
    assert faults() == [f"the rules {rules().version} were changed"]


def test_rules_that_were_let_go_live_by_nobody_are_found(person: Any) -> None:
    ledger.keep_rules(rules())
    RuleSet.objects.update(applied_by=person("lead"))
    row = AuditRow.objects.get(action=audit.Action.RULES_APPLIED).number
    assert audit.verify()["faults"] == [
        {"row": row, "what": f"the rules {rules().version} did not go live as they say"}
    ]


def test_rules_that_are_gone_are_missed_by_the_act_and_by_the_run(run: Any) -> None:
    ledger.keep_rules(rules())
    run(rules_version=rules().version)
    RuleSet.objects.all().delete()
    assert faults() == [
        f"the rules {rules().version} went live, but are not there",
        f"the rules {rules().version} were kept, but are not there",
    ]


def test_an_old_run_without_kept_rules_is_no_fault(run: Any) -> None:
    run(rules_version="sha256:old")
    assert faults() == []
