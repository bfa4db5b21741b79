"""Reading TOML tables into frozen records, refusing everything that is not expected."""

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

Record = TypeVar("Record")


class ConfigError(Exception):
    """A file in the configuration folder is wrong; the message names file, key and what was expected."""


@dataclasses.dataclass(frozen=True)
class Between:
    """Bounds of a number, both allowed."""

    low: float
    high: float


Share = Annotated[float, Between(0, 1)]


class Frozen(dict[str, Any]):
    """A dict that refuses changes; unlike a mapping proxy it can be pickled."""

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise TypeError("rules are frozen; change the configuration file and load again")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return Frozen, (dict(self),)


def parse_toml(path: Path, text: str) -> dict[str, Any]:
    """Return the tables of a TOML file, given its text.

    Raises
    ------
    ConfigError
        If it is no TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: cannot be read as TOML: {error}") from None


def check_keys(where: str, table: Any, allowed: set[str], required: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """Refuse a value that is no table, has a key outside `allowed`, or lacks one of `required`."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: expected a table, found {type(table).__name__}")
    if unknown := sorted(set(table) - allowed):
        raise ConfigError(
            f"{where}: unknown key '{unknown[0]}'; expected one of {', '.join(sorted(allowed))}"
        )
    if missing := sorted(required - set(table)):
        raise ConfigError(f"{where}: key '{missing[0]}' is missing")


def record(kind: type[Record], table: Any, where: str) -> Record:
    """Build a frozen dataclass from a table; its fields and types are the schema."""
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    required = {
        name
        for name, f in fields.items()
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    }
    check_keys(where, table, set(fields), required)
    hints = get_type_hints(kind, include_extras=True)
    return kind(**{key: _value(hints[key], value, f"{where}: key '{key}'") for key, value in table.items()})


def one_of(where: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuse a value outside a closed list."""
    if value not in allowed:
        raise ConfigError(f"{where}: unknown value '{value}'; expected one of {', '.join(allowed)}")


def _value(hint: Any, value: Any, where: str) -> Any:
    origin = get_origin(hint)
    if origin is Annotated:
        base, limit = get_args(hint)
        return _limited(base, limit, value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where}: expected a list, found {type(value).__name__}")
        if any(isinstance(item, str) and not item.strip(" \t\n-/") for item in value):
            raise ConfigError(f"{where}: holds a phrase without a letter; remove it")
        inner = get_args(hint)[0]
        tables = dataclasses.is_dataclass(inner)
        return tuple(
            _value(inner, item, f"{where}, table {n}" if tables else where) for n, item in enumerate(value, 1)
        )
    if origin is not None and issubclass(origin, Mapping):
        check_keys(where, value, set(value) if isinstance(value, dict) else set())
        name, inner = get_args(hint)
        return Frozen(
            {_value(name, k, where): _value(inner, v, f"{where}: key '{k}'") for k, v in value.items()}
        )
    if dataclasses.is_dataclass(hint):
        return record(hint, value, where)  # type: ignore[arg-type]
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise ConfigError(f"{where}: expected {hint.__name__}, found {type(value).__name__}")
    if hint is str and not value.strip():
        raise ConfigError(f"{where}: is empty; expected words")
    return value


def _limited(hint: Any, limit: Any, value: Any, where: str) -> Any:
    """A value of a closed list, or a number between bounds."""
    if isinstance(limit, Between):
        number = _value(hint, value, where)
        if not limit.low <= number <= limit.high:
            raise ConfigError(
                f"{where}: {number:g} is out of bounds; expected {limit.low:g} to {limit.high:g}"
            )
        return number
    if type(value) is not hint:
        raise ConfigError(f"{where}: expected {hint.__name__}, found {type(value).__name__}")
    one_of(where, value, limit)
    return value
