"""The keys of this installation: from the environment, else files made once under `<var>/secrets`."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from review.site import SiteError, var_folder

SHORTEST = 32


def secret(variable: str, name: str) -> str:
    """Return the secret of an environment variable, else of its file, which is made on first use.

    Two processes that start at once agree: the file is written under a private name and then linked to
    its own, which only one of them can do.

    Raises
    ------
    SiteError
        When the secret is shorter than 32 characters, or others may read its file.
    """
    value = os.environ.get(variable, "")
    if value:
        origin = f"the environment variable {variable}"
    else:
        file = var_folder() / "secrets" / name
        origin = str(file)
        value = _from_file(file)
    if len(value) < SHORTEST:
        raise SiteError(
            f"{origin} holds {len(value)} characters; a secret of at least {SHORTEST} was expected"
        )
    return value


def given(variable: str, name: str) -> str:
    """Return a secret that somebody else gave us, from the environment, else from its file; "" without one.

    Raises
    ------
    SiteError
        When others may read its file.
    """
    file = var_folder() / "secrets" / name
    return os.environ.get(variable, "") or (_private(file) if file.exists() else "")


def _from_file(file: Path) -> str:
    if not file.exists():
        file.parent.mkdir(mode=0o700, exist_ok=True)
        draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
                stream.write(secrets.token_hex(32))
                stream.flush()
                os.fsync(stream.fileno())
            os.link(draft, file)
        except FileExistsError:
            pass  # another process was first; its secret is the one
        finally:
            draft.unlink(missing_ok=True)
    return _private(file)


def _private(file: Path) -> str:
    if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SiteError(f"{file} can be read by others; make it private: chmod 600 {file}")
    return file.read_text().strip()
