"""Floors decide: what a finding demands, whatever the points say."""

import re
from collections.abc import Iterator

from nlp.case import FLUID, Case
from nlp.page import Mention
from nlp.schema import TUMOURS

_BENIGN_KINDS = ("benign_other", "cyst", "vascular")
_INFARCT = re.compile(r"infarct|ischemi")
_COLUMNS = re.compile(r"bod(?:y|ies)\b[^.;]{0,60}(?:pedicle|lamina)[^.;]{0,60}(?:spinous|posterior element)")


def floors(case: Case) -> list[str]:
    """The names of the floors that fire, each once."""
    found = [rule for m in case.compressions for rule in _of_compression(case, m)]
    found += ["R3"] if case.crowded else []
    found += [rule for m in case.lesions for rule in _of_lesion(case, m)]
    found += ["R9"] if case.page.conflicts else []
    return list(dict.fromkeys(found))


def _of_compression(case: Case, m: Mention) -> Iterator[str]:
    if not m.sure:
        if not m.degenerative:
            yield "R3"
    elif m.concept.id in case.groups["cauda_compression"]:
        yield "R1b"
    elif m.degenerative:
        if m.signal:
            yield "R8"
    else:
        yield "R1s" if m.known else "R1"


def _of_lesion(case: Case, m: Mention) -> Iterator[str]:
    """The floors of one affirmed lesion."""
    sure, cls = m.sure, m.concept.cls
    if m.known and (m.old or cls != "infection"):
        return
    if case.emergent(m) and not m.known:
        yield "R2" if sure else "R3"
    bleeds = cls == "haemorrhage" and m.compartments[:1] == ("intramedullary",)
    malformed = any(o.concept.cls == "vascular" for o in case.lesions)  # a cavernoma bleeds a little
    infarct = m.concept.id == "SIGNAL_NOS" and _INFARCT.search(case.page.plain, m.start, m.end)
    dies = m.concept.id in case.groups["cord_bleed"] or (infarct and "intramedullary" in m.compartments)
    if sure and ((bleeds and not malformed) or dies):
        yield "R2b"
    if sure and bleeds and malformed and m.trend == "new":
        yield "R13"
    if m.concept.id in case.groups["fluid"] and FLUID.search(case.page.plain, m.start, m.end):
        yield "R3"
    if cls == "infection":
        yield "R4" if sure else "R4b"
    elif cls in TUMOURS:
        yield from _of_tumour(case, m, sure)
    elif cls == "fracture":
        yield from _of_fracture(case, m, sure)
    elif cls == "benign_tumor" or (cls in _BENIGN_KINDS and m.concept.route in ("T", "S")):
        yield "R11"
        if sure and case.deficit and case.touches(m):
            yield "R11b"
    yield from _in_cord(case, m, sure)


def _of_tumour(case: Case, m: Mention, sure: bool) -> Iterator[str]:
    """A malignant or suspicious lesion."""
    if not sure:
        yield "R7"
        return
    yield "R5"
    if m.concept.id in case.groups["spread"] and not _of_syndrome(case, m):
        yield "R5b"
    if m.concept.cls == "malignant" and "intramedullary" in m.compartments[:1]:
        yield "R5b"
    outside = "extradural" in m.compartments
    extended = m.concept.id in case.groups["extension"] or (outside and (m.canal or case.presses(m)))
    broken = case.breaks(m) or case.has("pathological_fracture")
    if extended or broken or case.deficit or case.unstable or case.has("extension"):
        yield "R6"


def _of_syndrome(case: Case, m: Mention) -> bool:
    """Whether nodules inside the dura are rather those of a syndrome of many benign tumours."""
    syndrome = any(o.concept.cls == "syndrome" for o in case.page.mentions)
    return syndrome and m.concept.id in case.groups["nodules"]


def _of_fracture(case: Case, m: Mention, sure: bool) -> Iterator[str]:
    if m.concept.route == "M":
        return
    if m.concept.id in case.groups["pathological_fracture"]:
        yield "R6" if sure else "R7"
    yield "R12"
    into_canal = m.concept.id in case.groups["retropulsion"] and (case.presses(m) or m.canal)
    columns = _COLUMNS.search(case.page.plain, m.end, case.page.sentences[m.sentence].end)
    if sure and (into_canal or columns or m.concept.id in case.groups["unstable"]):
        yield "R12b"


def _in_cord(case: Case, m: Mention, sure: bool) -> Iterator[str]:
    """Cord lesions and signal, syrinx, malformation, cysts; signal in the bone."""
    explained = _explained(case, m)
    signal = m.concept.id == "SIGNAL_NOS" and not explained
    if signal and "extradural" in m.compartments:
        yield "R7"
    cord_signal = signal and "intramedullary" in m.compartments
    in_cord = cord_signal or (m.concept.id in case.groups["cord_lesion"] and not explained)
    if in_cord or m.concept.id in case.groups["unexplained"]:
        yield "R13"
        if sure and case.deficit and case.swollen:
            yield "R13b"
    elif m.concept.id in case.groups["canal_cyst"] and case.presses(m):
        yield "R13"


def _explained(case: Case, m: Mention) -> bool:
    """Whether cord signal is the effect of wear, or signal lies outside the cord beside wear."""
    if m.concept.id not in case.groups["signal"]:
        return False
    reach = (0, -1, 1) if "intramedullary" in m.compartments else (0,)
    worn = any(
        o.concept.cls in ("degenerative", "fracture", "infection") and o.affirmed
        for i in reach
        for o in case.page.in_sentence(m.sentence + i)
    )
    return worn or (m.concept.id == "SIGNAL_NOS" and not m.compartments)
