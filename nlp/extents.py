"""The order of the vertebrae, and ranges told with words between their ends."""

import re

from nlp.page import Page

Group = tuple[int, int, str]

COLUMN = tuple(
    f"{region}{n}" for region, last in (("C", 7), ("T", 12), ("L", 5), ("S", 5)) for n in range(1, last + 1)
)
_ORDER = {vertebra: place for place, vertebra in enumerate(COLUMN)}
_ORDER |= {"C8": _ORDER["C7"], "L6": _ORDER["L5"]}
_OPENED = re.compile(r"\b(from|between|extend\w*|starting|spanning|running)\b[^,;.]*$")
_TO = re.compile(r"[^.;]{0,25}?\b(?:to|through|until|upto|till|as far as)\b[^.;,]{0,28}")
_BETWEEN = re.compile(r"(?: levels?| dis[ck]s?| space| body)* and (?:\w+ ){0,4}")
_PLAINLY_TO = re.compile(r" (?:to|through|upto|up to|down to) (?:the )?(?:tip of the )?")
# "a lesion at T8, extending inferiorly to T11"
_GREW = re.compile(
    r"(?:[\s,]*\b(?:levels?|vertebral|vertebra|body|bodies|disc|space|and|which|that|with|an|is|seen|it|also)\b)*"
    r"[\s,]*(?:extend\w*|extension|track\w*|descend\w*|ascend\w*|spread\w*|reach\w*)\b"
    r"[^.;,]{0,25}\b(?:to|until|upto|till|as far as)\b[^.;,]{0,20}"
)
# "beginning at T6 and ending at T10"
_ENDED = re.compile(
    r"[\s,]*(?:(?:and|which|that|then) )*(?:end|terminat|reach|stopp?|finish)(?:s|es|ed|ing|e)?"
    r"(?: \w+ly)?(?: up| down)?(?: at| in)?(?: the)?(?: level of)?(?: the)? "
)
# "upper border C4, lower border C6"
_BORDER = r"(?:border|margin|pole|end|limit|extent|edge)\b[^.;,]{0,14}"
_UPPER = re.compile(rf"\b(?:upper|superior|cranial|cephalad|rostral|top) {_BORDER}$")
_LOWER = re.compile(rf"[^.;]{{0,14}}\b(?:lower|inferior|caudal|bottom) {_BORDER}")
_RANGED = re.compile(r"\b(?:to|through|until)\b")


def order(vertebra: str) -> int:
    """The place of a vertebra in the column, from above."""
    return _ORDER[vertebra]


def vertebrae(label: str) -> tuple[str, ...]:
    """All vertebrae of a label such as 'T6' or 'T12-L2'."""
    first, *last = label.split("-")
    low, high = sorted((order(first), order(last[0] if last else first)))
    return COLUMN[low : high + 1]


def extents(page: Page, start: int, groups: list[Group], marks: list[Group]) -> list[Group]:
    """Joins "from C4/5 to C7", "between T3 and T9", "from T8 to the conus", "at T8, extending to T11"."""
    known = {group[0] for group in groups}
    joined: list[Group] = []
    for group in sorted(groups + marks):
        if joined and joined[-1][1] <= group[0]:
            s, e, _ = joined[-1]
            gap = page.plain[e : group[0]]
            if _spans(page, start, joined[-1], gap) or (group[0] not in known and _PLAINLY_TO.fullmatch(gap)):
                joined[-1] = (s, group[1], _span(page, joined[-1], group))
                known.add(s)
                continue
        joined.append(group)
    return [group for group in joined if group[0] in known]


def _spans(page: Page, start: int, first: Group, gap: str) -> bool:
    """Whether what stands between two levels makes them the ends of one range."""
    if _GREW.fullmatch(gap) or _ENDED.fullmatch(gap):
        return True
    if _LOWER.fullmatch(gap) and _UPPER.search(page.plain[max(start, first[0] - 35) : first[0]]):
        return True
    opened = _OPENED.search(page.plain[max(start, first[0] - 35) : first[0]])
    if not opened or ("," in gap and _RANGED.search(page.plain, first[0], first[1])):
        return False
    return bool(_TO.fullmatch(gap) or (opened.group(1) == "between" and _BETWEEN.fullmatch(gap)))


def _span(page: Page, first: Group, last: Group) -> str:
    """The range from one level to another; one that begins at a disc leaves out the bone above it."""
    upper, lower = first[2].split("-"), last[2].split("-")
    down = order(upper[0]) < order(lower[-1])
    if len(upper) == 2 and page.plain.startswith((" disc", " disk"), first[1]):
        upper = upper[1:] if down else upper[:1]
    if len(lower) == 2 and page.plain.startswith((" disc", " disk"), last[1]):
        lower = lower[:1] if down else lower[1:]
    ends = sorted({*upper, *lower}, key=order)
    return ends[0] if len(ends) == 1 else f"{ends[0]}-{ends[-1]}"
