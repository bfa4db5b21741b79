"""Findings and impression that disagree; the more urgent side counts, and a person is told."""

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Mention, Page, page_of
from nlp.vocabulary import Vocabulary, current

_LATE = ("impression", "addendum")
_SURE = ("present", "probable")


class Conflicts:
    """Compares what findings and impression say of the same concept."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Set the conflicts of the page."""
        page = page_of(doc, self.vocabulary)
        by_concept: dict[str, list[Mention]] = {}
        for m in page.mentions:
            if m.concept.site == "spinal" and m.concept.cls in ("compression", "infection", "haemorrhage"):
                by_concept.setdefault(m.concept.id, []).append(m)
        for mentions in by_concept.values():
            early = [m for m in mentions if _section(page, m) == "findings"]
            late = [m for m in mentions if _section(page, m) in _LATE]
            for one, other in ((early, late), (late, early)):
                if (
                    any(m.certainty in _SURE for m in one)
                    and other
                    and all(m.certainty == "absent" for m in other)
                ):
                    page.conflicts.append(
                        f"{one[0].concept.name}: {one[0].certainty} in {_section(page, one[0])}, "
                        f"absent in {_section(page, other[0])}"
                    )
        return doc


def _section(page: Page, m: Mention) -> str:
    return page.sentences[m.sentence].section


@Language.factory("spinetriage_conflicts")
def _make(nlp: Language, name: str) -> Conflicts:
    return Conflicts(current())
