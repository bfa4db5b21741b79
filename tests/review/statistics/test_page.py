"""The page of figures: what it shows to whom, its pictures, and its CSV."""

from __future__ import annotations

import csv
import html
import io
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review.models import AuditRow
from review.statistics import PICTURES, SUBJECTS

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def client(person: Make, deliver: Make, version: Make) -> Client:
    """A lead at the page, over a few reports of today."""
    deliver(version("A1", "stat", patient_id="PATIENT-4711"), version("A2", "routine"), "no_text")
    client = Client()
    client.force_login(person("lead"))
    return client


def shown(response: Any) -> str:
    return html.unescape(response.content.decode())


def test_each_subject_is_a_sentence_a_table_and_a_csv(client: Client) -> None:
    page = shown(client.get("/statistics/"))
    for name in SUBJECTS:
        assert f'id="{name}"' in page
        assert f"/statistics/{name}.csv?since=" in page
        assert (f"/statistics/{name}.svg?since=" in page) is (name in PICTURES)
    assert "3 inputs: 1 queued, 1 routine" in page
    assert "PATIENT" not in page


@pytest.mark.parametrize(
    "query", ["since=yesterday", "days=8", "since=2026-05-02&until=2026-05-01", "until=9999-01-01"]
)
def test_days_that_cannot_be_shown_are_told_plainly(client: Client, query: str) -> None:
    response = client.get(f"/statistics/?{query}")
    assert response.status_code == 400
    assert "These days cannot be shown" in shown(response)
    assert "7 days" in shown(response)
    for kind in ("svg", "csv"):
        assert client.get(f"/statistics/depth.{kind}?{query}").status_code == 400


def test_what_was_typed_comes_back_as_text(client: Client) -> None:
    page = client.get("/statistics/", {"since": "<script>alert(1)"}).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("days", ["7", "30", "90"])
def test_the_lengths_on_offer_end_today(client: Client, days: str) -> None:
    response = client.get("/statistics/", {"days": days})
    period = response.context["period"]
    assert period.until == timezone.localdate()
    assert len(period.days) == int(days)


def test_a_limit_of_sources_is_told(person: Make) -> None:
    client = Client()
    client.force_login(person("lead", sources=("south",)))
    assert "Figures of these sources only: south." in shown(client.get("/statistics/"))


def test_the_page_asks_the_database_no_more_often_when_there_is_more(
    client: Client, deliver: Make, version: Make
) -> None:
    asked = []
    for batch in range(2):
        deliver(*(version(f"B{batch}-{number}", "soon") for number in range(1 + 20 * batch)))
        with CaptureQueriesContext(connection) as queries:
            client.get("/statistics/")
        asked.append(len(queries))
    assert asked[0] == asked[1] < 35


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_the_same_bytes_each_time_and_runs_nothing(
    client: Client, name: str, theme: str
) -> None:
    response = client.get(f"/statistics/{name}.svg", {"days": "7", "theme": theme})
    assert response["Content-Type"] == "image/svg+xml"
    assert response["Cache-Control"] == "no-store"
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    drawn = ET.fromstring(response.content)  # noqa: S314 - our own
    assert drawn.tag == f"{SVG}svg"
    assert not list(drawn.iter(f"{SVG}script"))
    assert "A1" not in [text.text for text in drawn.iter(f"{SVG}text")]
    assert client.get(f"/statistics/{name}.svg", {"days": "7", "theme": theme}).content == response.content


def test_red_is_for_stat_alone(client: Client) -> None:
    def colours(name: str) -> str:
        return client.get(f"/statistics/{name}.svg").content.decode().lower()

    assert "#b3001b" in colours("cases")
    assert "#b3001b" not in colours("inputs")


def test_dark_and_light_are_drawn_in_their_own_colours(client: Client) -> None:
    light, dark = (
        client.get("/statistics/depth.svg", {"theme": theme}).content for theme in ("light", "dark")
    )
    assert b"#ff8080" in dark.lower()
    assert b"#ff8080" not in light.lower()


@pytest.mark.parametrize(
    "address", ["missed.svg", "nothing.svg", "nothing.csv", "depth.svg?theme=pink", "depth.png"]
)
def test_what_is_not_drawn_is_not_there(client: Client, address: str) -> None:
    assert client.get(f"/statistics/{address}").status_code == 404


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_csv_holds_the_table_as_numbers_and_taking_it_is_recorded(client: Client, name: str) -> None:
    response = client.get(f"/statistics/{name}.csv", {"days": "7"})
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert response["Content-Disposition"].startswith(f'attachment; filename="{name}_2')
    if name == "inputs":
        assert len(rows) == 7
        assert (rows[-1]["day"], rows[-1]["queued"], rows[-1]["all"]) == (str(timezone.localdate()), "1", "3")
    row = AuditRow.objects.latest("number")
    assert (row.action, row.subject) == ("exported", f"statistics:{name}")
    assert set(row.detail) == {"since", "until"}


def test_the_pages_start_without_the_plotting_library() -> None:
    code = (
        "import sys, review.wsgi, review.urls, review.statistics;"
        "print([name for name in ('matplotlib', 'pandas', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_plotting_library_keeps_its_files_with_the_data(client: Client) -> None:
    client.get("/statistics/depth.svg")
    assert os.environ["MPLCONFIGDIR"] == str(settings.VAR / "matplotlib")
