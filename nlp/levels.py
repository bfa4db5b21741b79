"""Vertebral levels in every spelling, and which finding they belong to."""

import re
from functools import cache

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Mention, Page, page_of
from nlp.phrases import normal
from nlp.schema import LESION_CLASSES, LevelRules
from nlp.sentences import paragraph_before
from nlp.vocabulary import Vocabulary, current

_LAST = {"C": 8, "T": 12, "L": 6, "S": 5}
_LABEL = r"(?:Th|[CTDLS])[ \-.]?\d{1,2}"
_JOINER = r"(?:-|–|—|/|&|,|\bto\b|\bthrough\b|\bthru\b|\band\b|\bor\b|\bdown to\b)"
_MEASURE = r"(?:mm|cm|x\b|×|%|months?|years?|weeks?|days?|cc|ml|levels (?:above|below))"
_GROUP = re.compile(
    rf"(?<![A-Za-z0-9])({_LABEL})(?![0-9]|\.\d)"
    rf"((?:\s*{_JOINER}\s*(?:and\s+)?"
    rf"(?:(?:the\s+)?{_LABEL}|\d{{1,2}}(?!\s*{_MEASURE}))(?![0-9A-Za-z]|\.\d)"
    rf"|(?<=[0-9])[CTDLS]\d{{1,2}}(?![0-9]))*)",
    re.IGNORECASE,
)
_PART = re.compile(
    r"(-|–|—|/|&|,|\bto\b|\bthrough\b|\bthru\b|\band\b|\bor\b)|((?:Th|[CTDLS])?)[ \-.]?(\d{1,2})",
    re.IGNORECASE,
)
_TO_WORDS = {"to", "through", "thru", "down to"}
_RANGE = {"-", "–", "—", "/", "to", "through", "thru"}
_AS_LEVEL_BEFORE = re.compile(r"\b(?:at|level|vertebra|vertebrae|body of|bodies of)\s*$")
_MAYBE_WEIGHTING = re.compile(r"T[12](?:\W+(?:and\W+|or\W+)?T?[12])?", re.IGNORECASE)
_AS_LEVEL_AFTER = re.compile(
    r"^[\s,]*(?:and [tT]\d+\s+)?(?:vertebra|body|bodies|level|pedicle|lamina|lesion|metastasis|fracture"
    r"|spinous"
    r"|transverse|endplate|superior|inferior|compression|nerve|deposit|haem|hem|mass|wedge|collapse|disc)"
)
_OPENED = re.compile(r"\b(from|between|extend\w*|starting|spanning|running)\b[^,;.]*$")
_TO = re.compile(r"[^.;]{0,25}?\b(?:to|through|until|upto|till|as far as)\b[^.;,]{0,28}")
_PLAINLY_TO = re.compile(r" (?:to|through) (?:the )?(?:tip of the )?")
_SIGNAL = re.compile(
    r"weight|signal|intens|stir|flair|sequence|sagittal|axial|bright|dark|enhanc|gadolin|contrast"
)


@cache
def _guards(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    left = "|".join(re.escape(normal(w)) for w in before)
    right = "|".join(re.escape(normal(w)) for w in sorted(after, key=len, reverse=True))
    return re.compile(rf"(?:^|\W)(?:{left})[ :]*$"), re.compile(rf"^[ \-/]*(?:{right})\b")


def level_groups(page: Page, index: int) -> list[tuple[int, int, str]]:
    """(start, end, label) of each level or range named in a sentence; labels like 'T6' and 'L4-L5'."""
    sentence = page.sentences[index]
    if sentence.levels is None:
        sentence.levels = []
        rules = page.vocabulary.rules.levels
        for match in _GROUP.finditer(page.text, sentence.start, sentence.end):
            if _is_level(page, sentence.start, sentence.end, match, rules):
                labels = _labels(match.group())
                if len(labels) == 2 and page.plain.endswith("between ", sentence.start, match.start()):
                    labels = ["-".join(labels)]
                sentence.levels += [(match.start(), match.end(), label) for label in labels]
        sentence.levels += _worded(page, sentence.start, sentence.end, rules)
        sentence.levels = _extents(page, sentence.start, sentence.end, sorted(sentence.levels), rules)
    return sentence.levels


def _extents(
    page: Page, start: int, end: int, groups: list[tuple[int, int, str]], rules: LevelRules
) -> list[tuple[int, int, str]]:
    """Joins "from C4/5 to C7", "between T3 and T9", "from T8 to the conus" to one range."""
    marks = [
        (m.start(), m.end(), rules.landmarks[m.group(1)])
        for m in _landmark_regex(tuple(rules.landmarks)).finditer(page.plain, start, end)
    ]
    known = {g[0] for g in groups}
    joined: list[tuple[int, int, str]] = []
    for group in sorted(groups + marks):
        if joined:
            s, e, label = joined[-1]
            before, gap = page.plain[max(start, s - 35) : s], page.plain[e : group[0]]
            opened = _OPENED.search(before)
            plainly = group[0] not in known and _PLAINLY_TO.fullmatch(gap)  # "cord infarct T8 to the conus"
            spanned = opened and (_TO.fullmatch(gap) or (opened.group(1) == "between" and gap == " and "))
            if plainly or spanned:
                first, last = label.split("-")[0], group[2].split("-")[-1]
                joined[-1] = (s, group[1], label if first == last else f"{first}-{last}")
                known.add(s)
                continue
        joined.append(group)
    return [g for g in joined if g[0] in known]


@cache
def _landmark_regex(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(sorted(map(re.escape, names), key=len, reverse=True))})\b")


