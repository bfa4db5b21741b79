"""Log lines that carry no patient data: JSON for programs, short lines for people at a terminal.

Our own loggers are called `spinetriage.…`; what they say holds ids, counts and types of errors. Of an
exception only its type and its places in the code are told: its text may quote a row of the database, and
with it a patient.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType

from review.site import SiteError

FORMS = ("json", "text")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
OURS = "spinetriage"
LONGEST = 2000  # characters of a message
SHOWN = 16  # hexadecimal digits of a pseudonym: two values share one by chance once in 10^19 pairs

_about: ContextVar[Mapping[str, int]] = ContextVar("about", default=MappingProxyType({}))

Caught = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


@contextmanager
def about(**ids: int) -> Iterator[None]:
    """Let every line that is logged within say which run, shard or report it is about; ids of the ledger."""
    token = _about.set({**_about.get(), **ids})
    try:
        yield
    finally:
        _about.reset(token)


def pseudonym(value: str) -> str:
    """Return what stands in the log for an identifier of a patient or report: the same for the same value.

    A keyed digest (HMAC-SHA256): who does not have this installation's key cannot try values out.
    """
    from django.conf import settings  # noqa: PLC0415 - the settings set up the log, and so come later

    return hmac.new(settings.LOG_KEY.encode(), value.encode(), hashlib.sha256).hexdigest()[:SHOWN]


def form() -> str:
    """Return how lines are written: SPINETRIAGE_LOG, else text at a terminal and JSON elsewhere."""
    return _chosen("SPINETRIAGE_LOG", FORMS) or ("text" if sys.stderr.isatty() else "json")


def level() -> str:
    """Return the least level that is written: SPINETRIAGE_LOG_LEVEL, else what may need somebody."""
    return _chosen("SPINETRIAGE_LOG_LEVEL", LEVELS) or "WARNING"


def _chosen(variable: str, known: tuple[str, ...]) -> str:
    chosen = os.environ.get(variable, "")
    if chosen and chosen not in known:
        raise SiteError(f"{variable} is {chosen!r}; expected one of {', '.join(known)}, or nothing")
    return chosen


def formatter() -> logging.Formatter:
    """Make the formatter of all our lines."""
    return JsonFormatter() if form() == "json" else TextFormatter()


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record: time (UTC), level, logger, message, the ids it is about, and an error's places."""
        line: dict[str, object] = {
            "time": _time(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            **_about.get(),
        }
        if record.exc_info and record.exc_info[0]:
            line |= {"error": record.exc_info[0].__name__, "places": _places(record.exc_info)}
        return json.dumps(line, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """One short line for people; an error's places below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record in local time, with the ids it is about."""
        at = _time(record).astimezone().strftime("%H:%M:%S")
        ids = ", ".join(f"{name} {number}" for name, number in _about.get().items())
        line = f"{at} {record.levelname:<7} {record.name}: {_message(record)}{f' ({ids})' if ids else ''}"
        if record.exc_info and record.exc_info[0]:
            line += "".join(f"\n    {place}" for place in _places(record.exc_info))
            line += f"\n  {record.exc_info[0].__name__}"
        return line


class NoUnknownHost(logging.Filter):
    """Lets a request under a name that is not ours be one line, instead of a whole traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the line and leave the error out: anybody who asks can cause it."""
        request = getattr(record, "request", None)
        host = str(getattr(request, "META", {}).get("HTTP_HOST", ""))[:100]
        record.msg = "a request named the host %r, which is not in allowed_hosts of site.toml"
        record.args = (host,)
        record.exc_info = record.exc_text = None
        return True


class Wanted(logging.Filter):
    """Lets through of our own lines and of Prefect's what is wanted here, and of others what came so far.

    Ours also go to Prefect's page of the run, from the level INFO on; therefore their level stands here.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is written."""
        least = "WARNING"
        if record.name.startswith(OURS):
            least = level()
        elif record.name.startswith("prefect"):
            least = os.environ.get("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", least)
        return record.levelno >= logging.getLevelNamesMapping().get(least, logging.WARNING)


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _message(record: logging.LogRecord) -> str:
    """Return the message on one line, so that nobody can write a line of another's making."""
    text = record.getMessage()[:LONGEST]
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _places(caught: Caught) -> list[str]:
    return [f"{place.filename}:{place.lineno} {place.name}" for place in traceback.extract_tb(caught[2])]


def logging_settings() -> dict[str, object]:
    """Return what Django hands to `logging`: all lines of this process, ours and of others, go one way."""
    level()  # a wrong one refuses the start
    # Not among the loggers below: that would take away the handler by which Prefect gets our lines.
    logging.getLogger(OURS).setLevel(min(logging.INFO, logging.getLevelNamesMapping()[level()]))
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": "review.logs.formatter"}},
        "filters": {
            "no_unknown_host": {"()": "review.logs.NoUnknownHost"},
            "wanted": {"()": "review.logs.Wanted"},
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "lines",
                "filters": ["wanted"],
            }
        },
        # Prefect leaves this handler in its place, and adds none of its own beside it.
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
            # These name people. Wrong passwords, and a directory that is down, have lines of their own.
            "axes": {"level": "ERROR"},
            "django_auth_ldap": {"level": "CRITICAL"},
            # A refused page is no fault of the program, and comes with a whole traceback.
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"filters": ["no_unknown_host"]},
        },
    }
