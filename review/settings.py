"""Django's settings; what a hospital changes is in `config/`, secrets and addresses in the environment."""

from __future__ import annotations

import os
from typing import Any

import dj_database_url

from review.keys import secret
from review.site import SiteError, load_deadlines, load_site, var_folder

SITE = load_site()
WAITING_MINUTES, AGAIN_MINUTES, LEAD_MINUTES = load_deadlines()
VAR = var_folder()
SECRET_KEY = secret("SPINETRIAGE_SECRET_KEY", "django")
AUDIT_KEY = secret("SPINETRIAGE_AUDIT_KEY", "audit")
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
    "review",
]
MIDDLEWARE = [
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
    "review.middleware.FirstPassword",
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


def _database() -> dict[str, Any]:
    default = f"sqlite:///{VAR / 'spinetriage.sqlite3'}"
    url = os.environ.get("SPINETRIAGE_DATABASE_URL") or default
    try:
        database = dict(dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True))
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
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        }
        # Tests race with threads and processes, so theirs is a file too.
        database["TEST"] = {"NAME": str(VAR / "test.sqlite3")}
    return database


DATABASES = {"default": _database()}

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
LOGIN_REDIRECT_URL = "worklist"
LOGOUT_REDIRECT_URL = "login"

SESSION_COOKIE_AGE = 12 * 60 * 60  # one long shift
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

TLS = os.environ.get("SPINETRIAGE_TLS") == "1"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = TLS
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = TLS
# Behind TLS stands a proxy that sets this header; without TLS nobody's word is taken.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TLS else None

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # the one stylesheet is served from where it lies; nothing to collect

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "quiet": {"()": "review.logs.QuietFormatter", "format": "{levelname} {name}: {message}", "style": "{"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "quiet"}},
    "loggers": {
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        # A refused page is no fault of the program, and comes with a whole traceback.
        "django.request": {"level": "ERROR"},
    },
}
