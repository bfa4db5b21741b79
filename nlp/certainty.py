"""How certain the report is of a finding, and the words that say so."""

import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Page, page_of
from nlp.schema import Cue
from nlp.vocabulary import Vocabulary, current

_STRONG = ("absent", "unlikely", "recommendation", "historical")
_HEDGES = ("possible", "probable", "present")
_LISTED = re.compile(r"\bor\b|\bversus\b|\bvs\b|\bnor\b")
_JOINED = re.compile(r",|\band\b")
_NEW_PHRASE = re.compile(r"(?:,|\band|\bwith)\s+(?:\w+\s+)?$")
_LATER = re.compile(
    r"(?:ectomy|otomy|fusion|fixation|plasty|surgery|decompression|biopsy)\b[^,;]* (?:with|now) "
    r"|\b(?:new|newly|now|currently|today)\b"
)
_ANSWERED = re.compile(
    r"s?(?:\s*[:?]\s*|\s{3})(?:no|nil|none|negative|absent)\b\s*(?=[.,;\n]|$)"
)  # "cord compression: no."
# "No appreciable growth of the schwannoma" denies the growth.
_CHANGE = re.compile(
    r"(?: (?:significant|appreciable|definite|interval|further|obvious|substantial|measurable|clear|size))*"
    r" (?:change|growth|increase|decrease|progression|enlargement|worsening|improvement|reduction|regression"
    r"|deterioration|resolution|response)\b"
)
# "No haematoma cord normal haemangioma T12", "no significant abnormality, haemangioma": another statement.
_CLOSED = re.compile(
    r".*\b(?:(?:normal|unremarkable|intact|preserved)\b(?!.*(?:\bor\b|\band\b|,))"
    r"|(?:abnormalit|patholog)\w*\s*,(?!.*\bor\b))"
    r"|.*,\s*(?:and )?\w+ing (?:the|its|into|upon)\b"  # "without invading it, and eroding the pedicle"
)
# "No fat plane between the mass and the cord" denies the plane; "no trace of the mass" the mass.
_PART = re.compile(
    r"(?!.*\b(?:residu|remnant|recurr|evidence|sign|trace|persist|suggest|indicat|feature|history|and|or)\w*\b)"
    r"(?: \w+){1,4} (?:between|within|in|of|around|from|inside|along|surrounding|on|to|by|into)"
    r" (?:the|this|these|its|those) (?:\w+ )?$"
)
_OVER = re.compile(r"\bover (?:an? |the )?(?:\w+ )?$")  # "favour meningioma over schwannoma"
_THAN = re.compile(
    r"\bthan (?:with |of |for |an? |the )*(?:\w+ )?$"
)  # "more likely Modic change than discitis"
_PURPOSE = re.compile(r".*\bfor (?:an? |the )?(?:\w+ ){0,2}$")  # "laminectomy of T6 for metastasis"
_PLANNED = re.compile(  # "urgent surgery for metastasis", "laminectomy for it is planned"
    r"\b(?:plan|schedul|requir|need|advis|indicat|recommend|consider|await|candidate|emergency|urgent|start"
    r"|propos|suitab|refer|admitted|prepar|pending)"
)
_ELSEWHERE = re.compile(  # "not seen on the previous CT": seen today
    r" on (?:the |an? |her |his )?"
    r"(?:previous|prior|earlier|older|initial|outside|plain|radiograph|x ray|bone scan|last|preceding|first)"
)
_CLAUSE = re.compile(r"\b(?:who|which|present(?:s|ed)|coming|admitted|referred|underwent|was|is|now)\b")
# A finding that begins a statement of its own: "history of cancer, lytic lesions are seen in L3".
_STATED = re.compile(
    r"[^,;]*?\b(?:is|are|was|were|has|have|seen|noted|suspicious|concerning|suggest\w*|consistent|compatible|likely)\b"
)
_FOUND = re.compile(r"\bfound\b[^,;]*\band\b")  # "was found and removed": it was there
_FAR = 200  # characters a cue reaches at most
_REACH = {"next": 16, "phrase": 45, "purpose": 70, "list": _FAR, "clause": _FAR, "sentence": 4 * _FAR}


