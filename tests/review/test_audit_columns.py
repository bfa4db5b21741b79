"""Whatever is changed in the database alone is found, column by column, or the manual says why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from review import audit, caseload, ledger
from review.audit.unproven import COLUMNS, TABLES
from review.models import AuditRow, Case, Reading, Request, Shard
from review.records import NewPortion, NewSeries, NewStudy
from review.site import Quality

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


@pytest.fixture
def work(deliver: Make, version: Make, person: Make, case_of: Make, run: Make, settings: Any) -> None:  # noqa: PLR0917
    """A row in every table that is proven."""
    new = NewPortion(kind="studies", source="pacs", path="a", fingerprint="f")
    shard = ledger.add_shard(run(), [new])
    assert shard is not None
    study = NewStudy(
        study_uid="1.2",
        source="pacs",
        folder="a",
        series=(NewSeries(series_uid="1.2.3", modality="MR", instances=2),),
    )
    ledger.store_studies(shard, [study], [])
    settings.SITE = replace(settings.SITE, quality=Quality(share=1.0, seed="test", blind_soon_share=0.0))
    deliver(version("A1", "stat"), version("A2", "routine"), "no_text")
    deliver(version("A1", "stat", "corrected"), version("A3", "soon"))
    caseload.draw(timezone.now())
    ended = run()
    ledger.close_run(ended, "completed")
    account, case = person(), case_of("A1")
    caseload.claim(account, case.pk)
    text = case.reading.version.text
    start = text.index("epidural")
    said = caseload.Said(kind="not_a_lesion")
    caseload.correct(account, case.pk, case.reading.version_id, (start, start + 13), said)
    caseload.decide(account, case.pk, case.reading.version_id, "confirmed", tier_given=1, comment="x")
    now = timezone.now()
    Request.objects.create(kind="retry", account=account, at=now)
    telling = caseload.Telling(
        finding="mass", told_to="Dr Ames", told_by="Dr Grey", found_at=now, told_at=now, method="phone"
    )
    caseload.tell_result(account, case.pk, telling)
    caseload.claim(account, case_of("A3").pk)
    assert audit.verify()["faults"] == []


def other(field: Any, value: Any) -> Any:  # noqa: PLR0911 - a table
    """Return another value that the column can hold."""
    if isinstance(field, models.ForeignKey):
        others = field.related_model._default_manager.exclude(pk=value).values_list("pk", flat=True)
        return others.first()
    if isinstance(field, models.BooleanField):
        return not value
    if isinstance(field, models.DateTimeField):
        return value + timedelta(hours=1) if value else timezone.now()
    if isinstance(field, models.JSONField):
        return ["x"] if isinstance(value, list) else {"x": 1}
    if isinstance(field, models.BinaryField):
        return b"x"
    if isinstance(field, models.IntegerField | models.FloatField):
        return (value or 0) + 1
    choices = [one for one, _ in field.choices or () if one != value]
    return choices[-1] if choices else f"{value}x"[-(field.max_length or 500) :]


def columns() -> Iterator[tuple[type[models.Model], Any]]:
    for model in apps.get_app_config("review").get_models():
        if model.__name__ not in TABLES:
            yield from ((model, field) for field in model._meta.concrete_fields if not field.primary_key)


@pytest.mark.usefixtures("work")
def test_each_column_is_proven_or_listed() -> None:
    unfound = set()
    for model, field in columns():
        row = model._default_manager.order_by("-pk").first()
        assert row is not None, f"the test makes no row of {model.__name__}"
        value = other(field, getattr(row, field.attname))
        assert value != getattr(row, field.attname), f"the test does not change {model.__name__}.{field.name}"
        try:
            with transaction.atomic():
                model._default_manager.filter(pk=row.pk).update(**{field.attname: value})
                found = not audit.verify()["ok"]
                transaction.set_rollback(True)
        except IntegrityError:
            found = True  # the database refuses a second one of a kind
        if not found:
            unfound.add(f"{model.__name__}.{field.name}")
    assert unfound == set(COLUMNS)


@pytest.mark.usefixtures("work")
def test_a_row_of_the_audit_of_another_form_is_named_and_the_proof_goes_on() -> None:
    forms: list[Any] = [[], {}, "x", {"runs": 1}, {"event": "x", "shard": "x"}]
    for number in AuditRow.objects.values_list("pk", flat=True):
        with transaction.atomic():
            AuditRow.objects.filter(pk=number).update(detail=forms[number % len(forms)])
            Case.objects.filter(state="confirmed").update(is_to_tell=True, state="withdrawn")
            faults = audit.verify()["faults"]
            assert number in {fault["row"] for fault in faults}
            assert any("whether it was withdrawn" in fault["what"] for fault in faults)
            transaction.set_rollback(True)


@pytest.mark.usefixtures("work")
@pytest.mark.parametrize("broken", ["", "{}", "[]", "[1]", '{"findings": ["x"]}'])
def test_a_reading_that_is_no_reading_is_named_and_the_proof_goes_on(broken: str) -> None:
    case = Case.objects.select_related("reading__version").get(state="confirmed")
    reading = case.reading
    shard = Shard.objects.filter(inputs__version=reading.version).latest("pk")
    Reading.objects.filter(pk=reading.pk).update(data=broken)
    Shard.objects.filter(pk=shard.pk).update(counts=["x"])
    Case.objects.filter(pk=case.pk).update(first_claimed_at=None)
    told = {fault["what"] for fault in audit.verify()["faults"]}
    assert f"an input, version or reading of shard {shard.pk} was changed" in told
    assert f"shard {shard.pk} was changed" in told
    assert f"case {case.pk} was not first claimed when it says" in told


@pytest.mark.usefixtures("work")
def test_each_row_put_in_or_taken_out_is_found() -> None:
    for model in apps.get_app_config("review").get_models():
        if model.__name__ in TABLES:
            continue
        with transaction.atomic():
            model._default_manager.filter(pk=model._default_manager.latest("pk").pk)._raw_delete("default")
            assert not audit.verify()["ok"], f"a {model.__name__} less"
            transaction.set_rollback(True)


def test_each_table_is_proven_or_listed() -> None:
    names = {model.__name__ for model in apps.get_app_config("review").get_models()}
    assert set(TABLES) <= names
    assert {name.partition(".")[0] for name in COLUMNS} <= names - set(TABLES)
