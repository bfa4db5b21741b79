"""What runs when: the deployments that `spinetriage up` serves.

`prefect.yaml` describes the same for workers on other machines; a test keeps the two alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

from django.conf import settings
from prefect import Flow, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.events import DeploymentEventTrigger, Posture
from prefect.schedules import Cron, Interval, Schedule

from flows.alerts import alerts
from flows.deadlines import deadlines
from flows.housekeeping import housekeeping
from flows.quality_sample import quality_sample
from flows.reread import reread
from flows.retry import retry
from flows.triage import triage

TAG = "spinetriage"
# A run does everything that is due, so a second one at the same time would find nothing to do. This spares
# the work; that no input is taken twice is the database's doing.
ALONE = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)  # a schedule counts from here, so it starts on round minutes


class Planned(NamedTuple):
    """A deployment, and what people and programs at its side must know."""

    deployment: RunnerDeployment
    when: str  # in words
    at_start: (
        Mapping[str, Any] | None
    )  # parameters of a first run that `up` starts at once; None = no such run


def planned() -> list[Planned]:
    """Return every deployment, as `config/site.toml` says.

    A name stays when its schedule changes, so that no schedule of before stays behind.
    """
    return [
        _often(triage, {"trigger": "schedule"}, {"trigger": "start"}, minute=0),
        _by_the_clock(triage, "nightly", "nightly", {"trigger": "nightly"}),
        _often(deadlines, minute=1),
        _often(quality_sample, minute=2),
        _often(alerts, minute=3, triggers=_causes()),
        _by_the_clock(housekeeping, "on-schedule", "housekeeping"),
        Planned(_made(reread, "on-demand"), "on demand", None),
    ]


def _causes() -> list[DeploymentEventTrigger]:
    """Return Prefect's automations: what makes it start `alerts` at once, beside the schedule.

    A failed `alerts` starts none, as it would start itself again and again.
    """
    watched = [flow.name for flow in (triage, deadlines, quality_sample, housekeeping, reread, retry)]
    minutes = int(settings.SITE.late_minutes)
    return [
        DeploymentEventTrigger(
            name="spinetriage: a flow run failed or crashed",
            expect={"prefect.flow-run.Failed", "prefect.flow-run.Crashed"},
            match_related={"prefect.resource.role": "flow", "prefect.resource.name": watched},
            posture=Posture.Reactive,
        ),
        DeploymentEventTrigger(
            name="spinetriage: no batch completed for too long",
            expect={"prefect.flow-run.Completed"},
            match_related={"prefect.resource.role": "flow", "prefect.resource.name": triage.name},
            posture=Posture.Proactive,
            within=timedelta(minutes=minutes),
        ),
    ]


def free_slots(names: Iterable[str]) -> None:
    """Free what a server that died left taken of the deployments' limits.

    Else a deployment with a limit of one would never run again: each new run would be cancelled. Should one
    still be running, a second at the same time does no harm.
    """
    with get_client(sync_client=True) as client:
        for name in names:
            limit = client.read_deployment_by_name(name).global_concurrency_limit
            if limit and limit.active_slots:
                client.update_global_concurrency_limit(
                    limit.name, GlobalConcurrencyLimitUpdate(active_slots=0)
                )


def _often(
    flow: Flow[..., Any],
    parameters: dict[str, Any] | None = None,
    at_start: dict[str, Any] | None = None,
    *,
    minute: int,
    triggers: Sequence[DeploymentEventTrigger] = (),
) -> Planned:
    """Plan a flow for every few minutes; `minute` lets those of the same length start one after the other."""
    every = int(settings.SITE.every_minutes[flow.name.replace("-", "_")])
    schedule = Interval(
        timedelta(minutes=every),
        anchor_date=FIRST + timedelta(minutes=minute),
        parameters=parameters,
        slug="every-few-minutes",
    )
    return Planned(_made(flow, "on-schedule", schedule, triggers), f"every {in_words(every)}", at_start or {})


def _by_the_clock(
    flow: Flow[..., Any], name: str, key: str, parameters: dict[str, Any] | None = None
) -> Planned:
    time = settings.SITE.at[key]
    schedule = Cron(time.cron, timezone=settings.SITE.time_zone, parameters=parameters, slug="by-the-clock")
    return Planned(_made(flow, name, schedule), str(time), None)


def _made(
    flow: Flow[..., Any],
    name: str,
    schedule: Schedule | None = None,
    triggers: Sequence[DeploymentEventTrigger] = (),
) -> RunnerDeployment:
    # This call answers at once where no event loop runs; its type promises a coroutine as well.
    return cast(
        RunnerDeployment,
        flow.to_deployment(
            name=name,
            schedules=[schedule] if schedule else [],
            concurrency_limit=ALONE,
            triggers=list(triggers),
            tags=[TAG],
            description=_first_line(flow),
        ),
    )


def _first_line(flow: Flow[..., Any]) -> str:
    return (flow.description or "").partition("\n")[0]


def in_words(minutes: int) -> str:
    """Return a span of whole minutes, such as "5 minutes" or "day"."""
    units = (("day", 24 * 60), ("hour", 60), ("minute", 1))
    unit, length = next(unit for unit in units if minutes % unit[1] == 0)
    number = minutes // length
    return unit if number == 1 else f"{number} {unit}s"