class Certainty:
    """Sets certainty and cue of each mention: section first, then the cues before and after it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Set `certainty` and `cue`."""
        page = page_of(doc, self.vocabulary)
        for mention in page.mentions:
            mention.certainty, mention.cue = certainty_at(page, mention.start, mention.end)
            if mention.concept.site == "beside" and mention.cue and mention.cue.lower() == "known":
                mention.certainty = "historical"  # "known myeloma" names the patient's disease, not a lesion
        return doc


def certainty_at(page: Page, start: int, end: int) -> tuple[str, str | None]:
    """Certainty of whatever stands at [start, end), and the cue that made it (None = plainly said)."""
    index = page.sentence_at(start)
    section = page.sentences[index].section
    before = _before(page, start, end, index)
    after = _after(page, start, end, index)
    label, cue = _decide(before, after)
    if cue is None and " ".join(page.plain[start:end].split()) in page.vocabulary.background:
        return "historical", page.text[start:end]
    label = "historical" if label == "family" else label
    if label == "possible" and str(cue).lower() in ("?", "query") and _put_to_study(page, index):
        section = "indication"
    default = page.vocabulary.rules.sections[section].certainty
    if section == "history" and label == "indication":
        return label, cue
    if default == "" or label in ("absent", "historical"):
        return ("recommendation" if label == "indication" and default == "" else label), cue
    return default, cue or section


def _decide(before: tuple[str, str] | None, after: tuple[str, str] | None) -> tuple[str, str | None]:
    if before is None and after is None:
        return "present", None
    if before is None or after is None:
        return before or after or ("present", None)
    if before[0] in ("family", "recommendation", "indication", "historical"):
        return before
    if before[0] == "absent":
        return after if after[0] == "possible" else before
    if after[0] == "probable" and before[0] == "present":
        return after
    return after if after[0] in ("absent", "historical", "unlikely", "possible", "recommendation") else before


def _cue(cues: tuple[Cue, ...], directions: tuple[str, str]) -> Cue | None:
    return next((c for c in cues if c.direction in directions), None)


def _before(page: Page, start: int, end: int, index: int) -> tuple[str, str] | None:
    """The cue before a finding that reaches it."""
    state: tuple[str, str] | None = None
    at = page.sentences[index].start
    for s, e, cues in page.cues(index):
        if s >= start:
            break
        if e > end:
            continue
        cue = _cue(cues, ("after", "both"))
        if cue is None or cue.label == "end":
            state = None
            continue
        if cue.label == "pseudo":
            continue
        if not _reaches(page, cue, e, start, end):
            continue
        if (
            state
            and state[0] == "absent"
            and cue.label in _HEDGES
            and not _states_anew(page, state, at, s, e)
        ):
            continue  # "no lesion suspicious for metastasis"
        if state and state[0] in ("indication", "recommendation", "family") and cue.label != "absent":
            if cue.label == "historical" and state[0] == "recommendation":
                state = None  # "advise resection of the mass": it is there
            continue
        state, at = (cue.label, page.text[s:e]), e
    if state and state[0] == "probable":
        compared = _THAN if state[1].lower().startswith("more") else _OVER
        if less := compared.search(page.plain[at:start]):
            return "unlikely", less.group().strip()
    return state or _question(page, start, end, index)


def _states_anew(page: Page, state: tuple[str, str], at: int, start: int, end: int) -> bool:
    """Whether a hedge after a denial is outside it: "no oedema, likely old", "without oedema suggests"."""
    verb = page.plain[start:end].split()[0].endswith("s")
    aside = verb and state[1].lower().startswith("without")
    return aside or bool(_NEW_PHRASE.search(page.plain, at, start))


def _reaches(page: Page, cue: Cue, cue_end: int, start: int, end: int) -> bool:
    """Whether a cue that ends at `cue_end` reaches on to a finding at [start, end)."""
    gap = page.plain[cue_end:start]
    if ";" in gap or ":" in gap[2:] or len(gap) > _REACH[cue.reach] or _of_other(cue, gap):
        return False
    if cue.reach == "purpose":
        near = page.plain[max(0, cue_end - 45) : end + 60]
        return bool(_PURPOSE.match(gap)) and not _PLANNED.search(near)
    return not _JOINED.search(gap) or _enumerates(page, cue, cue_end, start, end)


