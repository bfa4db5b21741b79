"""A batch of generated reports through the real command, and the same batch again: time and peak memory."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from generate import main as generate


def timed(environment: dict[str, str], *arguments: str) -> tuple[float, str]:
    begin = time.monotonic()
    command = [Path(sys.executable).with_name("spinetriage"), *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return time.monotonic() - begin, done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=20_000)
    reports = parser.parse_args().reports
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SPINETRIAGE_VAR": f"{folder}/var"}
        source = f"{folder}/inbox"
        generate(["--out", source, "--reports", str(reports), "--format", "mixed", "--dicom", "20"])
        timed(environment, "user", "add", "bench", "--role", "lead", "--os-user", getpass.getuser())
        first, printed = timed(environment, "run", "--source", source, "--json")
        # The largest of the processes waited for: the command, the server, its workers.
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        second, again = timed(environment, "run", "--source", source, "--json")
        for label, value in (
            ("reports", f"{reports:,}"),
            ("first batch", f"{first:.0f} s"),
            ("peak memory", f"{peak:.0f} MiB"),
            ("outcomes", json.dumps({k: v for k, v in json.loads(printed)["outcomes"].items() if v})),
            ("the same again", f"{second:.0f} s, {second / first:.2f} of the first"),
            ("outcomes", json.dumps({k: v for k, v in json.loads(again)["outcomes"].items() if v})),
        ):
            print(f"{label:20} {value}")


if __name__ == "__main__":
    main()
