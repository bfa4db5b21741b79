"""What django-auth-ldap is told of the hospital's directory, out of `config/logins.toml`."""

from __future__ import annotations

import os
from typing import Any

from review.logins import Ldap
from review.site import SiteError

SECONDS = 5  # for the directory to answer; people wait at the login meanwhile


def directory_settings(config: Ldap) -> dict[str, Any]:
    """Return the settings AUTH_LDAP_…; none when no directory is configured.

    Raises
    ------
    SiteError
        When the optional extra `ldap` is not installed.
    """
    if not config.enabled:
        return {}
    try:
        import ldap  # noqa: PLC0415 - an optional extra
        from django_auth_ldap import config as kinds  # noqa: PLC0415
    except ImportError:
        raise SiteError(
            "ldap.enabled is true in logins.toml, but the optional extra `ldap` is not installed. Debian: "
            "apt-get install gcc python3-dev libldap-dev libsasl2-dev; "
            "then .venv/bin/pip install --editable '.[ldap]'"
        ) from None
    groups = {
        "groupOfNames": kinds.GroupOfNamesType,
        "groupOfUniqueNames": kinds.GroupOfUniqueNamesType,
        "posixGroup": kinds.PosixGroupType,
        "group": kinds.NestedActiveDirectoryGroupType,
    }
    subtree = ldap.SCOPE_SUBTREE
    told = {
        "AUTH_LDAP_SERVER_URI": config.server,
        "AUTH_LDAP_START_TLS": config.start_tls,
        "AUTH_LDAP_BIND_DN": config.bind_dn,
        "AUTH_LDAP_BIND_PASSWORD": os.environ.get("SPINETRIAGE_LDAP_PASSWORD", ""),
        # Where nobody is named to search as, the person looks the own groups up.
        "AUTH_LDAP_BIND_AS_AUTHENTICATING_USER": not config.bind_dn,
        "AUTH_LDAP_GROUP_SEARCH": kinds.LDAPSearch(
            config.group_base, subtree, f"(objectClass={config.group_class})"
        ),
        "AUTH_LDAP_GROUP_TYPE": groups[config.group_class](),
        "AUTH_LDAP_ALWAYS_UPDATE_USER": False,
        "AUTH_LDAP_CONNECTION_OPTIONS": {
            ldap.OPT_NETWORK_TIMEOUT: SECONDS,
            ldap.OPT_TIMEOUT: SECONDS,
            ldap.OPT_REFERRALS: 0,
            ldap.OPT_X_TLS_REQUIRE_CERT: ldap.OPT_X_TLS_DEMAND,
            ldap.OPT_X_TLS_NEWCTX: 0,  # last: it makes the one before count
        },
    }
    if config.user_dn:
        template = config.user_dn.replace("%", "%%").replace("{name}", "%(user)s")
        return told | {"AUTH_LDAP_USER_DN_TEMPLATE": template}
    search = kinds.LDAPSearch(config.user_base, subtree, f"({config.user_attribute}=%(user)s)")
    return told | {"AUTH_LDAP_USER_SEARCH": search}
