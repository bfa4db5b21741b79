"""Words that people searched for, which their sessions keep and which may name a patient."""

from __future__ import annotations

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from review.caseload.search import SEARCHES


def forget_searches() -> None:
    """Take what was searched for out of every session; nobody is logged out.

    Whatever an erasure took, a word of it may stand in a search: a name, a date, a turn of phrase. Which ones
    do cannot be told, so all of them go. An address with the number of a search then says that it is over.
    """
    for key in list(Session.objects.values_list("session_key", flat=True)):
        store = SessionStore(key)
        if SEARCHES in store:
            del store[SEARCHES]
            store.save(must_create=False)
