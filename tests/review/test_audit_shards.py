"""What a shard stored is vouched for row by row; a row that lost its words is stood for by its old digest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from review import audit, keeping
from review.digests import digest_of, input_line, shard_digest
from review.ledger.closing import close_shard
from review.models import AuditHead, AuditRow, Input, Reading, ReportVersion, Shard

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


def test_what_was_erased_is_stood_for_by_its_digest(deliver: Make, version: Make, person: Make) -> None:
    held = version("A1", "routine")
    deliver(held, held, "no_text")
    admin = person("admin")
    rejected = Input.objects.get(outcome="rejected")
    for whose in (keeping.of_report(admin, "A1"), keeping.of_input(admin, rejected.pk)):
        assert whose is not None
        keeping.erase(admin, whose, "why")
    assert audit.verify()["faults"] == []
    Reading.objects.update(tier="soon")
    assert "was changed" in audit.verify()["faults"][0]["what"]


@pytest.fixture
def early(deliver: Make, version: Make) -> Shard:
    """A shard that is vouched for as a whole only, as shards were before rows had digests of their own."""
    held = version("A1", "routine")
    deliver(held, version("A2", None, "deleted"), held, "no_text")
    shard = Shard.objects.get()
    lines = []
    for one in shard.inputs.select_related("version"):
        read = one.version.readings.first() if one.version and one.outcome != "duplicate" else None
        lines.append(input_line(one, one.version, read.digest if read else ""))
    before = ""
    for row in AuditRow.objects.order_by("number"):
        if row.action == "shard.stored":
            row.detail = {"shard": shard.pk, "run": shard.run_id, "inputs": 4, "digest": shard_digest(lines)}
        row.mac = before = audit.chain.row_mac(row, before)
        row.save()
    AuditHead.objects.update(mac=before)
    return shard


@pytest.mark.usefixtures("early")
def test_a_shard_of_before_digests_of_rows_still_verifies() -> None:
    assert audit.verify()["faults"] == []
    ReportVersion.objects.filter(report__key="A2").update(text="nothing")
    assert "was changed" in audit.verify()["faults"][0]["what"]


def test_an_erasure_records_an_early_shard_anew_once_and_row_by_row(early: Shard, person: Make) -> None:
    admin = person("admin")
    for key in ("A1", "A2"):
        whose = keeping.of_report(admin, key)
        assert whose is not None
        keeping.erase(admin, whose, "why")
    again = AuditRow.objects.get(action="shard.restated")
    assert again.subject == f"shard:{early.pk}"
    assert audit.verify()["faults"] == []
    Input.objects.filter(outcome="rejected").update(reason="empty")
    assert "was changed" in audit.verify()["faults"][0]["what"]


def test_an_early_shard_that_was_changed_is_not_vouched_for_anew(early: Shard, person: Make) -> None:
    Reading.objects.update(data="{}")
    admin = person("admin")
    whose = keeping.of_report(admin, "A1")
    assert whose is not None
    with pytest.raises(keeping.KeepingError, match=f"shards {early.pk} are not as the audit says"):
        keeping.erase(admin, whose, "why")
    assert not AuditRow.objects.filter(action="shard.restated").exists()


def test_the_readings_of_a_reread_are_vouched_for_by_their_shard(
    deliver: Make, version: Make, run: Make
) -> None:
    deliver(version("A1", "stat"))
    now = timezone.now()
    shard = Shard.objects.create(run_id=run(), number=1, kind="readings", created_at=now)
    first = Reading.objects.get()
    again = Reading.objects.get()
    again.pk, again.shard, again.at = None, shard, now
    again.save()
    shard.counts = {}
    close_shard(shard, [digest_of("reading", again)])
    assert audit.verify()["faults"] == []
    Reading.objects.filter(pk=first.pk).update(shard=shard)
    assert len(audit.verify()["faults"]) == 2
