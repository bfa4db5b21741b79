"""Vertebral levels in every spelling, and what only looks like one."""

import re
from functools import cache
from itertools import pairwise

from nlp.extents import Group, extents, order
from nlp.level_rules import LevelRules
from nlp.page import Page

_CLAUSE = ("and", "but", "with", "while", "whereas", "where", "as", "which")
_LAST = {"C": 8, "T": 12, "L": 6, "S": 5}
_REGION = {"D": "T", "B": "T", "H": "C"}  # dorsal is thoracic; German BWK and HWK
_BELOW = {"C7": "T", "C8": "T", "T12": "L", "L5": "S", "L6": "S"}
# The first letter stands before its lookbehind, so that the search skips to it.
_LETTER = (
    r"(?:[BHL]WK|[CTDLS](?<![A-Za-z0-9].)(?:h|V|(?:ervical|horacic|orsal|umbar|acral)"
    r"(?:\s+(?:vertebral|vertebrae?|segments?|levels?|body|bodies))*)?)"
)
_UNIT = (
    r"[\s-]*(?:mm|cm|cc|ml|%|×|(?:x|months?|years?|weeks?|days?|others?|more|further|additional"
    r"|levels? (?:above|below))\b)"
)
_END = r"(?:(?=[CTDLS]\d)|(?![0-9A-Za-z]|\.\d))"
_TO_JOINER = r"(?:->|~|∼|→|\b(?:down to|up to|upto|to|through|thru|until|till)\b)"
_JOINER = rf"(?:{_TO_JOINER}|[-–—/&,+]|\b(?:and|or|as well as)\b)"
_GROUP = re.compile(
    rf"{_LETTER}[ \-.]?\d{{1,2}}{_END}(?!{_UNIT})"
    rf"(?:[^\S\n]*{_JOINER}\s*(?:and\s+)?(?:(?:the\s+)?{_LETTER}[ \-.]?)?\d{{1,2}}{_END}(?!{_UNIT})"
    r"|(?<=[0-9])[CTDLS]\d{1,2}(?![0-9A-Za-z]))*",
    re.IGNORECASE,
)
_PART = re.compile(
    rf"({_JOINER})|({_LETTER}|(?<=\d)[CTDLS])?[ \-.]?(\d{{1,2}})",
    re.IGNORECASE,
)
_TO_WORD = re.compile(_TO_JOINER)
_ROMAN = re.compile(
    r"(?:(?<=[oa][ft] )|(?<=in )|(?<=to )|(?<=level )|(?<=vertebra )|(?<=body )|(?<=[,–-])|(?<=[,–-] ))"
    r"(?:Th|[CTDL])[ -](X?(?:I{1,3}|IV|VI{0,3}|IX)|XI{0,2})\b"
)
_ROMAN_DIGITS = {"I": 1, "V": 5, "X": 10}
_COUNTED = 60  # characters before "thoracic" in which its numbers stand
_ORDINAL = re.compile(r"\d(?:st|nd|rd|th)\b")
_RANGED = re.compile(r"\b(?:to|through|until)\b")
_ROOT = ("root", "nerve root")
_TAIL = re.compile(rf"(?<=\d)\s*,\s*(?:and\s+)?(?:the\s+)?{_LETTER}[ \-.]?\d{{1,2}}$", re.IGNORECASE)
_WEIGHTED_TAIL = re.compile(r"(?<=\d)(?:\W+(?:and\s+)?T[12])+$", re.IGNORECASE)
_MAYBE_WEIGHTING = re.compile(r"T[12](?:\W+(?:and\W+|or\W+)?T?[12])?", re.IGNORECASE)
_BONE_AFTER = re.compile(
    r"[\s,]*(?:and t\d+ )?(?:vertebra|body|bodies|level|pedicle|lamina|spinous|transverse|endplate)"
)
_NAMED_AFTER = re.compile(
    r"[\s,]*(?:lesion|metastas|fracture|superior|inferior|compression|nerve|deposit|haem|hem|mass|wedge"
    r"|collapse|disc)"
)
_NAMED_BEFORE = re.compile(
    r"\b(?:at|(?:from|down|up|extend\w*)(?: \w+){0,4} to|level|vertebra|vertebrae|body of|bodies of"
    r"|(?:lesions?|metastas[ei]s|fractures?|collapse|deposits?|mass|tumou?r|ha?emangioma|discitis)"
    r" (?:of|in))$"
)
_SIGNAL = re.compile(
    r"weight|signal|intens|stir|flair|sequence|sagittal|axial|bright|dark|enhanc|gadolin|contrast"
)


def level_groups(page: Page, index: int) -> list[Group]:
    """(start, end, label) of each level or range named in a sentence; labels like 'T6' and 'L4-L5'."""
    sentence = page.sentences[index]
    if sentence.levels is None:
        if page.labels is None:
            page.labels = _scan(page)
        words = page.words(index)
        groups = page.labels.get(index, []) + [(s, e, w.level) for s, e, w in words if w.level]
        marks = [(s, e, w.landmark) for s, e, w in words if w.landmark]
        sentence.levels = extents(page, sentence.start, sorted(groups), marks) if groups else groups
    return sentence.levels


