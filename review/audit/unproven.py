"""What `audit verify` cannot find when it is changed in the database alone, and why that may be."""

from __future__ import annotations

# Tables that are no part of the record, or are proven by another than the digests of rows.
TABLES = {
    "AuditHead": "the end of the chain: `audit verify` compares it with the chain itself",
    "SavedView": "a person's own filters",
    "Use": "how often an expensive page was asked for in the last minute",
    "Choice": "what the filters offer; made anew from cases",
    "Alert": "what is wrong now; the audit says when each was opened and closed",
    "Notice": "what is still to be told of an alert",
    "SampleHead": "from where the next drawing goes on: moved back, it looks again and changes nothing",
    "Request": "work that waits; what it did stands in the audit and in its run",
    "Discard": "which rejected inputs were put away; the audit has each act",
    "RuleSet": "proven by its own address: see *Rules go live*",
    "Erasure": "proven by its own digest: see *Retention, hold, erasure*",
    "ErasedRow": "proven by the digest of its erasure: see *Retention, hold, erasure*",
    "LegalHold": "proven by its own digest: see *Retention, hold, erasure*",
}
COLUMNS: dict[str, str] = {}
