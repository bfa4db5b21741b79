"""Reading a table of `config/` into its record: every key known, there, and of its type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from review.site import SiteError, same_keys, table

R = TypeVar("R")
MOST = 1_000_000
TEXTS = "tuple[str, ...]"


def record(file: Path, key: str, value: object, kind: type[R]) -> R:
    """Return a table as a record of a dataclass, whose fields say which keys and types are expected.

    Fields of other types than those in `TYPES` are taken as they come.

    Raises
    ------
    SiteError
        When a key is unknown, missing or of another type.
    """
    values = table(file, key, value)
    expected = {field.name: str(field.type) for field in fields(kind)}  # type: ignore[arg-type]
    same_keys(file, f"{key}.", values, expected)
    for name, type_ in expected.items():
        if type_ in TYPES:
            is_good, wanted = TYPES[type_]
            if not is_good(values[name]):
                raise SiteError(f"{file}: {key}.{name} is {values[name]!r}; {wanted} was expected")
    return kind(**{name: tuple(v) if expected[name] == TEXTS else v for name, v in values.items()})


def count(file: Path, key: str, value: Any) -> int:
    """Return a whole number above 0, or refuse it as a SiteError."""
    if not _is_count(value):
        raise SiteError(f"{file}: {key} is {value!r}; a whole number above 0 was expected")
    number: int = value
    return number


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) and text for text in value)


# By the type of a record's field: whether a value is one, and what is said to be expected.
TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "bool": (lambda value: isinstance(value, bool), "true or false"),
    "str": (lambda value: isinstance(value, str), "a text in quotes"),
    "int": (_is_count, "a whole number above 0"),
    "float": (lambda value: isinstance(value, float) and 0 < value < 1, "a number between 0 and 1"),
    TEXTS: (_is_texts, "a list of texts in quotes"),
}