def _scan(page: Page) -> dict[int, list[Group]]:
    """All labels of the text by sentence, looked for where the first scan saw that one may be."""
    rules = page.vocabulary.rules.levels
    guards = _guards(rules)
    found: list[Group] = []
    done = 0
    for start, _, anchor in page.anchors:
        if start >= done and (anchor.label or anchor.numbered):
            if match := guards.own(page, _GROUP.match(page.text, start)):
                if guards.is_level(page, match):
                    found += [(start, match.end(), label) for label in _labels(page, match)]
                done = match.end()
            elif match := _ROMAN.match(page.text, start):
                found += _roman(match)
            elif anchor.numbered:
                found += _worded(page, start, rules)
    by_sentence: dict[int, list[Group]] = {}
    for group in found:
        by_sentence.setdefault(page.sentence_at(group[0]), []).append(group)
    return by_sentence


class _Guards:
    """What around a label makes it no level, or no level of a lesion."""

    def __init__(self, rules: LevelRules) -> None:
        self.after, self.before = rules.not_after.phrases, rules.not_before.phrases
        self.weighting, self.weighted = rules.weighting_after.phrases, rules.weighting_before.phrases
        self.root_of, self.owners = rules.root_of.phrases, rules.owners
        healthy = rules.healthy.phrases
        self.healthy = re.compile(
            r"(?:(?:vertebral|vertebrae?|body|bodies|levels?|dis[ck]s?|spaces?|facet|joints?) )*"
            rf"(?:(?:is|are|was|were|appears?|remains?|looks?) (?:\w+ly )?(?:{'|'.join(healthy)})\b"
            rf"|(?:{'|'.join(healthy)})(?: *[.,;)]| +[ctdls]\d|$))"
        )

    def own(self, page: Page, match: re.Match[str] | None) -> re.Match[str] | None:
        """The match without an end that is not meant: "at T9-T10, T1 isointense", "T7/8, T9 is spared"."""
        if not match:
            return match
        right = page.plain[match.end() : match.end() + 50].lstrip()
        tail = _WEIGHTED_TAIL.search(match.group()) if self._weighs(right) else None
        if not tail and (self.healthy.match(right) or _starts(right, (*self.before, *_ROOT))):
            tail = _TAIL.search(match.group())
        if tail:
            return _GROUP.match(page.text, match.start(), match.start() + tail.start())
        return match

    def is_level(self, page: Page, match: re.Match[str]) -> bool:
        """Whether a label of letter and number is a level."""
        sentence = page.sentences[page.sentence_at(match.start())]
        left = page.plain[max(sentence.start, match.start() - 80) : match.start()].rstrip(" :(")
        right = page.plain[match.end() : min(sentence.end, match.end() + 50)].lstrip()
        if (
            match.start() >= sentence.end
            or _ends(left, self.after)
            or _starts(right, self.before)
            or self.healthy.match(right)
            or self._owned(left)
        ):
            return False
        if right.startswith(_ROOT):
            return _ends(_without(left, ("the", "right", "left", "exiting", "traversing")), self.root_of)
        if not _MAYBE_WEIGHTING.fullmatch(match.group()) or _BONE_AFTER.match(right):
            return True
        # T1 and T2 mean weighting rather than the vertebra, unless something says otherwise.
        if self._weighs(right) or _ends(left, self.weighting):
            return False
        named = _NAMED_AFTER.match(right) or _NAMED_BEFORE.search(left)
        return bool(named) or not _SIGNAL.search(page.plain, sentence.start, sentence.end)

    def _weighs(self, right: str) -> bool:
        """Whether what follows "T1" or "T2" makes it a weighting."""
        return right.startswith(("*", "+")) or _starts(right, self.weighted)

    def _owned(self, left: str) -> bool:
        """Whether something that is no lesion has the level: "the conus ends normally at L1"."""
        owners = self.owners
        words = left.split()
        told = False
        while words and words[-1] in owners.between and not _ends(" ".join(words[-3:]), owners.phrases):
            told = words.pop() in owners.verbs or told
        owner = " ".join(words)
        if _ends(owner, owners.phrases):
            return True
        if not _ends(owner, owners.subjects):
            return False
        subject = max((p for p in owners.subjects if owner.endswith(p)), key=len)
        if subject in owners.long and not told:
            return False
        before = _without(owner[: -len(subject)], ("the", "a", "normal", "spinal"))
        last = before.split()[-1:]
        return (
            not before
            or before[-1] in ",.;:()"
            or last[0] in _CLAUSE
            or (told and last[0] not in owners.attached)
        )


