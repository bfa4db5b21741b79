"""The Prefect server of our own, and the long-running form."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import server
from tests.installation import STAT, Installation, sqlite_rows, wait_for

pytestmark = pytest.mark.prefect


@pytest.fixture
def serverless(site: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """An installation for which no Prefect server is configured."""
    for name in list(os.environ):
        if name.startswith("PREFECT_"):
            monkeypatch.delenv(name)
    yield site


@pytest.fixture
def usual_umask() -> Iterator[None]:
    """Let others read what the commands write, unless these see to it themselves."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_server_is_started_outlives_a_kill_is_used_again_and_stopped_by_the_last(
    serverless: Installation, usual_umask: None
) -> None:
    site, home = serverless, serverless.var / "prefect"
    site.drop("R1", STAT.format(number=1))
    killed = site.start("run", stderr=subprocess.DEVNULL)
    wait_for(lambda: site.rows("SELECT 1 FROM review_run"), killed)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    pid = json.loads((home / "server.json").read_text())["pid"]
    assert is_alive(pid)

    site.run("run")
    assert "Starting" not in site.complaints
    assert not is_alive(pid)
    assert not (home / "server.json").exists()
    run = site.json("runs")[0]
    held = sqlite_rows(
        home / "prefect.db", "SELECT count(*) FROM task_run WHERE flow_run_id = ?", run["prefect_flow_run"]
    )
    assert held == [(3 + sum(run["shards"].values()),)]  # what is to be tried again, studies, reports
    # The ledger, the keys, the outcome tables, and Prefect's own files, whose names we do not choose.
    kept = {path.relative_to(site.var).as_posix(): path.stat().st_mode for path in site.var.rglob("*")}
    assert {"spinetriage.sqlite3", "secrets/audit", "runs/run-2.csv", "prefect/prefect.db"} <= kept.keys()
    assert [name for name, mode in kept.items() if mode & 0o077] == []


