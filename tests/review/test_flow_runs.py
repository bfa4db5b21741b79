"""Links from our pages to Prefect's."""

from __future__ import annotations

from pathlib import Path

import pytest

from review.flow_runs import link

RUN = "0b1e2d3c-4b5a-4968-8776-655443322110"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPINETRIAGE_VAR", str(tmp_path))
    monkeypatch.delenv("SPINETRIAGE_PREFECT_PAGES", raising=False)
    (tmp_path / "prefect").mkdir()
    return tmp_path / "prefect"


def test_a_run_is_shown_by_our_own_server_while_it_runs(home: Path) -> None:
    assert link(RUN) == ""
    (home / "server.json").write_text('{"pid": 7, "url": "http://127.0.0.1:4200/api"}')
    assert link(RUN) == f"http://127.0.0.1:4200/runs/flow-run/{RUN}"


def test_the_address_that_people_use_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "server.json").write_text('{"pid": 7, "url": "http://127.0.0.1:4200/api"}')
    monkeypatch.setenv("SPINETRIAGE_PREFECT_PAGES", "https://prefect.example.org/")
    assert link(RUN) == f"https://prefect.example.org/runs/flow-run/{RUN}"


@pytest.mark.parametrize("said", ["", "{", "[]", '{"pid": 7}'])
def test_what_our_server_is_just_writing_is_no_address(home: Path, said: str) -> None:
    (home / "server.json").write_text(said)
    assert link(RUN) == ""


@pytest.mark.parametrize("identity", ["", "7e57", "javascript:alert(1)"])
def test_what_is_no_id_of_a_flow_run_gives_no_link(identity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPINETRIAGE_PREFECT_PAGES", "https://prefect.example.org")
    assert link(identity) == ""
