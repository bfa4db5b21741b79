"""From findings to a tier: points explain, floors and caps decide."""

from collections.abc import Mapping
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc

from nlp.case import PARTS, Case
from nlp.floors import floors
from nlp.page import Page, page_of
from nlp.points import Points
from nlp.pricing import TIERS, Floor
from nlp.reading import Reason
from nlp.vocabulary import Vocabulary, current


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision with its reasons."""

    tier: str
    score: int
    neural: str
    decided_by: str
    reasons: tuple[Reason, ...]


NOTHING = Verdict("routine", 0, "none", "points", ())


class Priority:
    """Scores each lesion, takes the highest, then lets floors and caps decide."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.rules = vocabulary.rules.priority
        self.points = Points(vocabulary.rules)
        self.groups = {name: frozenset(ids) for name, ids in self.rules.groups.items()}
        self.floors = _reasons(self.rules.floors)
        self.caps = _reasons(self.rules.caps)
        self.groups["parts"] = frozenset[str]().union(*(self.groups[name] for name in PARTS))

    def __call__(self, doc: Doc) -> Doc:
        """Set the page's result."""
        page = page_of(doc, self.vocabulary)
        page.result = self.decide(page)
        return doc

    def decide(self, page: Page) -> Verdict:
        """The verdict on a page whose mentions are complete.

        The tier follows from the reasons alone: points to a tier, caps lower it, floors lift it.
        """
        affirmed = [m for m in page.mentions if m.affirmed]
        if not affirmed:
            return NOTHING
        case = Case(page, affirmed, self.groups)
        terms = self.points(case)
        score = sum(term.points or 0 for term in terms)
        lifted = sorted((self.floors[name] for name in floors(case)), key=_rank)
        by_points = next((t for t in TIERS[:-1] if score >= self.rules.tiers[t]), "routine")
        capped = [self.caps[name] for name in self._caps(case, by_points, terms, lifted)]
        tier = str(capped[-1].tier) if capped else by_points
        decided_by = capped[-1].rule if capped else "points"
        if lifted and _rank(lifted[0]) <= TIERS.index(tier):
            tier, decided_by = str(lifted[0].tier), lifted[0].rule
        return Verdict(tier, score, case.neural, decided_by, (*terms, *lifted, *capped))

    def _caps(self, case: Case, tier: str, terms: list[Reason], lifted: list[Reason]) -> list[str]:
        """The caps on what points alone reach, each lower than the one before."""
        if not lifted:
            name = "C4" if not case.lesions else "C2" if case.harmless else "C1"
            return [] if tier == "routine" else [name]
        caps = []
        threat = case.touched or any(map(case.emergent, case.lesions)) or case.unstable
        if tier == "stat" and lifted[0].tier != "stat" and not threat:
            caps, tier = ["C3"], "urgent"
        pressed = any(t.rule == "N" and (t.points or 0) > self.rules.neural["contact"] for t in terms)
        unstable = any(t.rule == "S" for t in terms)
        if tier == "urgent" and lifted[0].tier == "soon" and not (pressed or unstable or case.deficit):
            caps.append("C5")
        return caps


def _rank(reason: Reason) -> int:
    return TIERS.index(str(reason.tier))


def _reasons(rules: Mapping[str, Floor]) -> dict[str, Reason]:
    return {name: Reason(name, rule.text, tier=rule.tier) for name, rule in rules.items()}


@Language.factory("spinetriage_priority")
def _make(nlp: Language, name: str) -> Priority:
    return Priority(current())
