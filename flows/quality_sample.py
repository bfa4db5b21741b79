"""The drawing of the quality sample, every few minutes: routine reports that people read blind."""

from __future__ import annotations

from review.setup import setup

setup()  # a scheduled run starts here, in a process of its own

# ruff: noqa: E402 - Django must be set up before its models can be imported
from django.utils import timezone
from prefect import flow
from prefect.logging import get_run_logger

from flows.tasks import TRANSIENT, step
from review import caseload


def _draw() -> tuple[int, int]:
    drawn = caseload.draw(timezone.now())
    return drawn.looked_at, drawn.opened


draw = step("draw", TRANSIENT)(_draw)


@flow(name="quality-sample", flow_run_name="quality-sample", persist_result=False)
def quality_sample() -> int:
    """Draw the quality sample, and return how many cases were opened; Prefect sees counts only."""
    looked_at, opened = draw()
    get_run_logger().info("%s routine readings looked at, %s cases opened", looked_at, opened)
    return opened
