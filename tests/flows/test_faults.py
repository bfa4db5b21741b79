"""A run killed at a step of writing loses nothing and doubles nothing; `make torture` kills at every one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_run_killed_at_some_steps_of_writing_is_finished_by_the_next() -> None:
    done = subprocess.run(
        [sys.executable, "bench/torture.py", "--every", "40", "--kills", "0"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = dict(line.strip().rsplit(maxsplit=1) for line in done.stdout.splitlines() if line.startswith("  "))
    assert int(told["faults injected"]) >= 3
    assert (told["lost"], told["wrong"]) == ("0", "nothing")
