"""The room of people: ledger, cases, claims, decisions, audit, pages."""
