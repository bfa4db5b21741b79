"""The database itself refuses to change or delete what stands for ever, and an erasure still can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from review import audit, caseload, guards
from review.models import Account, AuditRow, CaseEvent, Decision, Input, Reading, ReportVersion

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


@pytest.fixture
def work(deliver: Make, version: Make, person: Make, case_of: Make) -> Account:
    """Two versions, a decision, and guards as every installation has them."""
    guards.put_up()
    deliver(version("A1", "stat"), "no_text")
    deliver(version("A1", "stat", "corrected"))
    account, case = person(), case_of("A1")
    caseload.claim(account, case.pk)
    caseload.decide(account, case.pk, case.reading.version_id, "dismissed", reason="no_lesion", comment="x")
    return account  # type: ignore[no-any-return]


CHANGES: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "an audit row": (AuditRow, {"actor": "system"}),
    "an audit row's number": (AuditRow, {"number": 99}),
    "an event": (CaseEvent, {"account": None}),
    "a verdict": (Decision, {"verdict": "confirmed"}),
    "a version": (ReportVersion, {"status": "final"}),
    "a reading": (Reading, {"tier": "routine"}),
    "an outcome": (Input, {"outcome": "duplicate"}),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.usefixtures("work")
def test_nothing_is_changed_or_deleted(what: str) -> None:
    model, change = CHANGES[what]
    newest = model.objects.latest("pk").pk
    with pytest.raises(DatabaseError, match="never changed or deleted"), transaction.atomic():
        model.objects.filter(pk=newest).update(**change)
    with pytest.raises(DatabaseError, match="never changed or deleted"), transaction.atomic():
        model.objects.filter(pk=newest)._raw_delete(connection.alias)


@pytest.mark.usefixtures("work")
def test_postgresql_empties_no_table() -> None:
    if connection.vendor == "postgresql":
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            connection.cursor().execute("TRUNCATE review_auditrow")
    assert AuditRow.objects.exists()


@pytest.mark.usefixtures("work")
def test_words_may_be_erased() -> None:
    assert ReportVersion.objects.update(text="", patient_id="", context={}) == 2
    assert Reading.objects.update(data="{}") == 2
    assert Input.objects.update(raw=None, detail="") == 3
    assert Decision.objects.update(comment="") == 1


@pytest.mark.usefixtures("work")
def test_verify_tells_when_a_guard_is_gone() -> None:
    def told() -> bool:
        return any("refuse changes" in warning for warning in audit.verify()["warnings"])

    assert not told()
    on = " ON review_auditrow" if connection.vendor == "postgresql" else ""
    connection.cursor().execute(f"DROP TRIGGER review_auditrow_no_delete{on}")
    assert guards.missing() == ["review_auditrow_no_delete"]
    assert told()


def test_guards_are_put_up_again_and_taken_down() -> None:
    guards.put_up()
    guards.put_up()
    assert guards.missing() == []
    guards.take_down()
    assert len(guards.missing()) >= 2 * len(guards.GUARDED)


def test_each_guard_knows_its_columns() -> None:
    tables = {model._meta.db_table: model for model in apps.get_models()}
    for table, free in guards.GUARDED.items():
        assert free <= {field.column for field in tables[table]._meta.concrete_fields}, table
