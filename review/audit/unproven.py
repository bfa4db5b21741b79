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
    "Discard": "proven by its own digest, with the desk",
    "RuleSet": "proven by its own address: see *Rules go live*",
    "Erasure": "proven by its own digest: see *Retention, hold, erasure*",
    "ErasedRow": "proven by the digest of its erasure: see *Retention, hold, erasure*",
    "LegalHold": "proven by its own digest: see *Retention, hold, erasure*",
}
COLUMNS = {
    "Account.first_name": "only offered when a result is told; what was written down is proven",
    "Account.last_name": "only offered when a result is told; what was written down is proven",
    "Account.email": "not used",
    "Account.last_login": "only shown; the audit has each login",
    "Account.date_joined": "only shown; the audit has the act that made the account",
    "Account.password": "who puts another hash here enters as that person: the audit has each login",
    "Account.session_number": "who changes it ends sessions, and lets nobody in",
    "Account.must_change_password": "asks a person once more, or once less, for a password of their own",
    "Account.columns": "which columns of the worklist a person wants to see",
    "Case.claim_expires": "found when it lies beyond the one extension that needs no row of its own",
    "Run.heartbeat_uptime": "a running process says that it lives; no longer used when the run has ended",
}
