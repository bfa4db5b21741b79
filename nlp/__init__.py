"""The reading room: text in, findings out; no network, no database, no clock."""
