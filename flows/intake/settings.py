"""A TOML table, read strictly: each setting is taken once, and what nobody took is refused."""

from __future__ import annotations

import codecs
import re
import string
from collections.abc import Iterable, Mapping
from fnmatch import translate
from typing import Any
from zoneinfo import ZoneInfo

# Read as ASCII bytes, this is itself in every encoding of characters; idna, punycode and unicode_escape,
# which Python also calls encodings, make something else of one part of it.
_PLAIN = string.printable.replace("\\", "") + r"\u0041.xn--mnchen-3ya"
_CHARACTER_CLASS = re.compile(r"\[!?\]?[^\]]*\]")  # of a file name pattern


class SourceError(Exception):
    """Something about the sources cannot be used; the text says where, what came and what was expected."""


class Table:
    """One table of a TOML file.

    `where` names the file and the table in errors. Every method that takes a setting raises `SourceError`
    when the value is of the wrong type or outside its range.
    """

    def __init__(self, values: Mapping[str, Any], file: str, name: str = "") -> None:
        self._rest = dict(values)
        self._file = file
        self._name = name

    def error(self, key: str, problem: str) -> SourceError:
        place = ": ".join(part for part in (self._file, f"[{self._name}]" * bool(self._name), key) if part)
        return SourceError(f"{place} {problem}.")

    def left(self) -> list[str]:
        """The names that nobody took yet."""
        return list(self._rest)

    def finish(self) -> None:
        """Refuse what nobody took."""
        for key in self._rest:
            raise self.error(key, "is not a setting here; remove it or correct its spelling")

    def table(self, key: str) -> Table:
        value = self._take(key, dict, {}, "a table")
        return Table(value, self._file, f"{self._name}.{key}" if self._name else key)

    def text(self, key: str, default: str | None = None) -> str:
        value: str = self._take(key, str, default, "a text")
        if not value.strip():
            raise self.error(key, "is empty; expected a text")
        if "\0" in value:
            raise self.error(key, f"is {value!r}; expected a text without NUL characters")
        return value.strip()

    def patterns(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Patterns of file names, each of which some name fits."""
        values = self._take(key, list, list(default), "a list of texts")
        if not values or not all(isinstance(value, str) and value for value in values):
            raise self.error(key, f"is {values!r}; expected a list of texts, for example {list(default)}")
        for value in values:
            is_open = "[" in _CHARACTER_CLASS.sub("", value)
            is_void = "(?!)" in translate(value.lower())  # a range that runs backwards
            if is_open or is_void or value.startswith(".") or "/" in value or "\0" in value:
                raise self.error(
                    key,
                    f"holds {value!r}, which fits no file; expected patterns of names without a folder, "
                    f"for example {list(default)}",
                )
        return tuple(values)

    def flag(self, key: str, default: bool) -> bool:
        value: bool = self._take(key, bool, default, "true or false")
        return value

    def number(self, key: str, default: int, *, least: int, most: int = 10**9) -> int:
        value: int = self._take(key, int, default, "a whole number")
        if not least <= value <= most:
            raise self.error(key, f"is {value}; expected {least} to {most}")
        return value

    def one_of(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in allowed:
            raise self.error(key, f"is {value!r}; expected one of {', '.join(allowed)}")
        return value

    def names(self, key: str, default: Mapping[str, str]) -> dict[str, str]:
        """A table of texts, for example of column names."""
        values: dict[str, Any] = self._take(key, dict, dict(default), "a table of texts")
        for name, value in values.items():
            if not isinstance(value, str) or not value.strip():
                raise self.error(f"{key}.{name}", f"is {value!r}; expected a text")
        return {name.strip(): value.strip() for name, value in values.items()}

    def require_known(self, key: str, names: Iterable[str], known: Iterable[str]) -> None:
        for name in names:
            if name not in known:
                raise self.error(key, f"names the field {name!r}; expected one of {', '.join(known)}")

    def encoding(self, key: str, default: str, *, one_byte_newlines: bool) -> str:
        value = self.text(key, default)
        try:
            is_wide = codecs.lookup(value).name.startswith(("utf-16", "utf-32"))
            is_text = is_wide or _PLAIN.encode("ascii").decode(value) == _PLAIN
        except (LookupError, UnicodeError):
            is_wide = is_text = False
        if not is_text:
            raise self.error(key, f"is {value!r}; expected an encoding such as utf-8 or cp1252")
        if one_byte_newlines and is_wide:
            raise self.error(key, f"is {value!r}; a table is cut at newlines of one byte: convert the export")
        return value

    def zone(self, key: str, default: str) -> ZoneInfo:
        value = self.text(key, default)
        try:
            return ZoneInfo(value)
        except (KeyError, ValueError, OSError):  # no such zone, or not the form of a name
            raise self.error(key, f"is {value!r}; expected a time zone such as Europe/London") from None

    def character(self, key: str, default: str) -> str:
        value: str = self._take(key, str, default, "one character")
        if len(value) != 1 or not value.isascii() or value in '"\r\n':
            raise self.error(key, f"is {value!r}; expected one character such as ',' ';' or '\\t'")
        return value

    def template(self, key: str, known: Iterable[str]) -> re.Pattern[str] | None:
        """A file name with fields in braces, as a pattern; None when the setting is absent."""
        if key not in self._rest:
            return None
        value = self.text(key)
        pattern, names = "", []
        try:
            for literal, name, form, conversion in string.Formatter().parse(value):
                pattern += re.escape(literal)
                if name is not None:
                    if form or conversion:
                        raise ValueError
                    names.append(name)
                    pattern += f"(?P<{name}>.+?)"
            self.require_known(key, names, known)
            return re.compile(pattern, re.IGNORECASE)
        except (ValueError, re.error):  # unbalanced braces, or a field that stands twice
            raise self.error(
                key, f"is {value!r}; expected a file name with fields, such as {{accession}}.txt"
            ) from None

    def _take(self, key: str, kind: type, default: Any, expected: str) -> Any:
        value = self._rest.pop(key, default)
        if value is None:
            raise self.error(key, f"is missing; expected {expected}")
        if type(value) is not kind:  # exactly: a flag is no number
            raise self.error(key, f"is {value!r}; expected {expected}")
        return value
