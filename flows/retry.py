"""Another attempt at rejected inputs that a person asked for, and nothing else: the same way as a batch."""

from __future__ import annotations

from review.setup import setup

setup()  # a run may start here, in a process of its own

# ruff: noqa: E402 - Django must be set up before its models can be imported
from prefect import flow

from flows import batch
from flows.artifacts import summarize, tag_run
from flows.tasks import StepError, closing, each, name_flow_run, tell_prefect
from flows.triage import read_reports, store_studies, take_requests
from review import ledger


@flow(name="retry", flow_run_name="retry", persist_result=False)
def retry(run: int) -> int:
    """Take the rejected inputs that the run was opened for; return its number in the ledger."""
    ledger.name_prefect_run(run, name_flow_run(f"run-{run}"))
    with closing(run):
        tag_run(run)
        tell_prefect()
        take_requests(run)
        failed = each(store_studies, ledger.unfinished(run, "studies"), run, "studies")
        failed += each(read_reports, ledger.unfinished(run, "reports"), run, "reports")
        summarize(run)
        batch.write_outcome_table(run)
        if failed:
            raise StepError(f"{failed} shards failed")
    return run