def _is_level(page: Page, start: int, end: int, match: re.Match[str], rules: LevelRules) -> bool:
    left = page.plain[max(start, match.start() - 40) : match.start()]
    right = page.plain[match.end() : min(end, match.end() + 30)]
    not_after, not_before = _guards(rules.not_after.phrases, rules.not_before.phrases)
    if not_after.search(left) or not_before.match(right):
        return False
    if not _MAYBE_WEIGHTING.fullmatch(match.group()):
        return True
    # T1 and T2 mean weighting rather than the vertebra, unless something says otherwise.
    if _guards((), rules.weighting.phrases)[1].match(right):
        return False
    named = _AS_LEVEL_AFTER.match(right) or _AS_LEVEL_BEFORE.search(left)
    return bool(named) or not _SIGNAL.search(page.plain, start, end)


def _labels(group: str) -> list[str]:
    """The labels of one group: 'T4, T5 and T7' gives three, 'C5/6' gives 'C5-C6'."""
    labels: list[str] = []
    region, joiner, reopened = "", "", False
    for match in _PART.finditer(group):
        if match.group(1):
            joiner = match.group(1).lower()
            continue
        letter = match.group(2).upper()
        region = {"TH": "T", "D": "T"}.get(letter, letter) or region
        number = int(match.group(3))
        if not 1 <= number <= _LAST[region]:
            joiner = ""
            continue
        label = f"{region}{number}"
        ranged = bool(labels) and (joiner in _RANGE or (not joiner and bool(letter))) and labels[-1] != label
        if ranged and ("-" not in labels[-1] or joiner in _TO_WORDS or reopened):
            # "T5-6 to T8-9": what follows the "to" moves the end.
            reopened = joiner in _TO_WORDS and "-" in labels[-1]
            labels[-1] = f"{labels[-1].split('-')[0]}-{label}"
        else:
            labels.append(label)
        joiner = ""
    return labels


@cache
def _word_regex(words: tuple[str, ...], regions: tuple[str, ...]) -> re.Pattern[str]:
    number = rf"(?:{'|'.join(words)}|\d{{1,2}}(?:st|nd|rd|th))"
    return re.compile(
        rf"\b({number})(?:\s*(?:to|-|through|and|,)\s*(?:the\s+)?({number}))?(?:,?\s+and\s+({number}))?\s+(?:({'|'.join(regions)})\b(?!\s+nerve)|vertebrae?\b)"
    )


def _worded(page: Page, start: int, end: int, rules: LevelRules) -> list[tuple[int, int, str]]:
    found = []
    region_said = re.search(rf"\b({'|'.join(rules.regions)})\b", page.plain[start:end])
    regex = _word_regex(tuple(rules.words), tuple(rules.regions))
    for match in regex.finditer(page.plain, start, end):
        named = match.group(4) or (region_said and region_said.group(1))
        if not named:
            continue
        region = rules.regions[named]
        numbers = [rules.words.get(n) or int(re.sub(r"\D", "", n)) for n in match.groups()[:3] if n]
        labels = [f"{region}{n}" for n in numbers if 1 <= n <= _LAST[region]]
        if len(labels) == 2 and re.search(r"\bto\b|through| - ", match.group()):
            labels = ["-".join(labels)]
        found += [(match.start(), match.end(), label) for label in labels]
    return found


class Levels:
    """Gives each level to the nearest finding; one without takes its heading's or its neighbour's."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Set `levels` of each mention."""
        page = page_of(doc, self.vocabulary)
        by_sentence = page.by_sentence()
        for index, mentions in by_sentence.items():
            owned = _share_out(page, index, mentions)
            for mention in mentions:
                mention.levels = tuple(dict.fromkeys(owned[id(mention)]))
        for index, mentions in by_sentence.items():
            for mention in mentions:
                if not mention.levels:
                    mention.levels = _inherited(page, index, mention, mentions, by_sentence)
        return doc


def _share_out(page: Page, index: int, mentions: list[Mention]) -> dict[int, list[str]]:
    owned: dict[int, list[str]] = {id(m): [] for m in mentions}
    for start, end, label in level_groups(page, index):
        nearest = min(mentions, key=lambda m: _distance(page.text, m, start, end))
        owned[id(nearest)].append(label)
    return owned


def _distance(text: str, mention: Mention, start: int, end: int) -> float:
    """Characters between a level and a mention; other clauses are far, a level after its finding is near."""
    if mention.start < end and start < mention.end:
        return 0
    after = start >= mention.end
    gap = text[mention.end : start] if after else text[end : mention.start]
    pressed = 30 if mention.concept.cls in ("compression", "crowding") and not after else 0
    return pressed + len(gap) * (1.0 if after else 1.2) + 40 * gap.count(";") + 15 * gap.count(",")


def _inherited(
    page: Page, index: int, mention: Mention, mentions: list[Mention], by_sentence: dict[int, list[Mention]]
) -> tuple[str, ...]:
    # "L2 lytic lesion consistent with metastasis": the diagnosis has the level of what it explains.
    for other in reversed([m for m in mentions if m.start < mention.start and m.affirmed]):
        if other.levels and mention.affirmed:
            return other.levels
    for other in mentions:
        if other.levels and mention.affirmed and other.affirmed:
            return other.levels
    if not mention.affirmed or level_groups(page, index):
        return ()
    for before in paragraph_before(page, index)[:3]:
        near = [m for m in by_sentence.get(before, []) if m.levels and m.affirmed and _alike(m, mention)]
        if near:
            return near[-1].levels
        groups = level_groups(page, before)
        if groups and before not in by_sentence:
            return (groups[-1][2],)
    return ()


def _alike(one: Mention, other: Mention) -> bool:
    """A lesion never takes the level of a worn disc."""
    return one.concept.cls in LESION_CLASSES or other.concept.cls not in LESION_CLASSES


@Language.factory("spinetriage_levels")
def _make(nlp: Language, name: str) -> Levels:
    return Levels(current())
