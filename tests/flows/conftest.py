"""An installation for each test."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from tests.installation import Installation


@pytest.fixture
def bare_site(tmp_path: Path) -> Installation:
    """An installation without an account."""
    return Installation(tmp_path)


@pytest.fixture
def site(bare_site: Installation) -> Installation:
    """An installation with an account for whoever runs the tests."""
    bare_site.run("user", "add", "tester", "--role", "lead", "--os-user", getpass.getuser())
    return bare_site
