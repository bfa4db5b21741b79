"""The keys of an installation."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from review.keys import secret
from review.site import SiteError


@pytest.fixture(autouse=True)
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "var"
    monkeypatch.setenv("SPINETRIAGE_VAR", str(folder))
    return folder


def test_a_key_is_made_once_and_private(var: Path) -> None:
    made = secret("UNSET_KEY", "audit")
    file = var / "secrets" / "audit"
    assert secret("UNSET_KEY", "audit") == made == file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == stat.S_IMODE(var.stat().st_mode) == 0o700


def test_processes_that_start_at_once_agree() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: secret("UNSET_KEY", "django"), range(32)))) == 1


def test_the_environment_comes_first(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SET_KEY", "k" * 40)
    assert secret("SET_KEY", "audit") == "k" * 40
    assert not var.exists()


def test_a_short_key_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SET_KEY", "hunter2")
    with pytest.raises(SiteError, match="SET_KEY") as refused:
        secret("SET_KEY", "audit")
    assert "hunter2" not in str(refused.value)


def test_a_key_that_others_can_read_is_refused(var: Path) -> None:
    secret("UNSET_KEY", "audit")
    (var / "secrets" / "audit").chmod(0o644)
    with pytest.raises(SiteError, match="chmod 600"):
        secret("UNSET_KEY", "audit")
