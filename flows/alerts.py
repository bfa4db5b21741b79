"""What people must be told of, every few minutes: what is wrong is found in the database, and told once."""

from __future__ import annotations

from review.setup import setup

setup()  # a scheduled run starts here, in a process of its own

# ruff: noqa: E402 - Django must be set up before its models can be imported
from django.utils import timezone
from prefect import flow

from flows.tasks import TRANSIENT, Counts, every_step, step
from review import alerts as standing


def _look() -> Counts:
    return standing.look(timezone.now())


def _tell() -> Counts:
    return standing.tell(timezone.now())


STEPS = (
    step("look for what is wrong", TRANSIENT)(_look),
    step("tell people", TRANSIENT)(_tell),
)


@flow(name="alerts", flow_run_name="alerts", persist_result=False)
def alerts() -> Counts:
    """Look, then tell, also when a cause could not be asked; return counts, the run's new name too.

    A notifier that fails does not fail the run: what it has to tell stays due, and the page says so.
    """
    return every_step("alerts", STEPS, idle="nothing is wrong")
