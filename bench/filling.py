"""Fills a database with very many reports in minutes: 10,000 real ones, then copies of them.

The first block goes the product's own way (read, stored, claimed, decided); the database then copies its rows
under new ids, keys and patients, so that every table and index grows as it would.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import secrets
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

from generate import reports

from review.setup import migrate, setup

setup()

# ruff: noqa: E402 - Django must be set up before its models can be imported
from django.core.management.color import no_style
from django.db import connection, models
from django.utils import timezone

from nlp import reader
from review import accounts, caseload, ledger
from review.models import (
    Account,
    AuditHead,
    AuditRow,
    Case,
    CaseEvent,
    CaseMark,
    Decision,
    Input,
    Portion,
    Reading,
    Report,
    ReportVersion,
    Shard,
)
from review.records import NewOutcome, NewPortion, NewVersion

Read = tuple[dict[str, str], reader.Reading]
BLOCK = 10_000
OPEN = 200  # open cases of a block: 20,000 of a million reports
DISTINCT = 1000  # texts that the reader reads; each is used several times, with its number below it
SHARD = 250
REJECTED = 30  # inputs of a block from which no text could be taken
CONTEXT = {"modality": "modality", "body_part": "body_part", "study_description": "study_description"}
COPIED: tuple[type[models.Model], ...] = (
    Report, Shard, Portion, ReportVersion, Input, Reading, Case, CaseMark, CaseEvent, Decision, AuditRow,
)  # fmt: skip
# Columns that tell rows apart: a copy's end in its number. A digest column holds no more than 64 characters.
TOLD_APART = {"key", "patient_id", "accession", "path", "path_digest", "fingerprint"}


def fill_block(account: Account) -> None:
    """Read and store the first block, and decide all but its newest cases."""
    _store(BLOCK, _read(), REJECTED)
    _age()
    _decide(account)


def fill_cases(cases: int, people: int, password: str) -> None:
    """Make so many open cases, and so many radiologists to decide them."""
    suspicious = [(row, reading) for row, reading in _read() if reading.suspicious]
    _store(cases, suspicious, 0)
    first = bench_account("radiologist0", "radiologist")
    first.set_password(password)
    for number in range(people):
        account = first if number == 0 else bench_account(f"radiologist{number}", "radiologist")
        account.password = first.password  # hashed once: the hash is slow on purpose
        account.save()


def _read() -> list[Read]:
    return [
        (row, reader.read(row["report_text"], **{ours: row[theirs] for ours, theirs in CONTEXT.items()}))
        for row in reports(DISTINCT, seed=4)
    ]


def _store(count: int, read: list[Read], rejected: int) -> None:
    """Store so many reports in one run, `rejected` of them without a text."""
    run = ledger.open_run(
        trigger="command", rules_version="sha256:bench", code_version="bench", actor="system"
    )
    for first in range(1, count + 1, SHARD):
        numbers = range(first, min(first + SHARD, count + 1))
        shard = ledger.add_shard(run, [_portion(n) for n in numbers]) or 0
        outcomes = []
        for n, portion in zip(numbers, ledger.shard_portions(shard), strict=True):
            if rejected and n % (count // rejected) == 0:
                outcomes.append(NewOutcome(portion=portion.id, item=0, reason="binary", raw=b"\0"))
            else:
                outcomes.append(
                    NewOutcome(portion=portion.id, item=0, version=_version(n, *read[n % len(read)]))
                )
        ledger.store_shard(shard, outcomes)
    ledger.close_run(run, "completed")


def _portion(number: int) -> NewPortion:
    return NewPortion(
        kind="reports", source="bench", path=f"reports/r{number:07}.txt", fingerprint=f"f{number}"
    )


def _version(number: int, row: dict[str, str], reading: reader.Reading) -> NewVersion:
    text = f"{row['report_text']}\n\nReport {number}."
    return NewVersion(
        key=f"BENCH|{number:07}",
        status="final",
        text=text,
        text_digest=hashlib.sha256(text.encode()).hexdigest(),
        accession=f"A{number:07}",
        patient_id=f"P{number // 3:07}",  # three reports a patient
        birth_date=row["birth_date"],
        sex=row["sex"],
        modality=row["modality"],
        description=row["study_description"],
        context={ours: row[theirs] for ours, theirs in CONTEXT.items()},
        reading=reading.to_dict(),
    )


def _age() -> None:
    """Let the reports have come one after the other over the last four weeks."""
    step = timedelta(days=28) / BLOCK
    now = timezone.now()
    cases = list(Case.objects.order_by("id"))
    for case in cases:
        case.first_arrival = case.waiting_since = now - step * (BLOCK - case.report_id)
    Case.objects.bulk_update(cases, ["first_arrival", "waiting_since"], 500)
    found = list(Report.objects.order_by("id"))
    for report in found:
        report.first_arrival = now - step * (BLOCK - report.pk)
    Report.objects.bulk_update(found, ["first_arrival"], 500)


def _decide(account: Account) -> None:
    rng = random.Random(4)
    done = list(Case.objects.order_by("-first_arrival", "-id")[OPEN:])
    for case in done:
        caseload.claim(account, case.pk)
        version = Reading.objects.values_list("version", flat=True).get(pk=case.reading_id)
        if rng.random() < 0.5:
            caseload.decide(account, case.pk, version, "dismissed", reason="no_lesion")
        else:
            caseload.decide(account, case.pk, version, "confirmed", tier_given=2)


def copy(times: int) -> None:
    """Let the database copy the first block this many times."""
    last = {model: _last(model) for model in COPIED}
    with _quickly():
        for number in range(1, times + 1):
            begin = time.monotonic()
            with connection.cursor() as cursor:
                for model in COPIED:
                    cursor.execute(_copying(model, last, number))
            if number % 10 == 0:
                print(f"  block {number} of {times}, {time.monotonic() - begin:.1f} s", flush=True)
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(COPIED)):
            cursor.execute(statement)
    newest = AuditRow.objects.order_by("-number")[0]
    AuditHead.objects.update(number=newest.number, mac=newest.mac)


def _last(model: type[models.Model]) -> int:
    return int(model._default_manager.aggregate(n=models.Max("pk"))["n"] or 0)


def _copying(model: type[models.Model], last: dict[type[models.Model], int], number: int) -> str:
    """Return the statement that makes copy `number` of a table's first rows."""
    columns, values = [], []
    for field in model._meta.concrete_fields:
        name = connection.ops.quote_name(field.column)  # "offset" is a word of PostgreSQL's
        points_to = model if field.primary_key else field.related_model
        if points_to in last:
            value = f"{name} + {number * last[points_to]}"
        elif field.column in TOLD_APART:
            value = f"substr({name}, 1, 55) || '-{number}'"
        else:
            value = name
        columns.append(name)
        values.append(value)
    table, key = model._meta.db_table, model._meta.pk.column
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table} "  # noqa: S608
        f"WHERE {key} <= {last[model]}"
    )


