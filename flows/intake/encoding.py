"""From bytes to text: the declared encoding, then UTF-8, then Windows-1252; never a guess beyond."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flows.intake.report import Reason, RefusedError

# Control characters that no text has; not the ones that count as white space.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """`encoding` is the one that fitted; `warnings` says when it was not the declared one."""

    text: str
    encoding: str
    warnings: tuple[str, ...] = ()


def decode(raw: bytes, declared: str) -> Decoded:
    """Decode bytes; a byte order mark is taken off.

    Raises
    ------
    RefusedError
        `binary` when it is not text, `undecodable` when no encoding fits.
    """
    tried = list(dict.fromkeys((declared, "utf-8", "cp1252")))
    for encoding in tried:
        try:
            text = raw.decode(encoding)
        except UnicodeError:
            continue
        if _is_binary(text):
            raise RefusedError(Reason.BINARY)
        warnings = () if encoding == declared else (f"decoded_as_{encoding}",)
        return Decoded(text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"), encoding, warnings)
    if _is_binary(raw.decode("cp1252", "ignore")):
        raise RefusedError(Reason.BINARY)
    raise RefusedError(Reason.UNDECODABLE, f"tried {', '.join(tried)}")


def _is_binary(text: str) -> bool:
    # Of compressed or random bytes some 11 % are control characters, of reports none.
    return "\0" in text or len(_CONTROL.findall(text)) > len(text) / 20
