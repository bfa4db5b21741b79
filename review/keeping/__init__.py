"""How long words are kept: retention by class of data, erasure of a patient's text, and legal hold.

Whatever the way, words go as `review.blank` says, in one transaction with the rows that stand for them
(`ErasedRow`) and the act's audit row, so that the record can be verified after it as before.
"""

from review.keeping.erased import erasures, with_words
from review.keeping.erasing import KeepingError, erase
from review.keeping.holds import all_holds, held, lift, place
from review.keeping.retention import expire, expired
from review.keeping.sweep import sweep
from review.keeping.whose import Whose, of_case, of_input, of_patient, of_report, runs_of

__all__ = [
    "KeepingError",
    "Whose",
    "all_holds",
    "erase",
    "erasures",
    "expire",
    "expired",
    "held",
    "lift",
    "of_case",
    "of_input",
    "of_patient",
    "of_report",
    "place",
    "runs_of",
    "sweep",
    "with_words",
]
