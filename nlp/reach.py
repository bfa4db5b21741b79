"""How far the words that tell certainty reach, and where another statement begins."""

import re

from nlp.labels import level_groups
from nlp.page import Page
from nlp.schema import Cue

_HEDGES = ("possible", "probable", "present")
_LISTED = re.compile(r"\bor\b|\bversus\b|\bvs\b|\bnor\b")
_JOINED = re.compile(r",|\band\b")
_LATER = re.compile(
    r"(?:ectomy|otomy|fusion|fixation|plasty|surgery|decompression|biopsy)\b[^,;]* (?:with|now) "
    r"|\b(?:new|newly|now|currently|today)\b"
)
# "No appreciable growth of the schwannoma" denies the growth.
_CHANGE = re.compile(
    r"(?: (?:significant|appreciable|definite|interval|further|obvious|substantial|measurable|clear|size))*"
    r" (?:change|growth|increase|decrease|progression|enlargement|worsening|improvement|reduction|regression"
    r"|deterioration|resolution|response)\b"
)
# "No haematoma cord normal haemangioma T12", "no significant abnormality, haemangioma": another statement.
_CLOSED = re.compile(
    r".*\b(?:(?:normal|unremarkable|intact|preserved)\b(?!.*(?:\bor\b|\band\b|,))"
    r"|(?:abnormalit|patholog|deficit|weakness|neurology)\w*\s*,(?!.*\bor\b))"
    r"|.*\b(?:other|further|lesion|abnormality|finding)\b.* than (?:the|an?|that|those|one)\b"
    r"|.*,\s*(?:and )?\w+ing (?:the|its|into|upon)\b"  # "without invading it, and eroding the pedicle"
)
# "No fat plane between the mass and the cord" denies the plane; "no trace of the mass" the mass.
_PART = re.compile(
    r"(?!.*\b(?:residu|remnant|recurr|evidence|sign|trace|persist|suggest|indicat|feature|history|and|or)\w*\b)"
    r"(?: \w+){1,4} (?:between|within|in|of|around|from|inside|along|surrounding|on|to|by|into)"
    r" (?:the|this|these|its|those) (?:\w+ )?$"
)
_PURPOSE = re.compile(r".*\bfor (?:an? |the )?(?:\w+ ){0,2}$")  # "laminectomy of T6 for metastasis"
_PLANNED = re.compile(  # "urgent surgery for metastasis", "laminectomy for it is planned"
    r"\b(?:plan|schedul|requir|need|advis|indicat|recommend|consider|await|candidate|emergency|urgent|start"
    r"|propos|suitab|refer|admitted|prepar|pending)"
)
_CLAUSE = re.compile(r"\b(?:who|which|present(?:s|ed)|coming|admitted|referred|underwent|was|is|now)\b")
# A finding that begins a statement of its own: "history of cancer, lytic lesions are seen in L3".
_STATED = re.compile(
    r"[^,;]*?\b(?:is|are|was|were|has|have|seen|noted|suspicious|concerning|suggest\w*|consistent|compatible|likely)\b"
)
_FOUND = re.compile(r"\bfound\b[^,;]*\band\b")  # "was found and removed": it was there
# "No fever and the abscess was missed", "with no fracture, the lesion": a subject of its own.
_SUBJECT = re.compile(
    r"[^,]*(?:,|\band) (?:the|this|these|an?|his|her|their) (?!(?:\w+ )*(?:,|and) )"
    r"|[^,]*\b(?:was|were|is|are|had)\b(?: (?!(?:to|of|in|by|on|at|with|for|from|as|that)\b)\w+){0,3}"
    r" (?:the|this|an?)\b(?: \w+){0,2} "
)
_ARTICLE = re.compile(r" (?:the|this|an?|his|her)\b")
# Between what is denied and the next finding these say that both belong together.
_BOUND = re.compile(r"\b(?:with|of|from|by|in|at|on|to|for|as|due|and|or|like|related|the|a|is|are|\w+ing)\b")
YEAR = re.compile(r"(?: \w+){0,2} (?:19|20)\d\d\b")
# "If X is a concern", "the alleged X".
_DOUBTED = re.compile(
    r"[^,;]{0,60}\b(?:concern|suspect|suspicion|consider|question|doubt|alleg|presum|suppos)"
)
_BACK = r"recurr|relaps|residu|re ?grow|regrew|remnant|re ?accumul|re ?appear|(?:come|came) back|again"
_RECURRED = re.compile(
    rf"\b(?:no|not|without|absence of|free of|any)\b[^,;.]{{0,40}}\b(?:{_BACK})|\b({_BACK})"
)
_SIZED = re.compile(r" (?:\d[\d.]* ?[mc]m|multiple|several|numerous|innumerable|extensive|huge|two|three)\b")
_TOLD = re.compile(r"(?: \w+){0,4} (?:with|compress\w+|measur\w+|consistent|suspicious|extending|new)\b")
_BEARING = re.compile(r"\w+ing\b")
_SINGULAR = re.compile(r"\b(?:is|was|has|seems|appears|remains)\b")
_HEAD = re.compile(r"\b(?:of|for|either|both)\b(?: \w+){0,3} $")
UNDONE = re.compile(
    r"\b(?:not|never|nor|hardly|barely)(?: (?:yet|fully|completely|entirely|been|have|has))* ?$"
)
# "The mass, which compressed the cord, was removed": what is told aside.
ASIDE = re.compile(
    r"[^,;.]{0,60}, (?:which|that|who)\b[^,;.]*,(?= (?:was|were|is|are|has|have|had|could|can)\b)"
)
_WORD = 3  # characters of the shortest word with the spaces around it
_NEAR = 60
_BESIDE = 12  # characters between a finding and its level: " at the "
_FAR = 200  # characters a cue reaches at most
_REACH = {
    "next": 16,
    "phrase": 45,
    "purpose": 70,
    "condition": 45,
    "general": 150,
    "dated": 60,
    "list": _FAR,
    "clause": _FAR,
    "sentence": 4 * _FAR,
}


