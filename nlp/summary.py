"""What is handed out of a page that has been read."""

from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Mention, Page, page_of
from nlp.priority import NOTHING, Verdict
from nlp.reading import Finding, Reading, Reason
from nlp.schema import LESION_CLASSES
from nlp.unreadable import unreadable
from nlp.vocabulary import Vocabulary, current


class Summary:
    """Puts the reading into the document, as the plain data that spaCy can send between processes."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Replace the page by its reading, under the key `spinetriage` of `doc.user_data`."""
        reading: dict[str, Any] = summarize(page_of(doc, self.vocabulary)).to_dict()
        doc.user_data["spinetriage"] = reading
        return doc


def summarize(page: Page) -> Reading:
    """The reading of a page that all other components have written on."""
    reason = unreadable(page, page.vocabulary)
    verdict: Verdict = page.result or NOTHING
    if reason:
        verdict = _to_a_person(page, verdict, reason)
    findings = [(m.concept.cls in LESION_CLASSES and not m.effect, _finding(page, m)) for m in page.mentions]
    return Reading(
        suspicious=verdict.tier != "routine",
        tier=verdict.tier,
        score=verdict.score,
        neural=verdict.neural,
        unreadable=reason,
        decided_by=verdict.decided_by,
        reasons=verdict.reasons,
        findings=tuple(f for lesion, f in findings if lesion),
        context_findings=tuple(f for lesion, f in findings if not lesion),
        red_flags=tuple(page.red_flags),
        conflicts=tuple(page.conflicts),
        rules_version=page.vocabulary.rules.version,
        details=tuple(page.details),
    )


def _to_a_person(page: Page, verdict: Verdict, reason: str) -> Verdict:
    """The verdict on a text that cannot be read: never routine."""
    floor = page.vocabulary.rules.priority.floors["U"]
    reasons = (*verdict.reasons, Reason("U", f"{floor.text} ({reason})", tier=floor.tier))
    tier, by = (floor.tier, "U") if verdict.tier == "routine" else (verdict.tier, verdict.decided_by)
    return Verdict(tier, verdict.score, verdict.neural, by, reasons)


def _finding(page: Page, m: Mention) -> Finding:
    return Finding(
        concept=m.concept.id,
        name=m.concept.name,
        cls=m.concept.cls,
        quote=page.text[m.start : m.end],
        start=m.start,
        end=m.end,
        certainty=m.certainty,
        cue=m.cue,
        compartments=m.compartments,
        compartment_basis=m.basis,
        levels=m.levels,
        size_mm=m.size_mm,
        trend=m.trend,
        section=page.sentences[m.sentence].section,
        details=tuple(m.details),
        sins=tuple(m.sins),
    )


@Language.factory("spinetriage_summary")
def _make(nlp: Language, name: str) -> Summary:
    return Summary(current())
