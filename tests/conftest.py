"""What every test has: no network beyond loopback, and no skip where none is allowed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import socket_allow_hosts

from flows.server import prefect_api

ROOT = Path(__file__).parents[1]
CORPORA = ROOT.parent / "shared" / "corpora"


@pytest.fixture(autouse=True)
def loopback_only() -> None:
    """Let a test that talks to the outside fail instead of depending on a network."""
    socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Take the guards of the record away: between tests all tables are emptied, and some tests tamper.

    `tests/review/test_guards.py` puts them up again, and whole installations have them.
    """
    from review import guards

    with django_db_blocker.unblock():
        guards.take_down()


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="session")
def prefect_server(prefect_home: Path) -> Iterator[str]:
    """One Prefect server for all tests of a worker; the commands find it in their environment."""
    before = dict(os.environ)
    with prefect_api(prefect_home, print) as url:
        yield url
    os.environ.clear()
    os.environ.update(before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Turn a skip into a failure where the machine is supposed to have everything."""
    report = yield
    if (
        report.skipped
        and not hasattr(report, "wasxfail")
        and os.environ.get("SPINETRIAGE_REQUIRE_ALL") == "1"
    ):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, but SPINETRIAGE_REQUIRE_ALL=1: {report.longrepr[2]}"
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what measures on texts that are not here: they are no part of the project, so no skip."""
    if not CORPORA.is_dir():
        left_out = [item for item in items if item.get_closest_marker("corpora")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
