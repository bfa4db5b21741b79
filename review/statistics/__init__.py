"""What the work came to: counts, times, shares and their intervals; nothing here writes."""

from review.statistics.period import DAYS, Period, PeriodError, Scope
from review.statistics.subjects import PICTURES, SUBJECTS, tables
from review.statistics.table import Column, Table

__all__ = [
    "DAYS",
    "PICTURES",
    "SUBJECTS",
    "Column",
    "Period",
    "PeriodError",
    "Scope",
    "Table",
    "tables",
]