@cache
def _guards(rules: LevelRules) -> _Guards:
    return _Guards(rules)


def _ends(text: str, phrases: tuple[str, ...]) -> bool:
    """Whether a text ends with one of the phrases, on whole words."""
    return text.endswith(phrases) and any(
        text.endswith(p) and not text[: -len(p)][-1:].isalnum() for p in phrases
    )


def _starts(text: str, phrases: tuple[str, ...]) -> bool:
    return text.startswith(phrases) and any(
        text.startswith(p) and not text[len(p) : len(p) + 1].isalnum() for p in phrases
    )


def _without(text: str, words: tuple[str, ...]) -> str:
    """The text without trailing words."""
    rest = text.split()
    while rest and rest[-1] in words:
        rest.pop()
    return " ".join(rest)


def _labels(page: Page, group: re.Match[str]) -> list[str]:
    """The labels of one group: 'T4, T5 and T7' gives three, 'C5/6' gives 'C5-C6'."""
    labels: list[str] = []
    joiner, reopened, last = "", False, ""
    for match in _PART.finditer(group.group()):
        if match.group(1):
            joiner = match.group(1).lower()
            continue
        letter, number = (match.group(2) or "")[:1].upper(), int(match.group(3))
        region = _REGION.get(letter, letter) or last[:1]
        if not letter and last and number <= int(last[1:]):
            # "T12/1" goes on with the next region; else a smaller number is no level ("L4 and 2 more").
            region = _BELOW.get(last, "") if number == 1 else ""
        if not 1 <= number <= _LAST.get(region, 0):
            joiner = ""
            continue
        label = f"{region}{number}"
        to = bool(_TO_WORD.fullmatch(joiner))
        # "/" between two full labels that are no neighbours is a list.
        ranged = to or joiner in ("-", "–", "—") or (not joiner and bool(letter))
        ranged = ranged or (joiner == "/" and (not letter or order(label) - order(last) == 1))
        if labels and ranged and last != label and ("-" not in labels[-1] or to or reopened):
            # "T5-6 to T8-9": what follows the "to" moves the end.
            reopened = to and "-" in labels[-1]
            labels[-1] = f"{labels[-1].split('-')[0]}-{label}"
        else:
            labels.append(label)
        joiner, last = "", label
    if len(labels) == 2 and page.plain.endswith(("between ", "between the "), 0, group.start()):
        return ["-".join(labels)]
    return labels


def _roman(match: re.Match[str]) -> list[Group]:
    """Levels such as "T VII"."""
    letter = _REGION.get(match.group()[0], match.group()[0])
    values = [_ROMAN_DIGITS[digit] for digit in match.group(1)] + [0]
    number = sum(-one if one < other else one for one, other in pairwise(values))
    return [(match.start(), match.end(), f"{letter}{number}")] if number <= _LAST[letter] else []


@cache
def _word_regex(words: tuple[str, ...], regions: tuple[str, ...]) -> re.Pattern[str]:
    number = rf"(?:{'|'.join(words)}|\d{{1,2}}(?:st|nd|rd|th))"
    joiner = r"(?:\s*,)?\s+(?:(?:to|through|until|and|or|&)\s+)?(?:the\s+)?"
    return re.compile(
        rf"\b{number}(?:{joiner}{number})*\s+"
        rf"(?:({'|'.join(regions)})\b(?!\s+(?:nerve|puncture))|vertebrae?\b)"
    )


def _worded(page: Page, at: int, rules: LevelRules) -> list[Group]:
    """Levels such as "the tenth thoracic vertebra", of which the words at `at` are the second part."""
    found: list[Group] = []
    start = max(0, at - _COUNTED)
    if not _has_number(page.plain[start:at], rules):
        return found
    for match in _word_regex(tuple(rules.words), tuple(rules.regions)).finditer(page.plain, start, at + 20):
        if not match.start() < at < match.end():
            continue
        region = rules.regions.get(match.group(1) or "") or _region_said(page, match.start(), rules)
        numbers = [rules.words.get(word) or _digits(word) for word in match.group().split()]
        labels = [f"{region}{n}" for n in numbers if 1 <= n <= _LAST.get(region, 0)]
        if len(labels) == 2 and _RANGED.search(match.group()):
            labels = ["-".join(labels)]
        found += [(match.start(), match.end(), label) for label in labels]
    return found


def _has_number(before: str, rules: LevelRules) -> bool:
    return any(word in before for word in rules.words) or bool(_ORDINAL.search(before))


def _digits(word: str) -> int:
    return int("".join(filter(str.isdigit, word)) or 0)


def _region_said(page: Page, at: int, rules: LevelRules) -> str:
    """The region that the sentence of "the fifth vertebra" names elsewhere."""
    sentence = page.sentences[page.sentence_at(at)]
    words = re.findall(r"\w+", page.plain[sentence.start : sentence.end])
    return next((rules.regions[word] for word in words if word in rules.regions), "")
