"""Heads outside the database: one that cannot be kept is told of, and none is compared in vain."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from review import audit
from review.audit import verification
from review.models import AuditHead, AuditRow

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
Make = Callable[..., Any]


def test_an_act_stays_and_a_person_learns_that_its_head_was_not_kept(
    run: Make, anchor: Path, caplog: pytest.LogCaptureFixture
) -> None:
    anchor.mkdir()  # nothing can be written there
    with caplog.at_level(logging.ERROR, "review.audit"):
        run()
    assert "the head of audit row 1 could not be kept" in caplog.text
    anchor.rmdir()
    result = audit.verify()
    assert (result["ok"], result["heads"]) == (True, {"kept": 0, "up_to": 0})
    assert "a cut tail is not found" in result["warnings"][0]
    # That verification made up for it.
    assert audit.verify()["heads"] == {"kept": 1, "up_to": 1}


def test_verify_says_when_heads_cannot_be_kept(run: Make, anchor: Path) -> None:
    run()
    anchor.unlink()
    anchor.symlink_to(anchor.parent / "not" / "there")
    assert any("cannot be kept outside" in warning for warning in audit.verify()["warnings"])


def test_gaps_torn_lines_and_changed_places_are_no_faults(run: Make, anchor: Path) -> None:
    for _ in range(5):
        run()
    _, second, third, fourth, _ = anchor.read_text().splitlines(keepends=True)
    anchor.write_text(third + second[:30] + "\n" + fourth + second)
    result = audit.verify()
    assert result["faults"] == []
    assert [said for said in result["warnings"] if str(anchor) in said] == [
        f"the heads in {anchor} end at row 4, the chain at 5",
        f"1 lines of {anchor} are torn",
    ]
    anchor.write_text(fourth + second.replace("2 ", "1 ", 1))
    assert [fault["row"] for fault in audit.verify()["faults"]] == [1]


def test_a_whole_new_chain_with_the_right_key_is_found(run: Make) -> None:
    for _ in range(3):
        run()
    before = ""
    for row in AuditRow.objects.order_by("number"):
        row.actor = "account:7"
        row.mac = before = audit.chain.row_mac(row, before)
        row.save()
    AuditHead.objects.update(mac=before)
    assert [fault["row"] for fault in audit.verify()["faults"]] == [1, 2, 3]


def test_what_is_written_while_it_verifies_is_no_fault(
    deliver: Make, version: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(version("A1", "stat"))

    def elsewhere() -> None:
        deliver(version("A2", "stat"))
        connection.close()

    def meanwhile() -> Iterator[Any]:
        other = threading.Thread(target=elsewhere)
        other.start()
        other.join()
        return iter(())

    monkeypatch.setattr(verification, "FINDERS", (meanwhile, *verification.FINDERS))
    result = audit.verify()
    assert (result["faults"], result["inputs"]) == ([], 1)
    assert audit.verify()["inputs"] == 2
