"""Each row of the audit says from where it came, and when by the clock of the database."""

from __future__ import annotations

import contextvars
import os
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from review import audit
from review.models import AuditHead, AuditRow

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


def test_a_page_comes_from_the_address_of_its_reader() -> None:
    Client().post("/login/", {"username": "nobody", "password": "x"}, REMOTE_ADDR="10.1.2.4")
    assert AuditRow.objects.get(action="account.login_failed").origin == "web 10.1.2.4"


def test_what_nobody_names_comes_from_the_process(run: Make) -> None:
    run()
    here = f"{os.getuid()}@{socket.gethostname()}"
    assert AuditRow.objects.get().origin == f"program {here}"[:60]
    with audit.coming_from(audit.of_run(7)):
        run()
    assert AuditRow.objects.latest("number").origin.startswith("flow run:7@")


def test_a_command_says_so(run: Make) -> None:
    contextvars.copy_context().run(lambda: (audit.by_command(), run()))
    assert AuditRow.objects.get().origin == f"command {os.getuid()}@{socket.gethostname()}"[:60]


def test_a_changed_origin_is_found_and_rows_without_one_verify(run: Make) -> None:
    run()
    row = AuditRow.objects.get()
    row.origin = ""
    row.mac = audit.chain.row_mac(row, "")
    row.save()
    AuditHead.objects.update(mac=row.mac)
    assert audit.verify()["ok"]
    AuditRow.objects.update(origin="web 10.0.0.1")
    assert [fault["row"] for fault in audit.verify()["faults"]] == [1]


def test_the_time_is_the_database_s(run: Make) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=400)):
        run()
    assert abs(AuditRow.objects.get().at - timezone.now()) < timedelta(minutes=5)


@pytest.mark.django_db(transaction=True)
def test_rows_that_wait_for_their_turn_are_dated_in_their_order(run: Make) -> None:
    def write() -> None:
        for _ in range(5):
            run()
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = list(AuditRow.objects.order_by("number").values_list("at", flat=True))
    assert len(times) == 20
    assert times == sorted(times)
