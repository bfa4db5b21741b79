"""Points explain: what the lesion that counts most is worth, and the clinical words once."""

from collections.abc import Iterator

from nlp.case import Case
from nlp.page import Mention, Page
from nlp.reading import Reason
from nlp.schema import LESION_CLASSES, Rules

Term = tuple[str, float, object]  # rule, points, what they are for: a mention or words

_BY_CLASS = ("malignant", "infection", "suspicious", "benign_tumor")
_HARMLESS = ("B", "M")
_CHANGES = {"first": "first study", "stable": "stable or old"}


class Points:
    """Scores each lesion with its own pressure, stability and change; the highest counts."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules.priority
        self.flags = {name: flag.points for name, flag in rules.red_flags.items()}
        self.flags["age_over_50"] = rules.priority.clinical.age_points

    def __call__(self, case: Case) -> list[Reason]:
        """The terms that counted, in whole points that sum to the score."""
        scored = [self._lesion(case, m) for m in case.lesions]
        scored += [[term] for m in case.pressures if not m.causes and (term := self._alone(case, m))]
        best = max(scored, key=_total, default=None)
        return _rounded([*best, *self._clinical(case.page)]) if best else []

    def _lesion(self, case: Case, lesion: Mention) -> list[Term]:
        """B, N, S and T of one lesion."""
        base = self.rules.base[_kind(case, lesion)] * self.rules.certainty[lesion.certainty]
        terms: list[Term] = [("B", base, lesion)]
        if case.pressures or case.parts:
            terms += [t for t in (self._neural(case, lesion), self._stability(case, lesion)) if t]
        elif case.sins and (stability := self._stability(case, lesion)):
            terms.append(stability)
        change = "stable" if lesion.old else lesion.trend
        if change == "unknown" and case.first_study:
            change = "first"
        if points := self.rules.time.get(change):
            terms.append(
                ("T", max(points, -_total(terms)), _CHANGES.get(change, change))
            )  # never below nothing
        return terms

    # ---- N

    def _neural(self, case: Case, lesion: Mention) -> Term | None:
        """The worst that presses because of a lesion."""
        found = []
        for m in case.pressures:
            if lesion in m.causes:
                grade = self._compression(case, m)
                if not grade and lesion.concept.route not in _HARMLESS:
                    grade = _contact(case, m)
                found += [self._term(grade, m)] if grade else []
        found += [self._term("expansion", m) for m in case.parts_of(lesion, "expansion")]
        found += [self._term("epidural", m) for m in case.parts_of(lesion, "extension")]
        return max(found, key=lambda term: term[1], default=None)

    def _alone(self, case: Case, m: Mention) -> Term | None:
        """Compression that no lesion of the report makes."""
        grade = self._compression(case, m)
        return self._term(grade, m) if grade else None

    def _term(self, grade: str, m: Mention) -> Term:
        return "N", self.rules.neural[grade] * self.rules.certainty[m.certainty], m

    def _compression(self, case: Case, m: Mention) -> str:
        """The grade of a compression; wear alone without severity or signal gives none (C4)."""
        if m not in case.compressions:
            return ""
        cauda = m.concept.id in case.groups["cauda_compression"]
        if m.severe:
            return "severe"
        return "cauda" if cauda else "" if m.degenerative else "compression"

    # ---- S, C, M

    def _stability(self, case: Case, lesion: Mention) -> Term | None:
        said = {
            group: self.rules.stability[group]
            for group in ("pathological_fracture", "retropulsion")
            if any(m.sure for m in case.parts_of(lesion, group))
        }
        if case.sins is not None and case.sins >= 7 and lesion.concept.route not in _HARMLESS:
            grade = "sins_unstable" if case.unstable else "sins_indeterminate"
            said[f"SINS {case.sins}"] = self.rules.stability[grade]
        points = min(sum(said.values()), self.rules.stability["cap"])
        return ("S", points, ", ".join(said).replace("_", " ")) if said else None

    def _clinical(self, page: Page) -> Iterator[Term]:
        """Red flags and where the patient comes from."""
        if points := sum(self.flags[name] for name in page.red_flags):
            said = ", ".join(name for name in page.red_flags if self.flags[name])
            yield "C", min(points, self.rules.clinical.cap), said.replace("_", " ")
        metadata = self.rules.metadata
        if str(page.context.get("patient_class") or "").lower() in metadata.outpatient_classes:
            yield "M", min(metadata.outpatient, metadata.cap), "out-patient"


def _kind(case: Case, lesion: Mention) -> str:
    """What a lesion is, as term B counts it."""
    cls = lesion.concept.cls
    if case.emergent(lesion):
        return "emergent"
    if cls in _BY_CLASS:
        return cls
    return "benign" if lesion.concept.route in _HARMLESS and cls != "fracture" else "indeterminate"


def _contact(case: Case, m: Mention) -> str:
    """The grade of contact and crowding."""
    if m.concept.id in case.groups["contact"]:
        return "contact"
    filled = m.concept.id in case.groups["crowding"] or m.concept.id in case.groups["narrowing"]
    return "crowding" if filled else "sac"


def _total(terms: list[Term]) -> float:
    return sum(points for _, points, _ in terms)


def _rounded(terms: list[Term]) -> list[Reason]:
    """Whole points that sum to the rounded total (half to even); the fractions go to the first terms."""
    whole = [int(points // 1) for _, points, _ in terms]
    missing = round(_total(terms)) - sum(whole)
    for i in sorted(range(len(terms)), key=lambda i: whole[i] - terms[i][1])[:missing]:
        whole[i] += 1
    return [Reason(rule, _text(source), points=n) for (rule, _, source), n in zip(terms, whole, strict=True)]


def _text(source: object) -> str:
    """What points are for, in words."""
    if not isinstance(source, Mention):
        return str(source)
    pressing = source.levels and source.concept.cls not in LESION_CLASSES
    place = f" at {', '.join(source.levels)}" if pressing else ""
    return f"{source.concept.name}{place}, {source.certainty}"
