"""Intake: one reader per format, all of the same shape, and the linking of reports to studies."""
