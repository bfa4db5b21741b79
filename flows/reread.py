"""Reports of before, read again with the rules of today: on demand, as a named person let them go live."""

from __future__ import annotations

from review.setup import setup

setup()  # a run of the service starts here, in a process of its own

# ruff: noqa: E402 - Django must be set up before its models can be imported
from prefect import flow

from flows import editions
from flows.tasks import TRANSIENT, StepError, closing, each, name_flow_run, step, tell_prefect
from flows.verdict import verdict
from nlp import vocabulary
from review import ledger


def _read_again(shard: int) -> dict[str, int]:
    """Read a shard's versions with the rules of its run, and store what came of it; return counts."""
    rules = ledger.reread_rules(shard)
    kept = editions.kept(rules)
    if kept is None or kept.reader is None or kept.reader.vocabulary.rules.version != rules:
        raise StepError(f"shard {shard}: its rules are not those that this program can read with")
    read = kept.reader.read
    readings = {
        one.pk: verdict(one.text, one.context, one.warnings, read) for one in ledger.reread_texts(shard)
    }
    return ledger.store_reread(shard, readings)


read_again = step("reports of shard {shard}", TRANSIENT)(_read_again)


@flow(name="reread", flow_run_name="reread", persist_result=False)
def reread(run: int | None = None) -> int:
    """Read all that a reread has taken, and return the number of its run in the ledger.

    `run` is a run that a person opened. Without it what is left of the last reread is taken, should it have
    died; 0 when nothing is left. Prefect sees ids and counts only.
    """
    run = run or ledger.resume_reread(vocabulary.current().rules.version, editions.CODE)
    if run is None:
        name_flow_run("reread: nothing was left")
        return 0
    ledger.name_prefect_run(run, name_flow_run(f"reread: run-{run}"))
    with closing(run):
        ledger.take_over(run)
        tell_prefect()
        if failed := each(read_again, ledger.unfinished(run, "readings"), run, "readings"):
            raise StepError(f"{failed} shards failed")
    return run
