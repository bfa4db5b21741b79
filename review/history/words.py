"""The closed list of acts in the words of people, and what the audit says beside each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from review.audit import SYSTEM, Action
from review.models import Tier

# What an act was, after the name of who did it; {} is what it was done to.
WORDS: dict[Action, str] = {
    Action.RUN_OPENED: "started {}",
    Action.RUN_CLOSED: "ended {}",
    Action.RUN_TAKEN_OVER: "let {} take over what a dead run had left",
    Action.SHARD_STORED: "stored {}",
    Action.SHARD_RESTATED: "recorded {} anew, row by row, after verifying it",
    Action.CASE_READ: "opened {}",
    Action.CASE_CLAIMED: "claimed {}",
    Action.CASE_EXTENDED: "asked for more time for {}",
    Action.CASE_RELEASED: "released {}",
    Action.CASE_DECIDED: "decided {}",
    Action.CASE_RETURNED: "returned {} to the list",
    Action.CASE_REOPENED: "opened {} again",
    Action.CASE_TAKEN_OVER: "took {} over",
    Action.CASE_ASSIGNED: "assigned {}",
    Action.CASE_COMMENTED: "commented on {}",
    Action.CASE_CORRECTED: "corrected a finding of {}",
    Action.CASE_TOLD: "wrote down who was told of {}",
    Action.CASE_ESCALATED: "called out {} as overdue",
    Action.CLAIM_EXPIRED: "ended the claim of {}, whose time was over",
    Action.SAMPLE_DRAWN: "drew cases to be read blind",
    Action.INPUT_RETRIED: "asked for another attempt at rejected inputs",
    Action.INPUT_DISCARDED: "put {} away",
    Action.INPUT_TAKEN_BACK: "took {} back that had been put away",
    Action.INPUT_RAW_READ: "read the bytes of {}",
    Action.RUN_REPLAYED: "replayed {}",
    Action.RULES_APPLIED: "let rules go live",
    Action.AUDIT_READ: "read the audit",
    Action.AUDIT_VERIFIED: "verified the audit",
    Action.AUDIT_EXPORTED: "exported the audit",
    Action.TEXT_ERASED: "erased words of a patient",
    Action.DATA_EXPIRED: "erased what had been kept long enough",
    Action.HOLD_PLACED: "placed a legal hold",
    Action.HOLD_LIFTED: "lifted a legal hold",
    Action.BACKUP_MADE: "made a backup",
    Action.BACKUP_RESTORED: "restored a backup",
    Action.ALERT_OPENED: "raised an alert",
    Action.ALERT_CLOSED: "ended an alert",
    Action.LIST_READ: "read the worklist",
    Action.LIST_SEARCHED: "searched",
    Action.EXPORTED: "took a table away",
    Action.REPORT_READ: "read {}",
    Action.REPORT_EXPLAINED: "asked why {} was queued or not",
    Action.ACCOUNT_CHANGED: "changed {}",
    Action.LOGGED_IN: "logged in",
    Action.LOGGED_OUT: "logged out",
    Action.LOGIN_FAILED: "refused a login for {}",
    Action.LOGIN_LOCKED: "locked logins for {}",
    Action.SECOND_FACTOR_CHANGED: "changed the second factor of {}",
    Action.PASSWORD_CHANGED: "changed the password of {}",
}
# Pages of what an act was done to, by the kind of its subject.
PAGES = {"case": "case", "run": "run", "report": "report_history", "input": "why_input"}
MOST = 20  # of a list of ids that a line shows; the CSV has all
_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{32,}")


@dataclass(frozen=True, slots=True)
class Named:
    """Something that an act names, and the page that shows it ("" = it has none)."""

    words: str
    page: str = ""
    number: int = 0
    is_account: bool = False


def words(action: str, about: Named) -> tuple[str, str, str]:
    """Say what an act was: the words before what it was done to, that, and the words after.

    What an act does not need to name is named behind it in brackets, unless it is only the person's own
    account. An act of another version of the program is said by its code.
    """
    said = WORDS[Action(action)] if action in set(Action) else f"{action} {{}}"
    first, needs_it, rest = said.partition("{}")
    if needs_it:
        return first, about.words, rest
    return (first, "", "") if about.is_account or about.words == SYSTEM else (f"{first} (", about.words, ")")


def who(actor: str, names: Mapping[int, str]) -> str:
    """Return who acted."""
    return "the program" if actor == SYSTEM else named(actor, names).words


def named(subject: str, names: Mapping[int, str]) -> Named:
    """Return what `kind:id` is called, with its page."""
    kind, _, rest = subject.partition(":")
    pk = int(rest) if rest.isascii() and rest.isdecimal() and len(rest) < 19 else 0
    if not pk:
        return Named(f"{kind} {rest}".strip().replace("_", " "))
    if kind == "account":
        return Named(names.get(pk, f"account {pk}"), is_account=True)
    letter = {"case": "C", "input": "I"}.get(kind, "")
    return Named(f"{kind.replace('_', ' ')} {letter}{pk}", PAGES.get(kind, ""), pk)


def details(detail: Mapping[str, Any]) -> str:
    """Say what the audit holds beside an act; digests by their first characters."""
    return "; ".join(_said(detail))


def _said(detail: Mapping[str, Any]) -> Iterator[str]:
    for key, value in detail.items():
        if value in ("", None) or value in ([], {}):
            continue
        yield f"{key.replace('_', ' ')} {_value(key, value)}"


def _value(key: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({details(value)})"
    if isinstance(value, list):
        if value and not isinstance(value[0], int):
            return f"{len(value)} entries"
        shown = ", ".join(_value(key, one) for one in value[:MOST])
        return shown + (f" and {len(value) - MOST} more" if len(value) > MOST else "")
    if key == "tier" and value in Tier.values:
        return Tier(value).label
    text = str(value)
    if key == "cases":
        return f"C{text}"
    if isinstance(value, bool):
        text = "yes" if value else "no"
    return f"{text[:19]}…" if _DIGEST.fullmatch(text) else text
