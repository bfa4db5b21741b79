"""What a hospital sets for who may enter: `config/logins.toml`, read once at start and strictly."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from review.site import SiteError, config_folder, has_host, read_toml, same_keys, table

ROLES = ("radiologist", "lead", "auditor", "operator", "admin")  # of `review.models.Role`; models come later
GROUP_CLASSES = ("groupOfNames", "groupOfUniqueNames", "posixGroup", "group")
HERE = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Lockout:
    """After how many wrong passwords none is tried for how long."""

    minutes: int
    attempts: int  # for one name from one address
    attempts_on_name: int
    attempts_from_address: int


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a minute one account may ask for what is expensive."""

    searches: int
    exports: int


@dataclass(frozen=True, slots=True)
class Oidc:
    """The hospital's OpenID Connect provider."""

    enabled: bool
    name: str
    issuer: str
    client_id: str
    scope: str
    claim: str
    roles: Mapping[str, str]  # value of the claim: role


@dataclass(frozen=True, slots=True)
class Ldap:
    """The hospital's directory."""

    enabled: bool
    server: str
    start_tls: bool
    user_dn: str  # with {name}; "" = the person is searched for
    bind_dn: str
    user_base: str
    user_attribute: str
    group_base: str
    group_class: str
    roles: Mapping[str, str]  # name of a group: role


@dataclass(frozen=True, slots=True)
class Logins:
    """What `config/logins.toml` says."""

    idle_minutes: int
    session_hours: int
    second_factor: frozenset[str]
    lockout: Lockout
    pace: Pace
    oidc: Oidc
    ldap: Ldap


def load_logins() -> Logins:
    """Read `logins.toml`.

    Raises
    ------
    SiteError
        When a key is unknown, missing or has a value that cannot be used.
    """
    file = config_folder() / "logins.toml"
    values = read_toml(file)
    same_keys(file, "", values, Logins.__dataclass_fields__)
    return Logins(
        idle_minutes=_count(file, "idle_minutes", values["idle_minutes"]),
        session_hours=_count(file, "session_hours", values["session_hours"]),
        second_factor=_second_factor(file, values["second_factor"]),
        lockout=Lockout(**_counts(file, "lockout", values["lockout"], Lockout)),
        pace=Pace(**_counts(file, "pace", values["pace"], Pace)),
        oidc=_oidc(file, values["oidc"]),
        ldap=_ldap(file, values["ldap"]),
    )


def oidc_secret(oidc: Oidc) -> str:
    """Return the client secret, which stands in the environment only.

    Raises
    ------
    SiteError
        When the provider is enabled and there is none.
    """
    secret = os.environ.get("SPINETRIAGE_OIDC_SECRET", "")
    if oidc.enabled and not secret:
        raise SiteError("oidc.enabled is true in logins.toml, but SPINETRIAGE_OIDC_SECRET is not set.")
    return secret


def _oidc(file: Path, value: object) -> Oidc:
    oidc = Oidc(**_described(file, "oidc", value, Oidc))
    if oidc.enabled:
        _needed(file, "oidc", oidc, "name", "issuer", "client_id", "scope", "claim", "roles")
        if not (has_host(oidc.issuer, "https") or _is_here(oidc.issuer, "http")):
            raise SiteError(
                f"{file}: oidc.issuer is {oidc.issuer!r}; an address that starts with https:// was expected"
            )
        if "openid" not in oidc.scope.split():
            raise SiteError(
                f"{file}: oidc.scope is {oidc.scope!r}; words with openid among them were expected"
            )
    return oidc


def _ldap(file: Path, value: object) -> Ldap:
    ldap = Ldap(**_described(file, "ldap", value, Ldap))
    if ldap.group_class not in GROUP_CLASSES:
        raise SiteError(
            f"{file}: ldap.group_class is {ldap.group_class!r}; expected one of {', '.join(GROUP_CLASSES)}"
        )
    if not ldap.enabled:
        return ldap
    _needed(file, "ldap", ldap, "server", "group_base", "roles")
    is_safe = has_host(ldap.server, "ldaps") or (ldap.start_tls and has_host(ldap.server, "ldap"))
    if not (is_safe or _is_here(ldap.server, "ldap")):
        raise SiteError(
            f"{file}: ldap.server is {ldap.server!r}; passwords would travel in clear. Expected ldaps://…, "
            "or ldap://… with start_tls = true"
        )
    if ldap.user_dn and ldap.user_dn.count("{name}") != 1:
        raise SiteError(f"{file}: ldap.user_dn is {ldap.user_dn!r}; one {{name}} was expected in it")
    if not ldap.user_dn:
        _needed(file, "ldap", ldap, "user_base", "user_attribute")
    if not ldap.user_attribute.isalnum():
        raise SiteError(
            f"{file}: ldap.user_attribute is {ldap.user_attribute!r}; the name of an attribute was expected, "
            "such as uid"
        )
    return ldap


def _is_here(address: str, scheme: str) -> bool:
    return has_host(address, scheme) and urlsplit(address).hostname in HERE


def _described(file: Path, name: str, given: object, kind: Any) -> dict[str, Any]:
    """Check the keys and the types of a table against the fields of its record."""
    values = table(file, name, given)
    same_keys(file, f"{name}.", values, kind.__dataclass_fields__)
    for key, value in values.items():
        if key == "roles":
            _check_map(file, f"{name}.roles", value)
        elif not isinstance(value, {"bool": bool, "str": str}[kind.__dataclass_fields__[key].type]):
            expected = {"bool": "true or false", "str": "a text in quotes"}
            wanted = expected[kind.__dataclass_fields__[key].type]
            raise SiteError(f"{file}: {name}.{key} is {value!r}; {wanted} was expected")
    return values


def _check_map(file: Path, key: str, value: object) -> None:
    for group, role in table(file, key, value).items():
        if role not in ROLES:
            raise SiteError(
                f"{file}: {key} gives {group!r} the role {role!r}; expected one of {', '.join(ROLES)}"
            )


def _needed(file: Path, name: str, record: Oidc | Ldap, *keys: str) -> None:
    for key in keys:
        if not getattr(record, key):
            raise SiteError(f"{file}: {name}.{key} is empty, but {name}.enabled is true")


def _second_factor(file: Path, roles: object) -> frozenset[str]:
    if not isinstance(roles, list) or not set(map(str, roles)) <= set(ROLES):
        raise SiteError(
            f"{file}: second_factor is {roles!r}; a list of roles was expected, out of {', '.join(ROLES)}"
        )
    return frozenset(roles)


def _counts(file: Path, name: str, value: object, kind: Any) -> dict[str, int]:
    values = table(file, name, value)
    same_keys(file, f"{name}.", values, kind.__dataclass_fields__)
    return {key: _count(file, f"{name}.{key}", value) for key, value in values.items()}


def _count(file: Path, key: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= 1_000_000:
        raise SiteError(f"{file}: {key} is {value!r}; a whole number above 0 was expected")
    return value
