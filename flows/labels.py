"""The command `spinetriage labels`: decided cases out as labelled reports for `spinetriage evaluate`."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from flows import display
from review import caseload
from review.models import Account


class LabelsError(RuntimeError):
    """The labels cannot be written; the text says why and the way out."""


def write(account: Account, since: datetime | None, to: Path | None) -> None:
    """Write the labels to a new file that only its owner may read, or to standard output.

    Parameters
    ----------
    since
        Midnight of a day in the site's time zone; only cases decided then or later.

    Raises
    ------
    LabelsError
        When the file is there already or cannot be made.
    """
    if since is not None:
        since = timezone.make_aware(since)
    display.complaints.print(
        "What follows holds the text of reports and what is known of the patients. Keep it as you keep those."
    )
    try:
        # A new file always: one that is there may be readable by others, or be a link to elsewhere.
        handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600) if to else None
    except FileExistsError:
        raise LabelsError(f"{to} is there already; name a new file.") from None
    except OSError as error:
        raise LabelsError(f"{to} cannot be written: {error.strerror}.") from None
    count = 0
    with os.fdopen(handle, "w", encoding="utf-8") if handle is not None else nullcontext(sys.stdout) as out:
        for line in caseload.labels(account, since):
            out.write(line + "\n")
            count += 1
    limit = f" This account sees these sources only: {', '.join(account.sources)}." if account.sources else ""
    display.complaints.print(f"Labelled reports written: {count}.{limit}", markup=False, highlight=False)
