"""A description and its diagnosis are one lesion: "lytic lesion consistent with haemangioma"."""

import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Mention, Page, page_of
from nlp.schema import LESION_CLASSES, PRESSURE
from nlp.vocabulary import Vocabulary, current

_LINK = re.compile(
    r"consistent with|compatible with|keeping with|correspond|represent|likely|suggest|favou?r|typical"
    r"|characteristic"
    r"|probab|reflect|diagnostic|suspicious for|concerning for|may be|could be|such as|which is"
    r"|(?:appearances?|features) (?:\w+ )?(?:those |that )?of"
    r"|c w\b|s o\b|(?:arising|resulting) from\b|\bis an?\b"
)
_PRONOUNS = ("it ", "this ", "these ", "they ")
_APART = re.compile(r"; |\. ")
_FAR, _NEXT = 170, 110  # characters between a description and its diagnosis, here and in the next sentence
_MANY = 40  # mentions of one level that are looked at
_NO_TUMOUR = ("degenerative", "cyst", "benign_other", "postoperative", "device", "anatomy")
_WORSE = ("malignant", "suspicious", "infection")
_FAMILIES = (("malignant", "suspicious"), ("inflammatory", "suspicious"))  # both may be called a lesion
_HOLDERS = ("malignant", "suspicious", "vascular", "cyst", "benign_tumor")
_IN_DURA = (("intramedullary",), ("intradural_extramedullary",))


