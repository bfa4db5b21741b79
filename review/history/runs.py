"""What ran: the list of runs with its filters, one run, its shards, its inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from review import audit
from review.history.actions import line
from review.history.asked import Asked, address, asked, number, one_of, span
from review.history.finding import open_to
from review.ledger.history import TIERS, input_facts, outcome_rows, summaries
from review.models import Account, AuditRow, Input, Outcome, Reading, Run, Shard

FILTERS = ("since", "until", "state", "trigger", "kind", "rules")
INPUT_FILTERS = ("outcome", "tier", "source", "shard")
AFTER = "after"  # where in the list of inputs: the last one shown
SIZE = 50
SHARDS_AT_ONCE = 400
COLUMNS = (
    "run", "kind", "state", "trigger", "by", "reason", "started_at", "ended_at", "seconds", "inputs",
    *Outcome.values, *TIERS, "unchanged", "studies", "error", "rules_version", "code_version",
    "prefect_flow_run",
)  # fmt: skip

OUTCOMES = (  # as the batch writes them beside the ledger
    "input", "source", "path", "item", "report", "outcome", "reason", "tier", "score", "case", "study",
    "warnings", "rules_version",
)  # fmt: skip


def chosen(query: Mapping[str, str], *beside: str) -> Asked:
    """Return the filters of an address for runs, checked.

    Raises
    ------
    AskedError
        When one cannot be used.
    """
    given = asked(query, FILTERS, beside=beside)
    one_of(given, "state", Run.State.values)
    one_of(given, "kind", Run.Kind.values)
    if {"trigger", "rules"} & given.keys():
        known = offers()
        one_of(given, "trigger", known["trigger"])
        one_of(given, "rules", known["rules"])
    span(given)
    return given


def offers() -> dict[str, list[str]]:
    """Return what the filters can be; triggers and rules as runs had them, the newest rules first."""
    rules = Run.objects.order_by("-id").values_list("rules_version", flat=True)
    return {
        "state": Run.State.values,
        "trigger": sorted(set(Run.objects.order_by().values_list("trigger", flat=True).distinct())),
        "kind": Run.Kind.values,
        "rules": list(dict.fromkeys(rules.order_by().distinct())),
    }


def runs_of(given: Asked) -> QuerySet[Run]:
    """Return the runs that the filters leave, the newest first."""
    runs = Run.objects.filter(span(given).within("started_at")).order_by("-id")
    for name, column in (
        ("state", "state"),
        ("trigger", "trigger"),
        ("kind", "kind"),
        ("rules", "rules_version"),
    ):
        if value := given.get(name):
            runs = runs.filter(**{column: value})
    return runs


def show(given: Asked, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """Return runs that the filters leave, each as `review.ledger.summary` does."""
    return summaries(list(runs_of(given).select_related("account")[offset : offset + limit]))


def as_csv(account: Account, given: Asked) -> Iterator[str]:
    """Give the runs that the filters leave as CSV, some at a time in memory; that is recorded at once."""
    newest = Run.objects.order_by("-id").values_list("pk", flat=True).first() or 0
    runs = runs_of(given).filter(pk__lte=newest)
    count = runs.count()
    audit.record(
        audit.Action.EXPORTED,
        actor=account.actor,
        subject=account.actor,
        what="runs",
        filters=given,
        count=count,
    )
    return _lines(runs.select_related("account"))


def _lines(runs: QuerySet[Run]) -> Iterator[str]:
    yield line(COLUMNS)
    before = None
    while some := list((runs if before is None else runs.filter(pk__lt=before))[:500]):
        for row in summaries(some):
            flat = row | row["outcomes"] | row["tiers"]
            yield line("" if flat[name] is None else flat[name] for name in COLUMNS)
        before = some[-1].pk


@dataclass(frozen=True, slots=True)
class Handing:
    """That a run took over what dead ones had left."""

    run: int
    crashed: list[int]
    shards: int


def handings(run: Run) -> tuple[Handing | None, Handing | None]:
    """Return what the run took over, and which run took over from it."""
    rows = AuditRow.objects.filter(action=audit.Action.RUN_TAKEN_OVER).order_by("number")
    took = rows.filter(subject=f"run:{run.pk}").first()
    lost = None
    if run.state == Run.State.CRASHED:
        later = rows.filter(at__gte=run.started_at).iterator()
        lost = next((row for row in later if run.pk in row.detail.get("crashed", ())), None)
    return _handing(took), _handing(lost)


def one(run_id: int) -> dict[str, Any] | None:
    """Return all of one run but its inputs; None when there is no such run."""
    run = Run.objects.select_related("account").filter(pk=run_id).first()
    if run is None:
        return None
    took, lost = handings(run)
    parts = Shard.objects.filter(run=run).order_by("number")
    return summaries([run])[0] | {
        "took_over": asdict(took) if took else None,
        "taken_over_by": asdict(lost) if lost else None,
        "shards_in_order": [
            {
                "shard": part.number,
                "id": part.pk,
                "kind": part.kind,
                "source": part.source,
                "state": part.state,
                "attempts": part.attempts,
                "started_at": part.started_at and part.started_at.isoformat(),
                "ended_at": part.ended_at and part.ended_at.isoformat(),
                "error": part.error,
                "counts": part.counts,
            }
            for part in parts
        ],
    }


def outcomes_csv(account: Account, run_id: int) -> Iterator[str]:
    """Give the outcome of each input of a run as CSV, without any text; that is recorded at once."""
    audit.record(audit.Action.EXPORTED, actor=account.actor, subject=f"run:{run_id}", what="outcomes")
    return _outcome_lines(outcome_rows(run_id, open_to(account)))


def _outcome_lines(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield line(OUTCOMES)
    for row in rows:
        flat = row | {"warnings": " ".join(row["warnings"])}
        yield line("" if flat[name] is None else flat[name] for name in OUTCOMES)


def _handing(row: AuditRow | None) -> Handing | None:
    if row is None:
        return None
    return Handing(int(row.subject.partition(":")[2]), row.detail["crashed"], len(row.detail["shards"]))


def noteworthy(run_id: int) -> QuerySet[Shard]:
    """Return the shards that did not simply go well the first time."""
    odd = Q(attempts__gt=1) | ~Q(error="") | Q(state=Shard.State.FAILED)
    return Shard.objects.filter(odd, run=run_id).order_by("number")


def chosen_inputs(query: Mapping[str, str]) -> Asked:
    """Return the filters of an address for the inputs of a run, checked.

    Raises
    ------
    AskedError
        When one cannot be used.
    """
    given = asked(query, INPUT_FILTERS, beside=(AFTER,))
    one_of(given, "outcome", Outcome.values)
    one_of(given, "tier", TIERS)
    number(given, "shard")
    return given


@dataclass(frozen=True, slots=True)
class Inputs:
    """A piece of a run's inputs in the order of their shards."""

    rows: list[dict[str, Any]]
    after: str  # where the next piece begins; "" = there is none


