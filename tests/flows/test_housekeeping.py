"""What may go goes, which tests of keeping show; and the database is tidied."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import housekeeping


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_a_tidied_database_has_no_long_log_of_changes() -> None:
    housekeeping._tidy_database()
    name = str(housekeeping.connection.settings_dict["NAME"])
    log = Path(f"{name}-wal")
    assert not log.exists() or log.stat().st_size == 0
