"""What is read blind: without the machine's reading, and without telling why, until it is decided.

Who knows that the machine found nothing reads otherwise. So the quality sample, and some real cases that it
hides among, show a report's text and nothing of its reading; `review.access.is_hidden` is asked by each page
and command.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings

from review import audit
from review.caseload.marks import mark
from review.digests import canonical, event_digest, sha256
from review.models import Case, CaseEvent, QualitySample

Stratum = QualitySample.Stratum


def share(stratum: Stratum) -> float:
    """Return the share of a stratum that is drawn, as `config/site.toml` says."""
    quality = settings.SITE.quality
    return quality.share if stratum == Stratum.ROUTINE else quality.blind_soon_share


def is_chosen(stratum: Stratum, key: str) -> bool:
    """Tell whether a report is of the sample: always the same answer for one seed, key and share."""
    return lot(stratum, key) < share(stratum)


def lot(what: str, key: str) -> float:
    """Draw the lot of a report: a number from 0 up to 1 that nobody without the seed can foretell.

    It is HMAC-SHA256 with the seed as the key over the JSON text `["what","report key"]`, its first 48 bits
    as a fraction. The report and not its text is drawn: one that comes in many versions has one chance.
    """
    seed = settings.SITE.quality.seed
    message = canonical([what, key]).encode("utf-8", "surrogatepass")
    return int.from_bytes(hmac.digest(seed.encode(), message, hashlib.sha256)[:6]) / 2**48


def keep(cases: Sequence[Case], stratum: Stratum, now: datetime, events: Sequence[CaseEvent] = ()) -> None:
    """Record that cases just made are read blind; late in their transaction, as it locks the audit.

    Parameters
    ----------
    events
        What happened to them, where no other row of the audit vouches for it.
    """
    if not cases:
        return
    QualitySample.objects.bulk_create(
        [
            QualitySample(
                case=case, reading=case.reading, stratum=stratum, drawn_at=now, share=share(stratum)
            )
            for case in cases
        ]
    )
    audit.record(
        audit.Action.SAMPLE_DRAWN,
        actor=audit.SYSTEM,
        subject=f"sample:{stratum}",
        cases=[case.pk for case in cases],
        share=share(stratum),
        seed=sha256(settings.SITE.quality.seed),
        drawn_at=now.astimezone(UTC).isoformat(),
        events=[[event.pk, event_digest(event)] for event in events],
    )


def reveal(case: Case) -> None:
    """Let a case show its reading from now on, for good; the caller saves it."""
    if case.is_blind:
        case.is_blind = False
        mark([case])