class Diagnoses:
    """Marks descriptions that a harmless diagnosis in the same sentence explains; they no longer count."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.descriptors = frozenset(vocabulary.rules.priority.groups["descriptor"])
        self.signal = frozenset(vocabulary.rules.priority.groups["signal"])
        self.swelling = frozenset(vocabulary.rules.priority.groups["expansion"])
        self.signal_only = frozenset(vocabulary.rules.priority.groups["explains_signal"])
        self.harmless = frozenset(vocabulary.rules.priority.groups["explains"])

    def __call__(self, doc: Doc) -> Doc:
        """Set `absorbed` and `effect`."""
        page = page_of(doc, self.vocabulary)
        named: dict[str, list[Mention]] = {}
        for m in page.mentions:
            if m.certainty in ("present", "probable") and m.concept.id not in self.descriptors:
                for level in m.levels:
                    named.setdefault(level, []).append(m)
        for m in page.mentions:
            if m.affirmed and m.concept.id in self.descriptors:
                m.absorbed = self._explained(page, m) or self._named_elsewhere(m, named)
        _porotic(page)
        for m in page.mentions:
            if m.concept.id == "EPI_EXTENSION" and m.affirmed:
                m.absorbed = _of_no_tumour(page, m)
        _treated(page, self.descriptors)
        _settled(page, self.descriptors)
        self._effects(page)
        return doc

    def _explained(self, page: Page, descriptor: Mention) -> bool:
        """Whether a harmless diagnosis follows, up to two sentences later, joined by words that explain."""
        return any(
            m.concept.id in self.harmless
            and m.certainty in ("present", "probable")
            and descriptor.end < m.start <= descriptor.end + limit
            and self._linked(page, descriptor, m)
            for index, limit in enumerate((_FAR, _NEXT, _FAR), descriptor.sentence)
            for m in page.in_sentence(index)
        )

    def _linked(self, page: Page, descriptor: Mention, diagnosis: Mention) -> bool:
        """Whether the last link word before a diagnosis belongs to it, and both are at one place."""
        if diagnosis.concept.id in self.signal_only and descriptor.concept.id not in self.signal:
            return False
        if diagnosis.levels and descriptor.levels and not {*diagnosis.levels} & {*descriptor.levels}:
            return False
        if page.plain.endswith(" from ", descriptor.end, diagnosis.start):
            return True
        links = list(_LINK.finditer(page.plain, descriptor.end, diagnosis.start))
        return bool(links) and not _APART.search(page.plain, links[-1].end(), diagnosis.start)

    def _named_elsewhere(self, descriptor: Mention, named: dict[str, list[Mention]]) -> bool:
        """Whether the report names the described thing at the same level, and as harmless."""
        same = [
            m
            for level in descriptor.levels
            for m in named.get(level, ())[:_MANY]
            if not (descriptor.compartments and m.compartments)
            or m.compartments[:1] == descriptor.compartments[:1]
        ]
        classes: tuple[str, ...] = ("benign_other", "inflammatory", "benign_tumor")
        if descriptor.concept.id in self.signal:
            classes += ("degenerative",)
        benign = any(m.concept.id in self.harmless and m.concept.cls in classes for m in same)
        return benign and not any(m.concept.cls in _WORSE for m in same)

    def _effects(self, page: Page) -> None:
        """Signal beside a lesion is its attribute; cord signal beside compression its effect."""
        lesions = [m for m in page.mentions if m.affirmed and m.concept.id not in self.signal]
        cord = any(
            m.concept.cls == "compression"
            or (
                m.concept.cls in _HOLDERS
                and m.concept.id not in self.swelling
                and m.compartments[:1] in _IN_DURA
            )
            for m in lesions
        )
        for m in page.mentions:
            if m.concept.id in self.signal and m.affirmed:
                near = (*page.in_sentence(m.sentence), *page.in_sentence(m.sentence - 1))
                beside = any(
                    o.affirmed
                    and o.start < m.start
                    and o.concept.id not in self.signal
                    and o.concept.cls in LESION_CLASSES
                    and o.concept.route not in ("B", "M")
                    for o in near
                )
                m.effect = (cord and "extradural" not in m.compartments) or (
                    m.concept.id == "SIGNAL_NOS" and beside
                )
                m.absorbed = m.absorbed or m.effect


def _porotic(page: Page) -> None:
    """Loss of height in porotic bone is no fracture to look at, unless it is new."""
    if any(m.concept.id == "OSTEOPOROSIS" and m.affirmed for m in page.mentions):
        for m in page.mentions:
            if m.concept.id == "HEIGHT_LOSS" and m.trend not in ("new", "progressed"):
                m.absorbed = True


def _of_no_tumour(page: Page, extension: Mention) -> bool:
    """Whether what reaches into the canal, the last thing named before, is wear, a cyst or harmless.

    A haemangioma that leaves the bone is not harmless.
    """
    before = [m for m in page.in_sentence(extension.sentence) if m.end <= extension.start]
    sentence = page.sentences[extension.sentence]
    if not before and page.plain.startswith(_PRONOUNS, sentence.start):
        before = page.in_sentence(extension.sentence - 1)
    concepts = [m.concept for m in before if m.affirmed and m.concept.cls not in PRESSURE]
    return bool(concepts) and concepts[-1].cls in _NO_TUMOUR and concepts[-1].id != "HEMANGIOMA"


def _treated(page: Page, descriptors: frozenset[str]) -> None:
    """Disease called treated is stable wherever it is described, unless something is new or grown."""
    treated = [m for m in page.mentions if m.concept.id == "POST_RT" and m.affirmed]
    if not treated or any(m.affirmed and m.trend in ("new", "progressed") for m in page.mentions):
        return
    everywhere = any(not m.levels for m in treated)
    levels = {level for m in treated for level in m.levels}
    for m in page.mentions:
        kind = m.concept.id in descriptors or m.concept.id == "META_SPINE"
        if m.affirmed and m.trend == "unknown" and kind and "extradural" in m.compartments:
            m.trend = "stable" if everywhere or levels & set(m.levels) else m.trend


def _settled(page: Page, descriptors: frozenset[str]) -> None:
    """A known disease is stable when all its described lesions are, those of its level if it has one."""
    for m in page.mentions:
        family = next((f for f in _FAMILIES if m.concept.cls in f), ())
        if not (family and m.affirmed and m.trend == "unknown") or m.old:
            continue
        known = (m.cue or "").lower().startswith("known")
        if not known and (m.concept.cls != "inflammatory" or m.concept.id in descriptors):
            continue
        parts = [
            o
            for o in page.mentions
            if o is not m
            and o.affirmed
            and o.concept.cls in family
            and (not m.levels or {*m.levels} & {*o.levels})
        ]
        if parts and all(o.known for o in parts):
            m.trend = "stable"


@Language.factory("spinetriage_diagnoses")
def _make(nlp: Language, name: str) -> Diagnoses:
    return Diagnoses(current())