def test_a_server_that_dies_during_a_run_costs_the_run_and_nothing_else(
    serverless: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_CLIENT_MAX_RETRIES", "0")  # by itself it waits for the server for a minute
    site = serverless
    site.configure(shard_reports=5)
    for number in range(600):
        site.drop(f"R{number}", STAT.format(number=number))
    run = site.start("run", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: site.rows("SELECT 1 FROM review_shard WHERE state = 'done'"), run)
    os.killpg(json.loads((site.var / "prefect/server.json").read_text())["pid"], signal.SIGKILL)
    _, complaints = run.communicate(timeout=200)
    assert run.returncode == 1
    assert "Prefect's record of this run is not complete" in complaints
    assert "Traceback" not in complaints
    assert site.rows("SELECT state FROM review_run") == [("failed",)]
    site.run("run")
    assert site.rows("SELECT count(*), count(DISTINCT portion_id) FROM review_input") == [(600, 600)]


def test_sigterm_of_a_run_closes_it_and_stops_its_server(serverless: Installation) -> None:
    site = serverless
    site.configure(shard_reports=5)
    for number in range(600):
        site.drop(f"R{number}", STAT.format(number=number))
    run = site.start("run", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: site.rows("SELECT 1 FROM review_shard WHERE state = 'done'"), run)
    run.terminate()
    assert run.wait(60) != 0
    assert site.rows("SELECT state FROM review_run") == [("failed",)]
    assert not (site.var / "prefect/server.json").exists()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/api", "nonsense"])
def test_a_configured_server_that_does_not_answer_is_told_before_anything_starts(
    serverless: Installation, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", url)
    told = serverless.run("run", status=1)
    assert "PREFECT_API_URL" in told
    assert "fault of the program" not in told
    assert serverless.json("runs") == []


def test_without_its_password_the_server_answers_nobody(prefect_server: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{prefect_server}/admin/version", timeout=20)


@pytest.mark.usefixtures("prefect_server")
def test_up_on_a_port_that_is_taken_says_so(site: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        told = site.run("up", "--port", port, status=1)
    assert port in told
    assert "--port" in told
    assert "Traceback" not in told


@pytest.mark.usefixtures("prefect_server")
def test_the_pages_end_with_up_even_when_it_is_killed(site: Installation) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    up = site.start("up", "--port", str(port), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}/health/"
    wait_for(lambda: urllib.request.urlopen(address, timeout=5).status == 200, up)
    up.kill()
    up.communicate()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            return
        time.sleep(0.1)
    raise AssertionError("the pages are still served")


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_up_takes_in_what_arrives_serves_the_pages_and_ends_cleanly(
    site: Installation, prefect_home: Path, ending: signal.Signals
) -> None:
    site.drop("R1", STAT.format(number=1))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    up = site.start("up", "--port", str(port), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: site.rows("SELECT 1 FROM review_run WHERE state = 'completed'"), up)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=20) as answer:
        assert json.load(answer) == {"ok": True}
    done = "SELECT 1 FROM flow_run WHERE name LIKE 'deadlines: %' AND state_type = 'COMPLETED'"
    wait_for(lambda: sqlite_rows(prefect_home / "prefect.db", done), up)
    # The next run by the schedule is there: only Prefect's own scheduler makes it.
    query = "SELECT 1 FROM flow_run WHERE auto_scheduled AND state_type = 'SCHEDULED'"
    wait_for(lambda: sqlite_rows(prefect_home / "prefect.db", query), up)
    up.send_signal(ending)
    printed, complaints = up.communicate(timeout=60)
    assert up.returncode == 0, complaints
    assert f"http://127.0.0.1:{port}/" in printed
    told = " ".join(printed.split())
    assert "triage every 5 minutes, triage daily at 02:00, deadlines every 5 minutes" in told
    assert "First login:   lead, password" not in printed  # the tester can log in already
    assert "Traceback" not in complaints
    assert [case["tier"] for case in site.json("queue")] == ["stat"]
    assert site.json("runs")[-1]["trigger"] == "start"
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=5)


# Stands for Prefect's server where only its process matters: answers everything, and is there in a moment.
STAND_IN = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Fine(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *said):
        pass
HTTPServer(("127.0.0.1", int(sys.argv[1])), Fine).serve_forever()
"""


def test_a_server_that_ended_is_started_anew_at_its_address_and_only_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def launch(home: Path, port: int, url: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", STAND_IN, str(port)], start_new_session=True)
        server._children.append(process)
        (home / "server.json").write_text(json.dumps({"pid": process.pid, "url": url}))
        return process

    monkeypatch.setattr(server, "_launch", launch)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url, said = f"http://127.0.0.1:{port}/api", list[str]()
    first = launch(tmp_path, port, url)
    server.revive(tmp_path, url, said.append)
    assert said == []
    first.kill()
    first.wait()
    server.revive(tmp_path, url, said.append)
    second = json.loads((tmp_path / "server.json").read_text())["pid"]
    assert second != first.pid
    assert said == ["The Prefect server has ended; it is started anew."]
    assert urllib.request.urlopen(url, timeout=5).status == 200
    server._stop(tmp_path)
    assert not is_alive(second)


def test_half_a_note_of_a_server_is_no_server_and_a_note_is_written_whole_or_not(tmp_path: Path) -> None:
    (tmp_path / "server.json").write_text("")  # as an earlier edition left it on a full disk
    assert not server.is_own(tmp_path, "http://127.0.0.1:4200/api")
    server._put(tmp_path / "server.json", '{"pid": 1, "url": "http://127.0.0.1:4200/api"}')
    assert server.is_own(tmp_path, "http://127.0.0.1:4200/api")
    with pytest.raises(UnicodeEncodeError):  # fails in the middle of writing
        server._put(tmp_path / "server.json", "\ud800")
    assert server.is_own(tmp_path, "http://127.0.0.1:4200/api")
    assert [file.name for file in tmp_path.iterdir()] == ["server.json"]