def _of_other(cue: Cue, gap: str) -> bool:
    """Whether a cue is about something else that stands between: a change, a part, what came later."""
    if cue.label == "historical":
        return bool(_LATER.search(gap))
    if cue.label != "absent":
        return False
    return bool(_CLOSED.match(gap) or ("," not in gap and (_CHANGE.match(gap) or _PART.match(gap))))


def _enumerates(page: Page, cue: Cue, cue_end: int, start: int, end: int) -> bool:
    """Whether the commas (or "and") between a cue and a finding are those of an enumeration."""
    if cue.reach == "list":
        told = _CLAUSE.search(page.plain, cue_end, start) or _STATED.match(page.plain, end)
        return cue.label != "historical" or not told
    if "," not in page.plain[cue_end:start]:
        return True
    if cue.label in _HEDGES:
        return bool(_LISTED.search(page.plain, cue_end, end + 25))
    return cue.reach in ("clause", "sentence")


def _question(page: Page, start: int, end: int, index: int) -> tuple[str, str] | None:
    """A question mark before its subject ("?MSCC", "? traumatic, infective") or right after it ("cyst?")."""
    sentence = page.sentences[index]
    line = page.text.rfind("\n", sentence.start, start)
    mark = page.text.rfind("?", max(sentence.start, line), start)
    asked = mark >= 0 and start - mark < 30 and not page.text[mark - 1 : mark].isalnum()
    return ("possible", "?") if asked or page.text[end : end + 2].lstrip(" )").startswith("?") else None


def _put_to_study(page: Page, index: int) -> bool:
    """Whether a question stands where the request does: with the history, or before all that was found."""
    sentence = page.sentences[index]
    first, *others = page.sections
    untitled = not first.titled and sentence.start < first.end
    if sentence.section in ("indication", "history") or (
        untitled and others and others[0].kind == "findings"
    ):
        return True
    told = any(
        s == sentence.start and c.label == "historical" for s, _, cues in page.cues(index) for c in cues
    )
    if not page.mentions or not (told or page.text.startswith("?", sentence.start)):
        return False
    return page.mentions[0].sentence == index < page.mentions[-1].sentence


def _after(page: Page, start: int, end: int, index: int) -> tuple[str, str] | None:
    """The cue after a finding that reaches back to it.

    The first one counts. One that reaches through the whole sentence takes back what was said before it
    ("…, but this was not confirmed"); "cannot be excluded" takes back a denial only.
    """
    if answer := _ANSWERED.match(page.plain, end):
        return "absent", answer.group().strip()
    found: tuple[str, str] | None = None
    over = False
    for s, e, cues in page.cues(index):
        if e <= end or s < start:
            continue
        cue = _cue(cues, ("before", "both"))
        if cue and cue.label == "absent" and _ELSEWHERE.match(page.plain, e):
            continue
        if cue and _takes_back(cue, found) and not _other_between(page, index, end, s):
            return cue.label, page.text[s:e]
        if over:
            continue
        if cue is None:
            # The next statement begins, unless the words only begin inside the finding.
            over = s >= end and any(c.label in _STRONG and c.reach != "purpose" for c in cues)
        elif cue.label == "pseudo":
            over = s - end < 3
        else:
            over = True
            found = (cue.label, page.text[s:e]) if _reaches_back(page, cue, start, end, s) else None
    return found


def _takes_back(cue: Cue, found: tuple[str, str] | None) -> bool:
    denied = found is not None and found[0] in ("unlikely", "absent")
    return cue.reach == "sentence" and (cue.label == "absent" or denied)


def _other_between(page: Page, index: int, end: int, stop: int) -> bool:
    """Whether another finding stands between: what follows is said of that one."""
    return any(end <= m.start < stop for m in page.in_sentence(index))


def _reaches_back(page: Page, cue: Cue, start: int, end: int, cue_start: int) -> bool:
    """Whether a cue that begins at `cue_start` reaches back to a finding at [start, end)."""
    gap = page.plain[end:cue_start]
    if cue.label == "end" or ";" in gap or len(gap) > _REACH[cue.reach]:
        return False
    if cue.label == "historical" and _FOUND.search(page.plain, start, cue_start):
        return False
    beside = cue.label == "historical" and gap.strip() in (",", ", (", "(")  # "schwannoma, resected"
    return beside or "," not in gap or bool(_LISTED.search(gap))


@Language.factory("spinetriage_certainty")
def _make(nlp: Language, name: str) -> Certainty:
    return Certainty(current())
