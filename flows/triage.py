"""The way of one batch, as a table of contents: find, load, link, read, store, summarize."""

from __future__ import annotations

from review.setup import setup

setup()  # a scheduled run starts here, in a process of its own

# ruff: noqa: E402 - Django must be set up before its models can be imported
from typing import Literal

from prefect import flow

from flows import batch, retries, shard
from flows.artifacts import summarize, tag_run
from flows.tasks import TRANSIENT, StepError, closing, each, name_flow_run, step, tell_prefect
from review import ledger

find = step("find {kind}", TRANSIENT)(batch.find)
take_requests = step("take what is to be tried again", TRANSIENT)(retries.take_requests)
store_studies = step("studies of shard {shard}", TRANSIENT)(shard.store_studies)
read_reports = step("reports of shard {shard}", TRANSIENT)(shard.read_reports)


# What starts a batch where no command opens its run; "prefect" is a person at Prefect's pages.
Trigger = Literal["schedule", "nightly", "start", "prefect"]


@flow(name="triage", flow_run_name="triage", persist_result=False)
def triage(run: int | None = None, trigger: Trigger = "prefect") -> int:
    """Take everything unprocessed to its outcome; return the number of the run in the ledger.

    `run` is a run that the caller opened; without it, as on a schedule, one is opened here. Prefect sees ids
    and counts only.
    """
    run = run or batch.open_run(trigger)
    ledger.name_prefect_run(run, name_flow_run(f"run-{run}"))
    with closing(run):
        tag_run(run)
        ledger.take_over(run)
        tell_prefect()
        take_requests(run)
        failed = each(store_studies, find(run, "studies"), run, "studies")
        failed += each(read_reports, find(run, "reports"), run, "reports")
        summarize(run)
        batch.write_outcome_table(run)
        if missing := batch.missing_sources(run):
            raise StepError(f"sources that cannot be listed: {', '.join(missing)}")
        if failed:
            raise StepError(f"{failed} shards failed")
    return run
