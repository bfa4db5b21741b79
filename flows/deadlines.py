"""What time does, every few minutes: claims and sessions end, and what waits too long is called out."""

from __future__ import annotations

from review.setup import setup

setup()  # a scheduled run starts here, in a process of its own

# ruff: noqa: E402 - Django must be set up before its models can be imported
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from prefect import flow

from flows.tasks import TRANSIENT, Counts, every_step, step
from review import caseload


def _call_out_waiting() -> Counts:
    called = caseload.escalate(timezone.now())
    return {"announced again": called["again"], "brought to the leads": called["lead"]}


def _call_out_untold() -> Counts:
    return {"results not communicated": sum(caseload.escalate_untold(timezone.now()).values())}


def _free_claims() -> Counts:
    return {"expired claims freed": caseload.release_expired(timezone.now())}


def _end_sessions() -> Counts:
    """Forget the sessions that are over: they hold what people searched for, and nobody else removes them."""
    SessionStore.clear_expired()
    return {}


STEPS = (
    step("call out cases that wait too long", TRANSIENT)(_call_out_waiting),
    step("call out results that nobody communicated", TRANSIENT)(_call_out_untold),
    step("free expired claims", TRANSIENT)(_free_claims),
    step("forget sessions that are over", TRANSIENT)(_end_sessions),
)


@flow(name="deadlines", flow_run_name="deadlines", persist_result=False)
def deadlines() -> Counts:
    """Take each step, and return how many cases each was about. Prefect sees counts only."""
    return every_step("deadlines", STEPS)
