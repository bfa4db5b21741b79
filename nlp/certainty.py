"""How certain the report is of a finding, and the words that say so."""

import re
from itertools import pairwise

from spacy.language import Language
from spacy.tokens import Doc

from nlp.labels import level_groups
from nlp.page import Mention, Page, page_of
from nlp.reach import ASIDE, YEAR, reaches, reaches_back
from nlp.schema import Cue
from nlp.vocabulary import Vocabulary, current

_STRONG = ("absent", "unlikely", "recommendation", "historical")
_HEDGES = ("possible", "probable", "present")
_NEW_PHRASE = re.compile(r"(?:,|\band|\bwith)\s+(?:\w+\s+)?$")
_ANSWERED = re.compile(
    r"s?(?:\s*[:?]\s*|\s{3})(?:no|nil|none|negative|absent)\b\s*(?=[.,;\n]|$)"
)  # "cord compression: no."
_DENIES_ON = re.compile(r"(?:,(?: \w+){1,3})* or (?!without|no |with |prior|previous)")
_DENIALS = ("no ", "without ")
_DENIAL = Cue("absent", "after", "clause", "", ())
_OVER = re.compile(r"\bover (?:an? |the )?(?:\w+ )?$")  # "favour meningioma over schwannoma"
_THAN = re.compile(
    r"\bthan (?:with |of |for |an? |the )*(?:\w+ )?$"
)  # "more likely Modic change than discitis"
_ELSEWHERE = re.compile(  # "not seen on the previous CT": seen today
    r" on (?:the |an? |her |his )?"
    r"(?:previous|prior|earlier|older|initial|outside|plain|radiograph|x ray|bone scan|last|preceding|first)"
    r"|[^;.]{0,40}(?:,|\bbut) (?:is |was |it is |clearly )?(?:seen|visible|shown|evident|clear)\b"
)


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
        for asked, answer in pairwise(page.mentions):
            if _answers(page, asked, answer):
                asked.certainty, asked.cue = "unlikely", answer.cue
        return doc


def _answers(page: Page, asked: Mention, answer: Mention) -> bool:
    """Whether a suspicion is taken back in its sentence: "suspected, but no discitis was found"."""
    if answer.certainty != "absent" or "suspected" not in (asked.cue or ""):
        return False
    together = asked.sentence == answer.sentence and asked.concept.id == answer.concept.id
    elsewhere = together and any(s >= answer.end for s, _, _ in level_groups(page, asked.sentence))
    return together and not elsewhere


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
    return next((c for c in cues if c.direction in directions and c.label != "other"), None)


def _denial(page: Page, start: int, end: int) -> Cue | None:
    """A denial out of one that denies no finding, when "or" carries it on: "no enhancement or mass"."""
    on = page.plain.startswith(_DENIALS, start) and _DENIES_ON.match(page.plain, end)
    return _DENIAL if on else None


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
            state = None if any(c.label != "other" for c in cues) else state
            continue
        if cue.label == "pseudo":
            cue = _denial(page, s, e)
        if cue is None or not reaches(page, cue, e, start, end):
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
    if aside := ASIDE.match(page.plain, end):
        end = aside.end()
    found: tuple[str, str] | None = None
    over = False
    for s, e, cues in page.cues(index):
        if e <= end or s < start or all(c.label == "other" for c in cues):
            continue
        cue = _cue(cues, ("before", "both"))
        if cue and cue.reach == "dated" and not YEAR.match(page.plain, e):
            continue  # "operated in emergency"
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
            found = (cue.label, page.text[s:e]) if reaches_back(page, cue, start, end, s) else None
    return found


def _takes_back(cue: Cue, found: tuple[str, str] | None) -> bool:
    denied = found is not None and found[0] in ("unlikely", "absent")
    return cue.reach == "sentence" and (cue.label == "absent" or denied)


def _other_between(page: Page, index: int, end: int, stop: int) -> bool:
    """Whether another finding stands between: what follows is said of that one."""
    return any(end <= m.start < stop for m in page.in_sentence(index))


@Language.factory("spinetriage_certainty")
def _make(nlp: Language, name: str) -> Certainty:
    return Certainty(current())