@contextlib.contextmanager
def _quickly() -> Iterator[None]:
    """Write without waiting for the disk, as a half-filled database is thrown away.

    PostgreSQL need not look up what each copy points to either, and makes its index of words at the end.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous=OFF")
            yield
            cursor.execute("ANALYZE")
            return
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'review_words'")
        words = cursor.fetchone()[0]
        cursor.execute("DROP INDEX review_words")
        cursor.execute("SET synchronous_commit TO off; SET session_replication_role TO replica")
        yield
        print("  the index of words", flush=True)
        cursor.execute("SET maintenance_work_mem TO '1GB'")
        cursor.execute(words)
        cursor.execute("VACUUM ANALYZE")


def bench_account(name: str, role: str) -> Account:
    """Make an account that may work at once."""
    accounts.add_user(name, role)
    account = Account.objects.get(username=name)
    account.must_change_password = False
    account.save()
    return account


def main() -> None:
    """Do `fill`, `copy TIMES` or `cases CASES PEOPLE` (prints a password) in the environment's database."""
    job, *numbers = sys.argv[1:]
    if job == "copy":
        copy(int(numbers[0]))
        return
    migrate()
    account = bench_account("bench", "lead")
    if job == "fill":
        fill_block(account)
    else:
        password = secrets.token_urlsafe(16)
        fill_cases(int(numbers[0]), int(numbers[1]), password)
        print(password)


if __name__ == "__main__":
    main()
