"""What happened to an input after it had its outcome, which who reads the outcome alone would miss."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils import timezone

from review.evidence import in_words
from review.history.finding import open_to
from review.keeping.erased import told as erased_told
from review.meanings import meaning
from review.models import Account, Case, CaseEvent, Discard, Input, Outcome, Reject

if TYPE_CHECKING:
    from review.history.why import Why


def since(found: Why, account: Account) -> Iterator[str]:
    """Say in sentences what happened since; of attempts to be read blind only that there was one."""
    yield from _attempts(found.input, account)
    if found.input.outcome == Outcome.REJECTED:
        yield from _desk(found.input)
    yield from _report(found)


def attempts(item: Input) -> Q:
    """Return the condition for all attempts at the same item of the same file, itself among them."""
    portion = item.portion
    return Q(
        portion__path_digest=portion.path_digest,
        portion__source=portion.source,
        portion__fingerprint=portion.fingerprint,
        portion__offset=portion.offset,
        item=item.item,
    )


def _attempts(item: Input, account: Account) -> Iterator[str]:
    if item.portion.again_id:
        yield f"It was another attempt at input I{item.portion.again_id}, which had been rejected."
    every = Input.objects.filter(attempts(item), pk__gt=item.pk).select_related("shard").defer("raw")
    later = every.order_by("-id").first()
    if later is None:
        return
    tried = f"It was tried again in run {later.shard.run_id}, as input I{later.pk}, which counts"
    if not open_to(account).filter(pk=later.pk).exists():
        yield "It was tried again; what came of that is to be read blind."
    elif later.outcome == Outcome.REJECTED:
        yield f"{tried}: it was rejected again. {meaning(later.reason)}"
    else:
        yield f"{tried}: it was {in_words(later.outcome)}."


def _desk(item: Input) -> Iterator[str]:
    """Say how a rejected input stands on the desk; one that another attempt took the place of has left it."""
    reject = Reject.objects.filter(input=item).select_related("request__account").first()
    if reject is None:
        return
    match reject.state:
        case Reject.State.WAITING:
            yield "It waits on the desk of rejected inputs, where nobody has put it away or tried it again."
        case Reject.State.REPLACED:
            yield "Its sender has sent the file anew since; look for what came of that one."
        case Reject.State.RETRYING if reject.request is not None:
            asked = reject.request
            yield f"{asked.account.username} asked on {_day(asked.at)} for another attempt, still to be made."
        case Reject.State.DISCARDED:
            put = Discard.objects.filter(input=item, ended_at=None).select_related("account").first()
            if put is not None:
                yield f"{put.account.username} put it away on {_day(put.at)}, because: {put.reason}"


def _report(found: Why) -> Iterator[str]:
    case, version = found.case, found.version
    newest = found.standing
    if newest is not None and newest.number > (version.number if version else 0):
        yield f"Since then version {newest.number} came ({_day(newest.arrived_at)}), which counts."
    if case is not None:
        yield f"{_opened(found, case)} {case.name}, {case.get_tier_display()}, {case.status}."
    for reading in found.later:
        was = found.reading.tier if found.reading else "unread"
        told = "the same" if reading.tier == was else f"{reading.tier} instead of {was}"
        yield f"Read again with other rules on {timezone.localtime(reading.at):%-d %b %Y}, it was {told}."
    if version is not None and (erased := erased_told([version.pk])):
        at = datetime.fromisoformat(erased["at"])
        yield f"Its words were erased on {_day(at)} ({erased['by']}): {erased['reason']}"


def _opened(found: Why, case: Case) -> str:
    """Say how a report that was read as routine came to a case after all."""
    if found.input.outcome == Outcome.ROUTINE and found.standing is None:
        if hasattr(case, "sample") and case.sample.stratum == "routine":
            return "Its report was later drawn as a case to be read by a person:"
        times = [one.at for one in found.later]  # a reread stores its reading and opens the case at one time
        if CaseEvent.objects.filter(case=case, kind=CaseEvent.Kind.OPENED, at__in=times).exists():
            return "Rules of another version opened a case for it later:"
    return "The report's case is"


def _day(at: datetime) -> str:
    return f"{timezone.localtime(at):%-d %b %Y %H:%M}"