def reaches(page: Page, cue: Cue, cue_end: int, start: int, end: int) -> bool:
    """Whether a cue that ends at `cue_end` reaches on to a finding at [start, end)."""
    gap = page.plain[cue_end:start]
    if ";" in gap or ":" in gap[2:] or len(gap) > _REACH[cue.reach] or _of_other(cue, gap):
        return False
    if cue.reach == "purpose":
        near = page.plain[max(0, cue_end - 45) : end + 60]
        return bool(_PURPOSE.match(gap)) and not _PLANNED.search(near)
    if cue.reach == "general" and level_groups(page, page.sentence_at(start)):
        return False
    if cue.reach == "condition":
        return bool(_DOUBTED.match(page.plain, cue_end))
    if cue.label == "absent" and len(gap) > _WORD and _states_own(page, cue_end, start, end):
        return False
    return not _JOINED.search(gap) or _enumerates(page, cue, cue_end, start, end)


def _of_other(cue: Cue, gap: str) -> bool:
    """Whether a cue is about something else that stands between: a change, a part, what came later."""
    if cue.label == "historical":
        return bool(_LATER.search(gap))
    if cue.label != "absent":
        return False
    return bool(_CLOSED.match(gap) or ("," not in gap and (_CHANGE.match(gap) or _PART.match(gap))))


def _states_own(page: Page, cue_end: int, start: int, end: int) -> bool:
    """Whether a finding after a denied one has a statement of its own.

    In dictation without stops, or with commas for stops, a level or size tells: "no fracture epidural
    haematoma T3-T8". A list that goes on with "or" is denied as a whole.
    """
    gap = page.plain[cue_end:start]
    comma = gap.rfind(",") + 1
    after = page.plain[end : end + _NEAR].partition(" no ")[0]
    if gap.count(",") > 1 or _LISTED.search(gap, comma) or _LISTED.search(after):
        return False
    if _SUBJECT.fullmatch(gap):
        return comma > 0 or bool(_STATED.match(page.plain, end))
    index = page.sentence_at(start)
    others = [e for s, e, cues in page.cues(index) if s >= cue_end and e <= start and _is_other(cues)]
    found = [m.end for m in page.in_sentence(index) if m.start >= cue_end and m.end <= start]
    first, done = min(others + found, default=start), max(others + found, default=start)
    if done < start and not comma and _ARTICLE.match(page.plain, done):
        return True
    joined = _BOUND.search(page.plain, done, start) or _BEARING.match(page.plain, start)
    if done == start or joined or (comma and cue_end + comma <= done):
        return False
    levels = level_groups(page, index)
    placed = any(first <= s < start or end <= s < end + _BESIDE for s, _, _ in levels)
    told = bool(_TOLD.match(page.plain, end))
    if comma and not others:
        return placed and told
    return placed or told or bool(_SIZED.search(page.plain, done, start))


def _is_other(cues: tuple[Cue, ...]) -> bool:
    return any(c.label == "other" for c in cues)


def _enumerates(page: Page, cue: Cue, cue_end: int, start: int, end: int) -> bool:
    """Whether the commas (or "and") between a cue and a finding are those of an enumeration."""
    if cue.reach == "list":
        told = _CLAUSE.search(page.plain, cue_end, start) or _STATED.match(page.plain, end)
        return cue.label != "historical" or not told
    if "," not in page.plain[cue_end:start]:
        return True
    if cue.label in _HEDGES:
        return bool(_LISTED.search(page.plain, cue_end, end + 25))
    return cue.reach in ("clause", "sentence", "general")


def reaches_back(page: Page, cue: Cue, start: int, end: int, cue_start: int) -> bool:
    """Whether a cue that begins at `cue_start` reaches back to a finding at [start, end)."""
    gap = page.plain[end:cue_start]
    if cue.label == "end" or ";" in gap or len(gap) > _REACH[cue.reach]:
        return False
    if cue.label == "historical" and (
        _FOUND.search(page.plain, start, cue_start)
        or UNDONE.search(page.plain, end, cue_start)
        or _back(page, start, cue_start)
    ):
        return False
    if cue.reach == "general" and level_groups(page, page.sentence_at(start)):
        return False
    if cue.reach == "condition":
        return bool(_DOUBTED.search(page.plain, max(0, start - _NEAR), start))
    if cue.label in ("absent", "unlikely") and " and " in gap and _of_last(page, start, end, cue_start):
        return False
    beside = cue.label == "historical" and gap.strip() in (",", ", (", "(")  # "schwannoma, resected"
    return beside or "," not in gap or bool(_LISTED.search(gap))


def _of_last(page: Page, start: int, end: int, cue_start: int) -> bool:
    """Whether the verb is singular, so that of two findings only the last is meant: "X and Y is unlikely"."""
    between = [m for m in page.in_sentence(page.sentence_at(start)) if end <= m.start < cue_start]
    if not between or " and " not in page.plain[end : between[-1].start]:
        return False
    of = _HEAD.search(page.plain, max(0, start - _NEAR), start)  # "the diagnosis of X and Y is unlikely"
    return not of and bool(_SINGULAR.search(page.plain, between[-1].end, cue_start + _BESIDE))


def _back(page: Page, start: int, cue_start: int) -> bool:
    """Whether what was taken out has come back, or some of it was left."""
    near = page.plain[max(0, start - _WORD * 4) : cue_start + _NEAR]
    return any(m[1] for m in _RECURRED.finditer(near))
