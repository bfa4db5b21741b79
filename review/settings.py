"""Django's settings; what a hospital changes is in `config/`, secrets and addresses in the environment."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import dj_database_url

from review.alert_settings import load_alerts
from review.directory_settings import directory_settings
from review.keys import secret
from review.logins import load_logins, oidc_secret
from review.logs import logging_settings
from review.site import SiteError, load_deadlines, load_site, var_folder

SITE = load_site()
WAITING_MINUTES, AGAIN_MINUTES, LEAD_MINUTES, REJECTED_MINUTES = load_deadlines()
LOGINS = load_logins()
ALERTS = load_alerts()
VAR = var_folder()
SECRET_KEY = secret("SPINETRIAGE_SECRET_KEY", "django")
AUDIT_KEY = secret("SPINETRIAGE_AUDIT_KEY", "audit")
LOG_KEY = secret("SPINETRIAGE_LOG_KEY", "logs")
AUDIT_ANCHOR = os.environ.get("SPINETRIAGE_AUDIT_ANCHOR") or str(VAR / "audit-heads.log")

DEBUG = False
ALLOWED_HOSTS = list(SITE.allowed_hosts)
ROOT_URLCONF = "review.urls"
WSGI_APPLICATION = "review.wsgi.application"
AUTH_USER_MODEL = "review.Account"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "review",  # before the next ones: its templates stand for theirs, and its audit row comes before theirs
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "axes",
]
MIDDLEWARE = [
    "review.middleware.from_where",
    "review.middleware.logged",
    "review.middleware.own_only",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "review.middleware.private_pages",
    "allauth.account.middleware.AccountMiddleware",
    "review.middleware.limited_sessions",
    "review.middleware.FirstSteps",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "review.pages.frame.frame",
            ],
        },
    }
]


# A machine that lost its power says no goodbye. Either side of a connection asks after half a minute of
# silence whether the other is there, and gives up after another: else a run would wait for a dead server for
# ever, and the locks of a dead run would hold up all others for hours.
ALIVE: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # milliseconds
    "options": "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3",
}


def _database() -> dict[str, Any]:
    default = f"sqlite:///{VAR / 'spinetriage.sqlite3'}"
    url = os.environ.get("SPINETRIAGE_DATABASE_URL") or default
    try:
        database: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True))
        is_ours = str(database["ENGINE"]).endswith((".sqlite3", ".postgresql"))
    except ValueError:
        is_ours = False
    if not is_ours or database["NAME"] in ("", ":memory:"):
        # Nothing of what came is told: it may hold the password.
        raise SiteError(
            "SPINETRIAGE_DATABASE_URL is not the address of a database; expected "
            "postgresql://user:password@host:port/name (special characters as %XX), "
            "or nothing for SQLite in the data folder."
        )
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database["OPTIONS"] = {
            # A transaction takes the write lock at its start: it waits its turn instead of failing half-way.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
            "PRAGMA secure_delete=ON;",
        }
        # Tests race with threads and processes, so theirs is a file too.
        database["TEST"] = {"NAME": str(VAR / "test.sqlite3")}
    else:
        # What the address says goes before.
        database["OPTIONS"] = ALIVE | database.get("OPTIONS", {})
    return database


DATABASES = {"default": _database()}
# Counts of attempts and codes that were used are shared by all web processes.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "review_cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

USE_TZ = True
TIME_ZONE = SITE.time_zone
USE_I18N = False
LANGUAGE_CODE = "en-gb"

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

AUTHENTICATION_BACKENDS = ["review.backends.LocalAccounts"]
if LOGINS.ldap.enabled:
    AUTHENTICATION_BACKENDS.append("review.directory.Directory")
    globals().update(directory_settings(LOGINS.ldap))  # AUTH_LDAP_…
# What was typed is nowhere kept: people type passwords into the field of the name.
AXES_HANDLER = "review.lockout.Attempts"
AXES_FAILURE_LIMIT = LOGINS.lockout.attempts
AXES_COOLOFF_TIME = timedelta(minutes=LOGINS.lockout.minutes)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "username", "ip_address"]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_USERNAME_CALLABLE = "review.lockout.typed_name"
AXES_CLIENT_STR_CALLABLE = "review.lockout.somebody"
AXES_LOCKOUT_CALLABLE = "review.lockout.locked_page"
AXES_SENSITIVE_PARAMETERS = ["username", "csrfmiddlewaretoken", "next"]
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False

# Of allauth only the second factor and the login at a provider are open: no sign-up, no mail.
ACCOUNT_ADAPTER = "review.entering.Accounts"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_METHODS = {"password"}
SOCIALACCOUNT_ADAPTER = "review.entering.Hospital"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
OIDC_SECRET = oidc_secret(LOGINS.oidc)
MFA_ADAPTER = "review.entering.SecondFactor"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # a telephone's clock may be half a minute wrong
MFA_TOTP_ISSUER = SITE.name

SESSION_COOKIE_AGE = LOGINS.session_hours * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

TLS = os.environ.get("SPINETRIAGE_TLS") == "1"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = TLS
# Browsers keep a name that begins so for this host alone; no other host of the domain can set it.
SESSION_COOKIE_NAME = "__Host-sessionid" if TLS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if TLS else "csrftoken"
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = TLS
# Behind TLS stands a proxy that sets this header; without TLS nobody's word is taken.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TLS else None

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # the one stylesheet is served from where it lies; nothing to collect

LOGGING = logging_settings()
