"""New, grown, stable, treated, gone, or old."""

import re
from dataclasses import replace
from itertools import pairwise

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Mention, Page, page_of
from nlp.reach import UNDONE, YEAR
from nlp.schema import TRENDS, TUMOURS, Trend
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
    r"(?: (?:of|at|in|on) [^,.;]{1,40})?,?\s*"
    r"(?:(?:or|versus|vs|likely|probably|possibly|most|highly|is|are|c w|s o)\s+)*"
    r"(?:consistent with|compatible with|in keeping with|suspicious for|suggestive of|concerning for"
    r"|representing|favou?red to be|due to)?\s*"
    r"(?:(?:an?|the|multiple|diffuse|small|tiny|large|typical|benign) )*"
)
# What a change is of, right after it: "unchanged vertebral alignment", "no change in the height".
_OF = re.compile(
    r" (?:(?:in|of) )?(?:(?!(?:with|without|and|or|but|since|compared|from|to|at|in|on|by|than|as|when|is|are"
    r"|which|that|for|between|over|despite|under|after|before|during|following|while|because)\b)[\w-]+ ){0,4}"
)
_IS = re.compile(r",? (?:(?:is|are|was|were|has|have|been|remains?|remained|appears?|also|essentially) )*")
_COMPARED = re.compile(
    r" (?:(?:in )?(?:size|appearance|extent) )?(?:since|compared|from|in comparison|to the|with the"
    r"|as compared|over)\b| ?[.,]"
    r"| the (?:previous|prior|last|earlier|initial)"
)
_SIZE = re.compile(r", [\d.x ]+ ?[cm]m\b")
_REST = re.compile(r"\b(?:other|others|remaining|remainder of|rest of)\b[^.;,]{0,25}$")
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
            aged = {"old": True, "chronic": mention.concept.cls not in _HEALS}
            aged["quiet"] = mention.concept.cls == "fracture"
            mention.old = any(aged.get(label, False) for _, label in found)
            change = [pair for pair in found if pair[1] not in aged]
            mention.trend = min(change)[1] if change else _goes_on(page, mention) or mention.concept.trend
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
        told = m.affirmed and (m.old or m.trend != "unknown")
        if told and not _REST.search(page.plain, max(0, m.start - 40), m.start):
            for key in _keys(m):
                said.setdefault(key, m)
    for m in page.mentions:
        if m.affirmed and m.trend == "unknown" and not m.old:
            other = next((said[key] for key in _keys(m) if key in said), m)
            m.trend, m.old = other.trend, other.old
    worse = {m.concept.id for m in page.mentions if m.affirmed and m.trend in ("new", "progressed")}
    for m in page.mentions:
        # A lesion at a level that is summed up without one: "Meningioma at T5 … Stable meningioma."
        other = said.get((m.concept.id, ""), m)
        if m.affirmed and m.trend == "unknown" and other.trend == "stable" and m.concept.id not in worse:
            m.trend = "stable"


def _same(one: Mention, other: Mention) -> bool:
    return one.concept.cls in TUMOURS and other.concept.cls in TUMOURS


def _keys(m: Mention) -> list[tuple[str, str]]:
    """What makes two mentions one thing: the level (lesion or metastasis), without levels the concept."""
    family = "tumour" if m.concept.cls in TUMOURS else m.concept.cls
    return [(family, level) for level in m.levels] or [(m.concept.id, "")]


def _trends(page: Page, mention: Mention) -> list[tuple[int, str]]:
    """(distance, label) of every word of change that reaches the mention."""
    found = []
    fracture = mention.concept.cls == "fracture"  # its height and alignment are its own
    for s, e, word in page.words(mention.sentence):
        denied = mention.affirmed and _NONE_NEW.search(page.plain, max(0, s - 25), s)
        for trend in word.trends:
            if denied and trend.label == "new":
                continue  # "known metastases with no new deposits"
            if trend.label in ("resolved", "old") and UNDONE.search(page.plain, max(0, s - 40), s):
                continue  # "has not yet healed"
            if trend.dated and not YEAR.match(page.plain, e):
                continue
            distance = _distance(page, mention, trend, s, e)
            if distance is None or (not fracture and _of_other(page, mention, s, e)):
                continue
            if trend.label in _CHANGES and _DENIED.search(page.plain, max(0, s - 40), s):
                found.append((distance, "stable"))
            elif trend.label not in ("change", "other", "none"):
                found.append((distance, trend.label))
    return found


def _goes_on(page: Page, mention: Mention) -> str:
    """The change told in a next sentence without a finding: "It is unchanged."."""
    index = mention.sentence + 1
    if (
        index == len(page.sentences)
        or page.in_sentence(index)
        or page.in_sentence(index - 1)[-1] is not mention
    ):
        return ""
    start, words = page.sentences[index].start, page.words(index)
    spoken = page.plain.startswith(page.vocabulary.rules.levels.follow.same, start)
    begins = any(s == start and _COMPARED.match(page.plain, e) for s, e, word in words if word.trends)
    if not (spoken or begins) or any(word.elsewhere for _, _, word in words):
        return ""
    said = _trends(page, replace(mention, start=start, end=start, sentence=index))
    change = [pair for pair in said if pair[1] in TRENDS]
    return min(change)[1] if change else ""


def _of_other(page: Page, mention: Mention, s: int, e: int) -> bool:
    """Whether a word of change at [s, e), said after the mention, is about something else.

    That is no lesion ("without change in alignment") or another finding ("unchanged disc bulge").
    """
    if s < mention.end:
        return False
    for start, end, word in page.words(mention.sentence):
        if any(trend.label == "other" for trend in word.trends) and (
            (start >= e and _told_of(page, s, e, start)) or (end <= s and _IS.fullmatch(page.plain, end, s))
        ):
            return True
    return any(
        m.start >= e
        and m.concept.cls != mention.concept.cls
        and not _same(m, mention)
        and _told_of(page, s, e, m.start)
        for m in page.in_sentence(mention.sentence)
    )


def _told_of(page: Page, s: int, e: int, start: int) -> bool:
    """Whether a change at [s, e) is of what begins at `start`; "unchanged in" only tells where."""
    inside = page.plain.startswith((" in ", " of "), e) and page.plain.endswith(("ed", "stable"), s, e)
    return not inside and bool(_OF.fullmatch(page.plain, e, start))


def _distance(page: Page, mention: Mention, trend: Trend, s: int, e: int) -> int | None:
    if s < mention.end and mention.start < e:
        return None if trend.label == "resolved" else 0  # "the pedicle is gone" is the lesion, not its end
    before = e <= mention.start
    if trend.direction != "both" and (trend.direction == "after") != before:
        return None
    start, end = (e, mention.start) if before else (mention.end, s)
    gap = page.plain[start:end]
    if len(gap) > _FAR or ";" in gap.rstrip("; ") or " but " in gap or (" with " in gap and before):
        return None
    between = [m for m in page.in_sentence(mention.sentence) if m is not mention and start <= m.start < end]
    if between and (before or not _COORDINATED.match(page.plain[start : between[0].start])):
        return None
    commas = _SIZE.sub("", gap).count(",") if gap.count(",") > 1 else gap.count(",")
    if commas > 1 or (commas and before):
        return None
    return len(gap)


@Language.factory("spinetriage_trends")
def _make(nlp: Language, name: str) -> Trends:
    return Trends(current())
