"""What `spinetriage up` serves and what prefect.yaml describes are the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.events import DeploymentTriggerTypes
from prefect.flows import load_flow_from_entrypoint
from pydantic import TypeAdapter

from flows import deployments
from review.clock import Clock

ROOT = Path(__file__).parents[2]
Facts = dict[str, Any]


def served() -> dict[str, Facts]:
    """Return what `up` serves, by flow and name, in plain values."""
    found = {}
    for deployment, _, _ in deployments.planned():
        limit, options = deployment.concurrency_limit, deployment.concurrency_options
        assert options is not None
        found[f"{deployment.flow_name}/{deployment.name}"] = {
            "entrypoint": deployment.entrypoint,
            "tags": deployment.tags,
            "limit": (limit, options.collision_strategy.value),
            "parameters": deployment.parameters,
            "schedules": [
                {**times(one.schedule), "parameters": one.parameters or {}, "slug": one.slug}
                for one in deployment.schedules or []
            ],
            "triggers": [trigger.as_automation().model_dump() for trigger in automated(deployment.triggers)],
        }
    return found


def times(schedule: Any) -> Facts:
    if isinstance(schedule, IntervalSchedule):
        return {"interval": schedule.interval, "from": schedule.anchor_date}
    assert isinstance(schedule, CronSchedule)
    return {"cron": schedule.cron, "zone": schedule.timezone}


def automated(triggers: list[Any]) -> Iterator[Any]:
    for trigger in triggers:
        trigger.set_deployment_id("0b1e2d3c-4b5a-4968-8776-655443322110")
        yield trigger


def described() -> dict[str, Facts]:
    """Return what prefect.yaml describes, in the same form; every entrypoint is loaded."""
    found = {}
    adapter: TypeAdapter[Any] = TypeAdapter(DeploymentTriggerTypes)
    for one in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]:
        flow = load_flow_from_entrypoint(str(ROOT / one["entrypoint"]), use_placeholder_flow=False)
        assert one["work_pool"] == {"name": "spinetriage"}
        found[f"{flow.name}/{one['name']}"] = {
            "entrypoint": one["entrypoint"],
            "tags": one["tags"],
            "limit": tuple(one["concurrency_limit"].values()),
            "parameters": one.get("parameters", {}),
            "schedules": [
                {**written(plan), "parameters": plan.get("parameters", {}), "slug": plan["slug"]}
                for plan in one.get("schedules", [])
            ],
            "triggers": [
                trigger.as_automation().model_dump()
                for trigger in automated([adapter.validate_python(said) for said in one.get("triggers", [])])
            ],
        }
    return found


def written(plan: Facts) -> Facts:
    if "interval" in plan:
        return {
            "interval": timedelta(seconds=plan["interval"]),
            "from": datetime.fromisoformat(plan["anchor_date"]),
        }
    return {"cron": plan["cron"], "zone": plan["timezone"]}


def test_workers_and_up_run_the_same_flows_at_the_same_times() -> None:
    here, there = served(), described()
    assert len(there) >= 5
    assert here == there


def test_every_flow_of_ours_is_served() -> None:
    """A module that makes a flow but is in no deployment would never run."""
    modules = {path.name for path in (ROOT / "flows").glob("*.py") if "\n@flow(" in path.read_text()}
    modules.remove("retry.py")  # for the command `rejected --retry`; the batch takes what pages ask for
    assert modules == {Path(facts["entrypoint"].partition(":")[0]).name for facts in served().values()}


def test_the_times_are_those_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    site = deployments.settings.SITE
    monkeypatch.setitem(site.every_minutes, "triage", 7)
    monkeypatch.setitem(site.at, "nightly", Clock("monday 23:15"))
    plan = {f"{one.deployment.flow_name}/{one.deployment.name}": one for one in deployments.planned()}
    assert plan["triage/on-schedule"].when == "every 7 minutes"
    assert plan["triage/nightly"].when == "Mondays at 23:15"
    (nightly,) = plan["triage/nightly"].deployment.schedules or []
    assert isinstance(nightly.schedule, CronSchedule)
    assert nightly.schedule.cron == "15 23 * * 1"
