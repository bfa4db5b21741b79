"""From findings to a tier: points that explain, floors and caps that decide."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Mention, Page, page_of
from nlp.reading import Reason
from nlp.schema import LESION_CLASSES, TIERS
from nlp.vocabulary import Vocabulary, current

_SURE = ("present", "probable")
_SERIOUS = ("malignant", "suspicious")
_CROWDING = ("malignant", "suspicious", "infection", "haemorrhage", "benign_tumor", "vascular")
_BENIGN_KINDS = ("benign_other", "cyst", "vascular")
_SINS = re.compile(r"\bsins\b(?: score)?(?: of| is|:| =)?\s*(\d{1,2})\b")
_FLUID = re.compile(r"collection|fluid")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision with its reasons."""

    tier: str
    score: int
    neural: str
    decided_by: str
    reasons: tuple[Reason, ...]


class Priority:
    """Scores each lesion, takes the highest, then lets floors and caps decide."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.rules = vocabulary.rules.priority
        self.groups = {name: frozenset(ids) for name, ids in self.rules.groups.items()}

    def __call__(self, doc: Doc) -> Doc:
        """Set the page's result."""
        page = page_of(doc, self.vocabulary)
        page.result = self.decide(page)
        return doc

    def decide(self, page: Page) -> Verdict:
        """The verdict on a page whose mentions are complete."""
        case = _Case(page, self.groups)
        terms = self._terms(case)
        score = sum(reason.points or 0 for reason in terms)
        floors = self._floors(case)
        tier, decided_by, extra = self._tier(case, score, terms, floors)
        return Verdict(tier, score, case.neural, decided_by, (*terms, *floors, *extra))

    # ---- points

    def _terms(self, case: "_Case") -> list[Reason]:
        """The reasons that give points; rounded so that they sum to the score."""
        raw: list[tuple[str, float, str]] = []
        best = max(case.lesions, key=self._worth, default=None)
        if best is not None and (base := self._base(best)):
            raw.append(("B", base, f"{best.concept.name}, {best.certainty}"))
        if (neural := self._neural(case)) is not None:
            raw.append(neural)
        if stability := self._stability(case):
            raw.append(stability)
        if not raw:
            return []
        if best is not None and (points := self._time(case, best)):
            raw.append(("T", points, "first study" if best.trend == "unknown" else best.trend))
        raw += self._clinical(case.page)
        return _rounded(raw)

    def _kind(self, lesion: Mention) -> str:
        if self._emergent(lesion):
            return "emergent"
        cls, route = lesion.concept.cls, lesion.concept.route
        if cls in ("malignant", "infection", "suspicious", "benign_tumor"):
            return cls
        return "benign" if route in ("B", "M") and cls != "fracture" else "indeterminate"

    def _base(self, lesion: Mention) -> float:
        return self.rules.base[self._kind(lesion)] * self.rules.certainty.get(lesion.certainty, 0.0)

    def _worth(self, lesion: Mention) -> float:
        return self._base(lesion) + self.rules.time.get(lesion.trend, 0)

    def _emergent(self, lesion: Mention) -> bool:
        groups = self.groups
        return lesion.concept.id in groups["emergent"] or (
            lesion.concept.id in groups["emergent_in_canal"] and lesion.canal
        )

    def _neural(self, case: "_Case") -> tuple[str, float, str] | None:
        points, weight = self.rules.neural, self.rules.certainty
        found: list[tuple[float, str]] = []
        for m in case.compressions:
            if m.degenerative and not m.severe and m.concept.id not in self.groups["cauda_compression"]:
                continue
            grade = (
                "severe"
                if m.severe
                else "cauda"
                if m.concept.id in self.groups["cauda_compression"]
                else "compression"
            )
            found.append((points[grade] * weight[m.certainty], _at(m)))
        if case.serious:
            for m in case.context:
                grade = case.grade(m)
                if grade:
                    found.append((points[grade] * weight[m.certainty], _at(m)))
        for m in case.lesions:
            if m.concept.id in self.groups["expansion"]:
                found.append((points["expansion"] * weight[m.certainty], _at(m)))
            elif m.concept.id in self.groups["extension"]:
                found.append((points["epidural"] * weight[m.certainty], _at(m)))
        return ("N", *max(found)) if found else None

    def _stability(self, case: "_Case") -> tuple[str, float, str] | None:
        points, said = self.rules.stability, []
        total = 0
        if case.any("pathological_fracture"):
            total += points["pathological_fracture"]
            said.append("pathological fracture")
        if case.any("retropulsion"):
            total += points["retropulsion"]
            said.append("retropulsion")
        if sins := case.sins:
            total += (
                points["sins_unstable"] if sins >= 13 else points["sins_indeterminate"] if sins >= 7 else 0
            )
            said.append(f"SINS {sins}")
        return ("S", min(total, points["cap"]), ", ".join(said)) if total else None

    def _time(self, case: "_Case", lesion: Mention) -> int:
        if lesion.old:
            return self.rules.time["stable"]
        if lesion.trend == "unknown":
            return self.rules.time["first"] if case.first_study else 0
        return self.rules.time.get(lesion.trend, 0)

    def _clinical(self, page: Page) -> Iterator[tuple[str, float, str]]:
        clinical, flags = self.rules.clinical, self.vocabulary.rules.red_flags
        points = sum(flags[name].points if name in flags else clinical.age_points for name in page.red_flags)
        if points:
            yield "C", min(points, clinical.cap), ", ".join(name.replace("_", " ") for name in page.red_flags)
        metadata = self.rules.metadata
        if str(page.context.get("patient_class") or "").lower() in metadata.outpatient_classes:
            yield "M", min(metadata.outpatient, metadata.cap), "out-patient"

    # ---- floors

    def _floors(self, case: "_Case") -> list[Reason]:
        found = dict.fromkeys(rule for m in case.compressions for rule in self._compression_floors(m))
        if case.crowded:
            found["R3"] = None
        for lesion in case.lesions:
            found |= dict.fromkeys(self._lesion_floors(case, lesion))
        if case.page.conflicts:
            found["R9"] = None
        floors = [
            Reason(rule, self.rules.floors[rule].text, tier=self.rules.floors[rule].tier) for rule in found
        ]
        return sorted(floors, key=lambda reason: TIERS.index(str(reason.tier)))

    def _compression_floors(self, m: Mention) -> Iterator[str]:
        if m.certainty not in _SURE:
            if not m.degenerative:
                yield "R3"
        elif m.concept.id in self.groups["cauda_compression"]:
            yield "R1b"
        elif m.degenerative:
            if m.signal:
                yield "R8"
        else:
            yield "R1s" if m.trend in ("stable", "regressed") or m.old else "R1"

    def _lesion_floors(self, case: "_Case", m: Mention) -> Iterator[str]:
        """The floors of one affirmed lesion."""
        sure, groups, known = m.certainty in _SURE, self.groups, _known(m)
        if known and (m.old or m.concept.cls != "infection"):
            return
        if self._emergent(m) and not known:
            yield "R2" if sure else "R3"
        if m.concept.id in groups["cord_bleed"] and sure:
            yield "R2b"
        if m.concept.id in groups["fluid"] and _FLUID.search(case.page.plain, m.start, m.end):
            yield "R3"
        if m.concept.cls == "infection":
            yield "R4" if sure else "R4b"
        elif m.concept.cls in _SERIOUS:
            yield from self._serious_floors(case, m, sure)
        elif m.concept.cls == "fracture":
            yield from self._fracture_floors(case, m, sure)
        elif m.concept.cls == "benign_tumor" or (
            m.concept.cls in _BENIGN_KINDS and m.concept.route in ("T", "S")
        ):
            yield "R11"
        yield from self._cord_floors(case, m, sure)

    def _cord_floors(self, case: "_Case", m: Mention, sure: bool) -> Iterator[str]:
        """Cord lesions and signal, syrinx, malformation, cysts; signal in the bone."""
        explained = case.explained_signal(m)
        if m.concept.id == "SIGNAL_NOS" and "extradural" in m.compartments and not explained:
            yield "R7"
        in_cord = (m.concept.id in self.groups["cord_lesion"] or _cord_signal(m)) and not explained
        if in_cord or m.concept.id in self.groups["unexplained"]:
            yield "R13"
            if case.deficit and case.any("expansion") and sure:
                yield "R13b"
        elif m.concept.id in self.groups["canal_cyst"] and case.mass_effect(m):
            yield "R13"

    def _serious_floors(self, case: "_Case", m: Mention, sure: bool) -> Iterator[str]:
        if not sure:
            yield "R7"
            return
        yield "R5"
        if m.concept.id in self.groups["spread"]:
            yield "R5b"
        if m.concept.cls == "malignant" and "intramedullary" in m.compartments[:1]:
            yield "R5b"
        extended = m.concept.id in self.groups["extension"] or (m.canal and "extradural" in m.compartments)
        if extended or case.any("pathological_fracture") or case.any("extension") or case.deficit:
            yield "R6"

    def _fracture_floors(self, case: "_Case", m: Mention, sure: bool) -> Iterator[str]:
        if m.concept.route == "M":
            return
        if m.concept.id in self.groups["pathological_fracture"]:
            yield "R6" if sure else "R7"
        yield "R12"
        into_canal = m.concept.id in self.groups["retropulsion"] and case.mass_effect(m)
        if sure and (into_canal or m.concept.id in self.groups["unstable"]):
            yield "R12b"

    # ---- tier

    def _tier(
        self, case: "_Case", score: int, terms: list[Reason], floors: list[Reason]
    ) -> tuple[str, str, list[Reason]]:
        """(tier, what decided, caps that applied)."""
        floor = str(floors[0].tier) if floors else "routine"
        by_points = next((t for t in TIERS[:-1] if score >= self.rules.tiers[t]), "routine")
        caps: list[str] = []
        neural = sum(r.points or 0 for r in terms if r.rule == "N")
        stable = sum(r.points or 0 for r in terms if r.rule == "S")
        if not floors and by_points != "routine":
            caps.append("C4" if not case.lesions else "C2" if case.harmless else "C1")
            by_points = "routine"
        if by_points == "stat" and floor != "stat":
            threat = case.touches or any(map(self._emergent, case.lesions))
            if not threat and (case.sins or 0) < 13:
                caps.append("C3")
                by_points = "urgent"
        pressed = neural > self.rules.neural["contact"]
        if by_points == "urgent" and floor == "soon" and not (pressed or stable or case.deficit):
            by_points = "soon"
        extra = [Reason(c, self.rules.caps[c].text, tier=self.rules.caps[c].tier) for c in caps]
        if TIERS.index(floor) <= TIERS.index(by_points) and floors:
            return floor, floors[0].rule, extra
        return by_points, caps[0] if caps else "points", extra


