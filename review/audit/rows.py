"""The rows of the chain, one after the other, against each other and the heads outside the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from review.audit.anchor import Anchors
from review.audit.chain import ROW, mac_of
from review.models import AuditHead, AuditRow

Fault = dict[str, Any]


def chain_faults(anchors: Anchors) -> Iterator[Fault]:
    """Find rows that were changed, removed, put in or moved."""
    before, expected = "", 1
    key = settings.AUDIT_KEY.encode()
    for mac, *row in AuditRow.objects.order_by("number").values_list("mac", *ROW).iterator(5000):
        number = row[0]
        if number != expected:
            yield {"row": expected, "what": f"rows {expected} to {number - 1} are missing"}
        if mac != mac_of(row, before, key):
            yield {
                "row": number,
                "what": "the row does not fit the chain: it or the row before was changed",
            }
        yield from anchors.compare(number, mac)
        before, expected = mac, number + 1
    head = AuditHead.objects.filter(id=1).first() or AuditHead()
    if (head.number, head.mac) != (expected - 1, before):
        yield {
            "row": head.number,
            "what": f"the head says row {head.number}, the chain ends at {expected - 1}",
        }
    yield from anchors.rest()
