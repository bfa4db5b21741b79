"""Reports of before, read again with the rules of today: on demand, as a named person let them go live."""

from __future__ import annotations

from review.setup import setup

setup()  # a run of the service starts here, in a process of its own

# ruff: noqa: E402 - Django must be set up before its models can be imported
from prefect import flow

from flows import editions
from flows.artifacts import summarize, tag_run
from flows.intake.guard import Refusal
from flows.isolated import Read
from flows.isolation import carry_out
from flows.pulse import pulse
from flows.tasks import TRANSIENT, StepError, closing, each, name_flow_run, step, tell_prefect
from nlp import vocabulary
from review import ledger


def _read_again(shard: int) -> dict[str, int]:
    """Read a shard's versions with the rules of its run, and store what came of it; return counts.

    A version on which the reader dies keeps the reading that it has, and is counted.
    """
    beat, texts = pulse(shard), ledger.reread_texts(shard)
    tasks = [Read(text=one.text, context=one.context, warnings=tuple(one.warnings)) for one in texts]
    readings = {
        version.pk: said
        for version, said in zip(texts, carry_out(tasks, beat), strict=True)
        if not isinstance(said, Refusal)
    }
    rules = ledger.reread_rules(shard)
    if any(said["rules_version"] != rules for said in readings.values()):
        raise StepError(f"shard {shard}: the rules in the configuration are not those that went live")
    return ledger.store_reread(shard, readings, len(texts) - len(readings))


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
    ledger.name_prefect_run(run, name_flow_run(f"run-{run}"))
    with closing(run):
        tag_run(run)
        ledger.take_over(run)
        tell_prefect()
        failed = each(read_again, ledger.unfinished(run, "readings"), run, "readings")
        summarize(run)
        if failed:
            raise StepError(f"{failed} shards failed")
    return run
