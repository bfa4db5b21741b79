"""Rows that acts change: each must be as the last act about it left it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from review.audit.chain import Action
from review.audit.erased import erased
from review.audit.shards import early_shards
from review.audit.states import TURN
from review.digests import COLUMNS, row_digest, study_digests
from review.models import Account, AuditRow, Case, CaseEvent, Run, Shard, Study

Fault = dict[str, Any]
Said = dict[int, tuple[int, str]]  # by id, the number of the last row of the audit about it, and the digest
STUDIES = 500  # asked for at once


def latest_faults() -> Iterator[Fault]:
    """Find runs, accounts and studies that were changed, removed or made up behind the program's back."""
    begun, ended, accounts, studies = _said()
    runs = Run.objects.exclude(state=Run.State.RUNNING).order_by("pk")
    yield from _compare("run", ended, _digests(runs.values_list(*COLUMNS["run"])))
    all_runs = Run.objects.order_by("pk").values_list(*COLUMNS["run_begun"])
    yield from _compare("run", begun, _digests(all_runs))
    there = Account.objects.order_by("pk").values_list(*COLUMNS["account"])
    yield from _compare("account", accounts, _digests(there))
    of_studies = Shard.objects.filter(kind="studies")
    is_early = any(of_studies.filter(pk__in=shards).exists() for shards in early_shards())
    yield from _compare("study", studies, _studies(), is_early=is_early)
    yield from _claim_faults()


def _claim_faults() -> Iterator[Fault]:
    """Find claims that end at another time than the acts of their holders say.

    An extension moves the end without a row of its own, for as long as a claim lasts; see `caseload.extend`.
    """
    taking = (Action.CASE_CLAIMED, Action.CASE_EXTENDED, Action.CASE_TAKEN_OVER)
    held = Case.objects.exclude(claimed_by=None).order_by("pk").values_list("pk", "claim_expires")
    for case, expires in held:
        acts = AuditRow.objects.filter(subject=f"case:{case}", action__in=taking).order_by("-number")
        act = acts.values_list("number", "detail").first()
        if act is None or "until" not in act[1]:  # an early act does not say; who holds it is another law
            continue
        until = datetime.fromisoformat(act[1]["until"])
        begun = CaseEvent.objects.values_list("at", flat=True).filter(pk=act[1].get("event")).first() or until
        longest = until + (until - begun) + TURN
        if expires is None or not until <= expires <= longest:
            yield {"row": act[0], "what": f"the claim of case {case} ends at another time than it says"}


def _said() -> tuple[Said, Said, Said, Said]:
    begun: Said = {}
    ended: Said = {}
    accounts: Said = {}
    studies: Said = {}
    acts = (Action.RUN_OPENED, Action.RUN_CLOSED, Action.RUN_TAKEN_OVER, Action.SHARD_STORED)
    changes = (Action.ACCOUNT_CHANGED, Action.PASSWORD_CHANGED, Action.SECOND_FACTOR_CHANGED)
    rows = AuditRow.objects.filter(action__in=(*acts, *changes)).order_by("number")
    for number, action, subject, detail in rows.values_list(
        "number", "action", "subject", "detail"
    ).iterator():
        if row := detail.get("row"):
            pk = int(subject.partition(":")[2])
            if action == Action.RUN_OPENED:
                begun[pk] = number, row
            elif action == Action.RUN_CLOSED:
                ended[pk] = number, row
            elif action in changes:
                accounts[pk] = number, row
        ended |= {pk: (number, row) for pk, row in detail.get("runs", ())}
        studies |= {pk: (number, row) for pk, row in detail.get("studies", ())}
    return begun, ended, accounts, studies


def _compare(
    name: str, said: Said, there: Iterable[tuple[int, str]], *, is_early: bool = True
) -> Iterator[Fault]:
    """Compare what is there with what was said last; what nobody spoke of is a fault unless it is early."""
    for pk, digest in there:
        number, row = said.pop(pk, (None, ""))
        if number is not None and row != digest:
            yield {"row": number, "what": f"{name} {pk} was changed"}
        elif number is None and not is_early:
            yield {"row": None, "what": f"{name} {pk} stands in no row of the audit"}
    for pk, (number, _) in said.items():
        yield {"row": number, "what": f"{name} {pk} is not there as it was left"}


def _digests(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, str]]:
    return ((row[0], row_digest(row)) for row in rows)


def _studies() -> Iterator[tuple[int, str]]:
    before, last = erased("study"), 0
    while ids := list(
        Study.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:STUDIES]
    ):
        last = ids[-1]
        yield from ((pk, before.get(pk) or digest) for pk, digest in study_digests(ids))
