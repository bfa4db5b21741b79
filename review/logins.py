"""What a hospital sets for who may enter: `config/logins.toml`, read once at start and strictly."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from review.site import SiteError, config_folder, has_host, is_here, read_toml, same_keys, table
from review.strict import count, record

ROLES = ("radiologist", "lead", "auditor", "operator", "admin")  # of `review.models.Role`; models come later
GROUP_CLASSES = ("groupOfNames", "groupOfUniqueNames", "posixGroup", "group")


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
        idle_minutes=count(file, "idle_minutes", values["idle_minutes"]),
        session_hours=count(file, "session_hours", values["session_hours"]),
        second_factor=_second_factor(file, values["second_factor"]),
        lockout=record(file, "lockout", values["lockout"], Lockout),
        pace=record(file, "pace", values["pace"], Pace),
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
    oidc = record(file, "oidc", value, Oidc)
    _check_map(file, "oidc.roles", oidc.roles)
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
    ldap = record(file, "ldap", value, Ldap)
    _check_map(file, "ldap.roles", ldap.roles)
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
    return has_host(address, scheme) and is_here(urlsplit(address).hostname)


def _check_map(file: Path, key: str, value: object) -> None:
    for group, role in table(file, key, value).items():
        if role not in ROLES:
            raise SiteError(
                f"{file}: {key} gives {group!r} the role {role!r}; expected one of {', '.join(ROLES)}"
            )


def _needed(file: Path, name: str, given: Oidc | Ldap, *keys: str) -> None:
    for key in keys:
        if not getattr(given, key):
            raise SiteError(f"{file}: {name}.{key} is empty, but {name}.enabled is true")


def _second_factor(file: Path, roles: object) -> frozenset[str]:
    if not isinstance(roles, list) or not set(map(str, roles)) <= set(ROLES):
        raise SiteError(
            f"{file}: second_factor is {roles!r}; a list of roles was expected, out of {', '.join(ROLES)}"
        )
    return frozenset(roles)
