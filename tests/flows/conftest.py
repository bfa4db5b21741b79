"""An installation for each test, and one Prefect server for all of them."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.server import prefect_api
from tests.installation import Installation


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


@pytest.fixture
def bare_site(tmp_path: Path) -> Installation:
    """An installation without an account."""
    return Installation(tmp_path)


@pytest.fixture
def site(bare_site: Installation) -> Installation:
    """An installation with an account for whoever runs the tests."""
    bare_site.run("user", "add", "tester", "--role", "lead", "--os-user", getpass.getuser())
    return bare_site
