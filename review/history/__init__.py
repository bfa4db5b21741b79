"""What an auditor asks of the record: what ran, who did what, what became of a report and why.

Nothing here changes the ledger; who reads the audit or takes a table away is recorded.
"""
