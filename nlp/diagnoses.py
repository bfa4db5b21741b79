"""A description and its diagnosis are one lesion: "lytic lesion consistent with haemangioma"."""

import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Mention, Page, page_of
from nlp.rules import LESION_CLASSES
from nlp.vocabulary import Vocabulary, current

_LINK = re.compile(
    r"consistent with|s o\b|which is|from\b|compatible with|in keeping with|keeping with|c w\b|represent|likely|suggest|favor|favour|typical|"
    r"characteristic|probab|reflect|diagnostic|suspicious for|concerning for|may be|could be|\bis an?\b|such as|correspond"
)
_FAR = 110


class Diagnoses:
    """Marks descriptions that a harmless diagnosis in the same sentence explains; they no longer count."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.descriptors = frozenset(vocabulary.rules.priority.groups["descriptor"])
        self.signal = frozenset(vocabulary.rules.priority.groups["signal"])
        self.harmless = frozenset(vocabulary.rules.priority.groups["explains"])

    def __call__(self, doc: Doc) -> Doc:
        """Set `absorbed`."""
        page = page_of(doc, self.vocabulary)
        for mention in page.mentions:
            if mention.affirmed and mention.concept.id in self.descriptors:
                mention.absorbed = self._named_elsewhere(page, mention) or any(
                    m.concept.id in self.harmless and _explains(page, mention, m) for m in page.mentions
                )
        _treated(page, self.descriptors)
        self._effects(page)
        return doc

    def _effects(self, page: Page) -> None:
        """Signal or enhancement beside a lesion is its attribute; cord signal beside compression its effect."""
        lesions = [m for m in page.mentions if m.affirmed and m.concept.id not in self.signal]
        cord = any(m.concept.cls == "compression" for m in lesions) or any(
            m.concept.cls in ("malignant", "suspicious", "vascular", "cyst", "benign_tumor")
            and m.compartments[:1] in (("intramedullary",), ("intradural_extramedullary",))
            for m in lesions
        )
        for m in page.mentions:
            if m.concept.id in self.signal and m.affirmed:
                beside = any(
                    0 <= m.sentence - o.sentence <= 1 and o.concept.cls in LESION_CLASSES and not _minor(o) for o in lesions
                )
                within = "intramedullary" in m.compartments
                m.effect = (cord and within) or (m.concept.id == "SIGNAL_NOS" and beside)
                m.absorbed = m.absorbed or m.effect

    def _named_elsewhere(self, page: Page, descriptor: Mention) -> bool:
        """Whether the impression names the described thing at the same level, and as harmless."""
        if not descriptor.levels:
            return False
        same = [
            m
            for m in page.mentions
            if m is not descriptor
            and m.concept.id not in self.descriptors
            and m.certainty in ("present", "probable")
            and set(m.levels) & set(descriptor.levels)
            and m.compartments[:1] == descriptor.compartments[:1]
        ]
        tumours = ("malignant", "suspicious", "benign_tumor", "infection")
        named = [m for m in same if m.concept.id in self.harmless and m.concept.cls == "benign_other"]
        return bool(named) and not any(m.concept.cls in tumours for m in same)


def _minor(m: Mention) -> bool:
    return m.concept.route in ("B", "M")


def _treated(page: Page, descriptors: frozenset[str]) -> None:
    """Disease called treated or healed is stable wherever it is described, unless something is new or grown."""
    treated = [m for m in page.mentions if m.concept.id == "POST_RT" and m.affirmed]
    if not treated or any(m.affirmed and m.trend in ("new", "progressed") for m in page.mentions):
        return
    for m in page.mentions:
        kind = m.concept.id in descriptors or m.concept.id == "META_SPINE"
        if m.affirmed and m.trend == "unknown" and kind and "extradural" in m.compartments:
            if any(not t.levels or set(t.levels) & set(m.levels) for t in treated):
                m.trend = "stable"


def _explains(page: Page, descriptor: Mention, diagnosis: Mention) -> bool:
    if diagnosis.certainty not in ("present", "probable"):
        return False
    if not 0 <= diagnosis.sentence - descriptor.sentence <= 1:
        return False
    gap = page.plain[descriptor.end : diagnosis.start]
    return len(gap) <= _FAR and bool(_LINK.search(gap))


@Language.factory("spinetriage_diagnoses")
def _make(nlp: Language, name: str) -> Diagnoses:
    return Diagnoses(current())