class _Case:
    """What the rules ask about a report."""

    def __init__(self, page: Page, groups: dict[str, frozenset[str]]) -> None:
        self.page = page
        self.groups = groups
        affirmed = [m for m in page.mentions if m.affirmed]
        self.lesions = [m for m in affirmed if m.concept.cls in LESION_CLASSES and not m.absorbed]
        self.context = [m for m in affirmed if m.concept.cls in ("compression", "crowding")]
        self.pressed_sentences = {m.sentence for m in self.context}
        self.causes = {m.sentence for m in self.lesions if m.concept.cls in _CROWDING and not _known(m)}
        self.serious_sentences = {m.sentence for m in self.lesions if m.concept.route not in ("B", "M")}
        self.sure = {m.concept.id for m in affirmed if m.certainty in _SURE}
        pressed = groups["cord_compression"] | groups["cauda_compression"]
        self.compressions = [m for m in affirmed if m.concept.id in pressed]
        self.serious = [m for m in self.lesions if m.concept.route not in ("B", "M")]
        self.harmless = all(m.concept.route in ("B", "M") for m in self.lesions)
        self.deficit = any(flag in page.red_flags for flag in ("deficit", "sphincter"))
        sins = _SINS.search(page.plain)
        self.sins = int(sins.group(1)) if sins else None
        comparison = [s for s in page.sections if s.kind == "comparison"]
        self.first_study = any("none" in page.plain[s.start : s.end] for s in comparison)

    @property
    def neural(self) -> str:
        """none, possible or present."""
        if any(m.certainty in _SURE for m in self.compressions):
            return "present"
        return "possible" if self.compressions or self.crowded else "none"

    @property
    def crowded(self) -> bool:
        """Whether a lesion that is no wear fills the canal: compression is possible though nobody says so."""
        return any(
            m.concept.id in self.groups["crowding"]
            and self.causes & {m.sentence - 1, m.sentence, m.sentence + 1}
            for m in self.context
        )

    @property
    def touches(self) -> bool:
        """Whether cord or cauda equina are surely touched."""
        return any(m.concept.cls == "compression" and m.certainty in _SURE for m in self.context)

    def any(self, group: str) -> bool:
        """Whether a lesion of a group is present or probable."""
        return not self.sure.isdisjoint(self.groups[group])

    def grade(self, m: Mention) -> str:
        """The neural grade of contact and crowding."""
        if m.concept.id in self.groups["contact"]:
            return "contact"
        if m.concept.id in self.groups["crowding"]:
            return "crowding"
        near = not self.serious_sentences.isdisjoint((m.sentence - 1, m.sentence, m.sentence + 1))
        return "sac" if near and m.concept.cls == "crowding" else ""

    def mass_effect(self, m: Mention) -> bool:
        """Whether compression, contact or crowding stands in the sentence of a lesion."""
        return m.sentence in self.pressed_sentences

    def explained_signal(self, m: Mention) -> bool:
        """Whether cord signal is the effect of wear, or signal lies outside the cord beside wear."""
        if m.concept.id not in ("CORD_SIGNAL", "SIGNAL_NOS"):
            return False
        reach = (0, -1, 1) if "intramedullary" in m.compartments else (0,)
        worn = any(
            o.concept.cls in ("degenerative", "fracture", "infection") and o.affirmed
            for i in reach
            for o in self.page.in_sentence(m.sentence + i)
        )
        return worn or (m.concept.id == "SIGNAL_NOS" and not m.compartments)


def _cord_signal(m: Mention) -> bool:
    return m.concept.id == "SIGNAL_NOS" and "intramedullary" in m.compartments


def _known(m: Mention) -> bool:
    return m.old or m.trend in ("stable", "regressed", "resolved")


def _at(m: Mention) -> str:
    return f"{m.concept.name}{' at ' + ', '.join(m.levels) if m.levels else ''}, {m.certainty}"


def _rounded(raw: list[tuple[str, float, str]]) -> list[Reason]:
    """Whole points that sum to the rounded total (half to even); the fractions go to the first terms."""
    score = round(sum(points for _, points, _ in raw))
    whole = [int(points // 1) for _, points, _ in raw]
    by_fraction = sorted(range(len(raw)), key=lambda i: whole[i] - raw[i][1])
    for i in by_fraction[: score - sum(whole)]:
        whole[i] += 1
    return [Reason(rule, text, points=n) for (rule, _, text), n in zip(raw, whole, strict=True)]


@Language.factory("spinetriage_priority")
def _make(nlp: Language, name: str) -> Priority:
    return Priority(current())