def inputs(run_id: int, account: Account, given: Asked, after: str = "", size: int = SIZE) -> Inputs:
    """Return a piece of the inputs of a run, without any text.

    Only shards whose counts say that they hold such inputs are looked into, so a piece costs the same at the
    end of a long run as at its beginning. What is to be read blind is left out for who may decide it.

    Parameters
    ----------
    after
        `SHARD-INPUT`: the shard's number and the input's id after which the piece begins.
    """
    shard_number, last = _place(after)
    rows: list[tuple[int, int]] = []
    waiting = _shards(run_id, given, shard_number)
    while waiting and len(rows) <= size:
        some: list[tuple[int, int, int]] = []
        expected = 0
        while waiting and expected <= size and len(some) < SHARDS_AT_ONCE:
            some.append(waiting.pop(0))
            expected += some[-1][2]
        numbers = {pk: at for pk, at, _ in some}
        found = (
            _inputs_of(account, given)
            .filter(shard__in=numbers)
            .exclude(Q(shard__number=shard_number) & Q(pk__lte=last))
        )
        found = found.order_by("shard__number", "pk")[: size + 1 - len(rows)]
        rows += [(numbers[shard], pk) for shard, pk in found.values_list("shard", "pk")]
    shown, more = rows[:size], len(rows) > size
    return Inputs(
        list(input_facts([pk for _, pk in shown])), f"{shown[-1][0]}-{shown[-1][1]}" if more else ""
    )


def sources_of(run_id: int) -> list[str]:
    """Return the sources that the run took from."""
    sources = Shard.objects.filter(run=run_id, kind="reports").exclude(source="").order_by("source")
    return list(sources.values_list("source", flat=True).distinct())


def query(given: Asked) -> str:
    """Return the filters as they stand in an address."""
    return address(given)


def _place(after: str) -> tuple[int, int]:
    shard, _, last = after.partition("-")
    fits = all(part.isascii() and part.isdecimal() and len(part) < 19 for part in (shard, last))
    return (int(shard), int(last)) if fits else (0, 0)


def _shards(run_id: int, given: Asked, first: int) -> list[tuple[int, int, int]]:
    """Return the shards that hold what is asked for: id, number, and how many such inputs they counted."""
    wanted = (
        [given["tier"]] if "tier" in given else [given["outcome"]] if "outcome" in given else Outcome.values
    )
    shards = Shard.objects.filter(run=run_id, kind="reports", number__gte=first).order_by("number")
    if "shard" in given:
        shards = shards.filter(number=number(given, "shard"))
    counted = (
        (pk, at, sum(counts.get(name, 0) for name in wanted))
        for pk, at, counts in shards.values_list("id", "number", "counts")
    )
    return [one for one in counted if one[2]]


def _inputs_of(account: Account, given: Asked) -> QuerySet[Input]:
    found = open_to(account)
    if outcome := given.get("outcome"):
        found = found.filter(outcome=outcome)
    if tier := given.get("tier"):
        read = Reading.objects.filter(version=OuterRef("version"), tier=tier, shard=None)
        found = found.filter(Exists(read), outcome=Outcome.QUEUED)
    if source := given.get("source"):
        found = found.filter(portion__source=source)
    return found
