"""The law of conservation: inputs seen = the sum of the outcomes, for each run and overall."""

from __future__ import annotations

from django.db.models import Count, F, Q, Sum

from review.models import Input, Outcome, Portion, Run, Shard


def conservation(run_id: int | None) -> list[str]:
    """Compare what finished shards took with what they recorded.

    Parameters
    ----------
    run_id
        One run, or None for all.

    Returns
    -------
    list of str
        One sentence for each fault; empty when the law holds.
    """
    done = Shard.objects.filter(state=Shard.State.DONE)
    inputs = Input.objects.all()
    if run_id is not None:
        done = done.filter(run=run_id)
        inputs = inputs.filter(shard__run=run_id)
    taken = dict(
        Portion.objects.filter(shard__in=done.filter(kind="reports"))
        .values_list("shard")
        .annotate(Sum("items"))
    )
    found = dict(inputs.values_list("shard").annotate(Count("id")))
    faults = []
    for shard, kind, counts in done.order_by("id").values_list("id", "kind", "counts"):
        rows = found.pop(shard, 0)
        counted = sum(number for name, number in counts.items() if name in Outcome.values)
        expected = taken.get(shard, 0) if kind == "reports" else counted
        if not rows == expected == counted:
            faults.append(f"shard {shard} took {expected} inputs, holds {rows} and counted {counted}")
    faults += [f"shard {shard} is not done but holds {rows} inputs" for shard, rows in sorted(found.items())]
    strays = inputs.filter(~Q(portion__shard=F("shard")))
    faults += [
        f"input {pk} stands in another shard than its portion" for pk in strays.values_list("pk", flat=True)
    ]
    return faults


def totals() -> tuple[int, dict[str, int]]:
    """Return the inputs seen and the outcomes, over all runs; the latest attempt on an input counts."""
    rows = Input.objects.standing().values_list("outcome").annotate(Count("id"))
    outcomes = dict.fromkeys(Outcome.values, 0) | dict(rows)
    outcomes[Outcome.DUPLICATE] += Run.objects.aggregate(n=Sum("unchanged"))["n"] or 0
    return sum(outcomes.values()), outcomes
