"""New, grown, stable, treated, gone, or old."""

import re
from itertools import pairwise

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Mention, Page, page_of
from nlp.reach import UNDONE
from nlp.schema import Trend
from nlp.vocabulary import Vocabulary, current

# An old one is gone, a chronic one is not; an old fracture is still there.
_HEALS = ("infection", "haemorrhage")
_CHANGES = ("progressed", "regressed", "change")
_DENIED = re.compile(
    r"\b(?:no|not|without|nor|never|none|neither)\b(?: \w+){0,4} ?$"
)  # "no appreciable growth" is stable
_NONE_NEW = re.compile(r"\b(?:no|without)(?: \w+ (?:or|and))? $")  # "no recent or acute fracture"
_FAR = 90
# A description and the diagnosis that follows it are one lesion: "new nodules, drop metastases".
_NAMED = re.compile(
    r"(?: (?:of|at|in|on) [^,.;]{1,40})?,?\s*(?:(?:likely|probably|possibly|most|highly|is|are|c w|s o)\s+)*"
    r"(?:consistent with|compatible with|in keeping with|suspicious for|suggestive of|concerning for"
    r"|representing|favou?red to be|due to)?\s*(?:an? |the |multiple |diffuse )?"
)
_COORDINATED = re.compile(r"(?: \w+){0,4}\W*(?:and|or|,)(?: \w+){0,3} $")


class Trends:
    """Gives each mention the nearest word of change in its clause."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Set `trend` and `old`."""
        page = page_of(doc, self.vocabulary)
        for mention in page.mentions:
            found = _trends(page, mention)
            chronic = mention.concept.cls not in _HEALS and any(label == "chronic" for _, label in found)
            mention.old = chronic or any(label == "old" for _, label in found)
            change = [pair for pair in found if pair[1] not in ("old", "chronic")]
            mention.trend = min(change)[1] if change else mention.concept.trend
            if mention.concept.cls == "fracture" and any(label == "new" for _, label in change):
                mention.trend = "new"  # "acute stable compression fracture" will not move
            gone = mention.trend == "resolved" or (mention.old and mention.concept.cls in _HEALS)
            if gone and mention.affirmed:
                mention.certainty, mention.cue = "historical", "resolved"
        _share(page)
        return doc


def _share(page: Page) -> None:
    """What is said of a lesion at its levels in one place holds for it everywhere."""
    for one, other in pairwise(page.mentions):
        told = one.affirmed and other.affirmed and other.trend == "unknown" and not other.old
        near = one.sentence == other.sentence
        if told and near and _NAMED.fullmatch(page.plain[one.end : other.start]):
            other.trend, other.old = one.trend, one.old
    said: dict[tuple[str, str], Mention] = {}
    for m in page.mentions:
        if m.affirmed and (m.old or m.trend != "unknown"):
            for key in _keys(m):
                said.setdefault(key, m)
    for m in page.mentions:
        if m.affirmed and m.trend == "unknown" and not m.old:
            other = next((said[key] for key in _keys(m) if key in said), m)
            m.trend, m.old = other.trend, other.old


def _keys(m: Mention) -> list[tuple[str, str]]:
    """What makes two mentions one thing: the level (lesion or metastasis), without levels the concept."""
    tumour = m.concept.cls in ("malignant", "suspicious")
    family = "tumour" if tumour else m.concept.cls
    return [(family, level) for level in m.levels] or [(m.concept.id, "")]


def _trends(page: Page, mention: Mention) -> list[tuple[int, str]]:
    """(distance, label) of every word of change that reaches the mention."""
    found = []
    for s, e, word in page.words(mention.sentence):
        denied = mention.affirmed and _NONE_NEW.search(page.plain, max(0, s - 25), s)
        for trend in word.trends:
            if denied and trend.label == "new":
                continue  # "known metastases with no new deposits"
            if trend.label in ("resolved", "old") and UNDONE.search(page.plain, max(0, s - 40), s):
                continue  # "has not yet healed"
            distance = _distance(page, mention, trend, s, e)
            if distance is None:
                continue
            if trend.label in _CHANGES and _DENIED.search(page.plain, max(0, s - 40), s):
                found.append((distance, "stable"))
            elif trend.label not in ("change", "none"):
                found.append((distance, trend.label))
    return found


def _distance(page: Page, mention: Mention, trend: Trend, s: int, e: int) -> int | None:
    if s < mention.end and mention.start < e:
        return None if trend.label == "resolved" else 0  # "the pedicle is gone" is the lesion, not its end
    before = e <= mention.start
    if trend.direction != "both" and (trend.direction == "after") != before:
        return None
    start, end = (e, mention.start) if before else (mention.end, s)
    gap = page.plain[start:end]
    if len(gap) > _FAR or ";" in gap or " but " in gap or (" with " in gap and before):
        return None
    between = [m for m in page.in_sentence(mention.sentence) if m is not mention and start <= m.start < end]
    if between and (before or not _COORDINATED.match(page.plain[start : between[0].start])):
        return None
    commas = gap.count(",")
    if commas > 1 or (commas and before):
        return None
    return len(gap)


@Language.factory("spinetriage_trends")
def _make(nlp: Language, name: str) -> Trends:
    return Trends(current())
