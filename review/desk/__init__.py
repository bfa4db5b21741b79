"""The desk of rejected inputs: what nobody could take, and what people do about it."""

from review.desk.acts import discard, read_bytes, retry, retry_all, take_back
from review.desk.filters import NAMES, STATES, Wanted, numbers, wanted
from review.desk.listing import Counts, counts, facts, listing, reasons, requests, sources

__all__ = [
    "NAMES",
    "STATES",
    "Counts",
    "Wanted",
    "counts",
    "discard",
    "facts",
    "listing",
    "numbers",
    "read_bytes",
    "reasons",
    "requests",
    "retry",
    "retry_all",
    "sources",
    "take_back",
    "wanted",
]
