"""Figures and the quality sample through the command line and the flow."""

from __future__ import annotations

import json

import pytest

from tests.installation import ROUTINE, STAT, Installation

# A batch without the session's server would start one of its own for each test.
pytestmark = [pytest.mark.prefect, pytest.mark.usefixtures("prefect_server")]


@pytest.fixture
def worked(site: Installation) -> Installation:
    """A site whose sample takes everything, with a batch done."""
    site.sample(share=1, blind_soon_share=1)
    site.drop("R1", ROUTINE.format(number=1))
    site.drop("R2", STAT.format(number=2))
    site.run("run")
    return site


def test_the_sample_is_drawn_once_read_blind_and_counted(worked: Installation) -> None:
    assert worked.json("sample") == {"looked_at": 1, "opened": 1}
    assert worked.json("sample") == {"looked_at": 0, "opened": 0}
    queue = worked.json("queue")
    assert [(case["report"], case["tier"]) for case in queue] == [
        ("TEST/report/R2", "stat"),
        ("TEST/report/R1", "soon"),
    ]
    explained = worked.json("explain", "TEST/report/R1")
    assert (explained["outcome"], explained["reading"]) == (None, None)
    assert "routine" not in json.dumps(queue[1]) + json.dumps(explained["inputs"])
    assert "outcome: hidden" in worked.run("explain", "TEST/report/R1")
    figures = worked.json("stats")
    assert figures["inputs"]["rows"][-1]["all"] == 2
    drawn = {row["what"]: row["value"] for row in figures["missed"]["rows"]}
    assert drawn["drawn for the sample"] == 1
    told = worked.run("stats")
    assert "What the machine misses" in told
    assert "Nothing can be said" in told
    assert worked.json("audit", "verify")["ok"]


def test_the_flow_draws_and_tells_prefect_counts_only(worked: Installation) -> None:
    worked.entry = (
        "from review.setup import migrate, setup; setup(); migrate();"
        "from flows.quality_sample import quality_sample; print('opened', quality_sample())"
    )
    assert "opened 1" in worked.run()
    assert "opened 0" in worked.run()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--since", "yesterday"], "a day such"),
        (["--since", "2026-05-02", "--until", "2026-05-01"], "comes after"),
    ],
)
def test_days_that_cannot_be_shown_are_wrong_use(site: Installation, arguments: list[str], told: str) -> None:
    shown = site.run("stats", *arguments, status=2)
    assert told in " ".join(shown.split())


def test_a_sample_that_is_off_says_so(site: Installation) -> None:
    assert "The sample is off" in site.run("sample")


def test_figures_and_sample_obey_the_roles(site: Installation) -> None:
    site.run("user", "add", "op", "--role", "operator")
    assert "may not" in site.run("stats", "--as", "op", status=1)
    site.run("user", "add", "rad", "--role", "radiologist")
    assert "may not" in site.run("sample", "--as", "rad", status=1)
