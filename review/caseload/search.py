"""Search in the texts of the cases' reports, and by patient, accession, report or case.

What is searched for never stands in an address, a log or the audit: it may name a patient.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from review import audit
from review.models import Account, Case

SEARCHES = "searches"  # in a session: what was searched for in it, by number
LONGEST = 200  # characters of a search
MOST = 1000  # cases with the words that a search finds
# Quoted words, with or without the closing quote, else what stands between spaces.
_PIECE = re.compile(r'"([^"]*)"?(\*)?|([^\s"]+)')
_WORD = re.compile(r"[^\W_]+")
_CASE = re.compile(r"[Cc]([0-9]{1,18})")

# Both engines split a text at everything but letters and digits, and fold upper case. These SQL texts are
# fixed; what people type goes in as parameters only, made of letters and digits.
_MARKS = """!"#$%%&''()*+,-./:;<=>?@[\\]^_`{|}~–—‘’“”…•·°±×≤≥"""  # as in the migration; %% is one %
_SPACES = " " * (len(_MARKS) - 2)
_OF_CASES = "JOIN review_reading r ON r.version_id = v.id JOIN review_case c ON c.reading_id = r.id"
# The newest texts first, and no more of them than a person can look through: a word that is in every report
# then costs no more than a rare one. CROSS JOIN makes SQLite begin with the words.
_IN_WORDS = {
    "sqlite": "SELECT id FROM (SELECT c.id FROM review_words w "
    "CROSS JOIN review_reading r ON r.version_id = w.rowid CROSS JOIN review_case c ON c.reading_id = r.id "
    "WHERE review_words MATCH %s {sources} ORDER BY w.rowid DESC LIMIT {most})",
    "postgresql": "SELECT id FROM (SELECT c.id FROM review_reportversion v " + _OF_CASES + " "  # noqa: S608
    f"WHERE to_tsvector('simple'::regconfig, translate(left(text, 100000), '{_MARKS}', '{_SPACES}')) "
    "@@ to_tsquery('simple', %s) {sources} ORDER BY v.id DESC LIMIT {most}) found",
}
_BY_NAME = (
    f"SELECT c.id FROM review_reportversion v {_OF_CASES} WHERE v.patient_id = %s",  # noqa: S608
    f"SELECT c.id FROM review_reportversion v {_OF_CASES} WHERE v.accession = %s",  # noqa: S608
    "SELECT c.id FROM review_report p JOIN review_case c ON c.report_id = p.id WHERE p.key = %s",
    "SELECT id FROM review_case WHERE id = %s",
)


@dataclass(frozen=True, slots=True)
class Term:
    """Words that follow each other; the last one may be only the beginning of a word."""

    words: tuple[str, ...]
    is_prefix: bool

    def for_sqlite(self) -> str:
        """Return the term in the language of FTS5."""
        return f'"{" ".join(self.words)}"' + "*" * self.is_prefix

    def for_postgresql(self) -> str:
        """Return the term in the language of to_tsquery."""
        return "(" + " <-> ".join(f"'{word}'" for word in self.words) + (":*)" if self.is_prefix else ")")


def clean(said: str) -> str:
    """Return what a person typed as it is searched for and kept; "" when there is nothing in it."""
    said = said.replace("\0", "").encode("utf-8", "replace").decode()
    return " ".join(said.split())[:LONGEST]


def terms(said: str) -> list[Term]:
    """Return the terms of a search, all of which must occur; whatever is typed, it is no error."""
    found = []
    for quoted, star, plain in _PIECE.findall(said):
        words = tuple(_WORD.findall((quoted or plain).lower()))
        if words:
            found.append(Term(words, bool(star) or plain.endswith("*")))
    return found


def searched(cases: QuerySet[Case], account: Account, said: str) -> QuerySet[Case]:
    """Leave the cases whose report has all the terms, or whose patient, accession, report or number it is.

    Of more than `MOST` cases with the terms those with the newest texts are found.

    Parameters
    ----------
    account
        Who searches; only cases of the sources that they may see are looked at.
    said
        Words are and-ed, quotes make a phrase, `*` at the end makes the beginning of a word.
    """
    number = _CASE.fullmatch(said)
    parts: list[str] = [*_BY_NAME]
    values: list[str | int] = [said, said, said, int(number[1]) if number else 0]
    if asked := terms(said):
        is_sqlite = connection.vendor == "sqlite"
        limit = f"AND c.source IN ({', '.join(['%s'] * len(account.sources))})" if account.sources else ""
        parts.append(_IN_WORDS[connection.vendor].replace("{sources}", limit).replace("{most}", str(MOST)))
        values.append(
            " AND ".join(term.for_sqlite() for term in asked)
            if is_sqlite
            else " & ".join(term.for_postgresql() for term in asked)
        )
        values.extend(account.sources)
    found = RawSQL(" UNION ".join(parts), values)  # noqa: S611 - fixed texts with parameters
    return cases.filter(pk__in=found)


def record_search(account: Account, said: str, count: int) -> None:
    """Record that somebody searched: a keyed digest of the words, never the words.

    Who knows the key of the audit can ask whether a given patient was searched for.
    """
    digest = hmac.new(settings.AUDIT_KEY.encode(), said.casefold().encode(), hashlib.sha256).hexdigest()
    audit.record(
        audit.Action.LIST_SEARCHED, actor=account.actor, subject=account.actor, words=digest, count=count
    )
