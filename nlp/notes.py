"""What a report with a lesion says beside it: the known primary, what is recommended, who was told."""

import re
from collections.abc import Callable, Iterator

from spacy.language import Language
from spacy.tokens import Doc

from nlp.certainty import certainty_at
from nlp.described import Said, Words
from nlp.details import denial
from nlp.page import Page, page_of
from nlp.reading import Detail
from nlp.vocabulary import Vocabulary, current

_ASKED = ("indication", "recommendation", "possible")
_ASKING = ("indication", "history", "comparison")
_KIN = re.compile(r"family|mother|father|sister|brother|relative")
_KNOWN = re.compile(
    r"\b(?:known|history|hx|h o|metastatic|from|secondary to|diagnos\w+|treated|background|year old|y o"
    r"|patient|woman|man|male|female|previous|underlying|primary|due to|case of|stage \w+|status post|s p)\b"
    r"[^.;:]{0,30}$"
)
_SPREAD = re.compile(
    r"[ ]?(?:metasta|mets\b|patient|primary)"
    r"|[^.;]{0,25}\b(?:years? ago|diagnosed|treated|on (?:chemo|immuno)\w*|status post|s p\b"
    r"|post (?:chemo|radio)\w*)"
)
_TIME = re.compile(
    r"\b(?:within|in|at|after|every)\s(?:the next |approximately |about )?"
    r"(?:\d+|one|two|three|four|six|twelve|a)(?:\s?(?:to|or|-| )\s?\d+)?"
    r"[\s-]?(?:h|hours?|hrs?|days?|weeks?|wks?|months?|mo|years?)\b"
)
_CLOCK = re.compile(
    r"(?:\bat|,) (?:approximately |about )?(\d{1,2}[:.]\d{2}(?: ?[ap]\.?m\b)?(?: ?(?:hours|hrs|h)\b)?"
    r"|\d{4} ?(?:hours|hrs|h)\b|\d{1,2} ?[ap]\.?m\b)",
    re.IGNORECASE,
)
_DAY = re.compile(
    r"\bon (\d{1,4}[/.\-]\d{1,2}(?:[/.\-]\d{2,4})?|\d{1,2} [A-Z][a-z]+ \d{4}|[A-Z][a-z]+ \d{1,2},? \d{4}"
    r"|\[\*\*[^\]]{1,30}\*\*\])"
)
_STOP = re.compile(
    r"\s(?:at|on(?! call)|by|via|over|who|in person|for|and (?:read|confirmed|acknowledged|will)|regarding"
    r"|about|immediately|shortly|verbally|as|with|was|were)(?=\s)|[,;(\n]"
)
_LED = re.compile(r"\s*(?:(?:directly|immediately|promptly|to|with|the findings to|about)\s)*")
_LED_TO = re.compile(
    r"\s*(?:(?:\w+ly|by (?:tele)?phone|(?:via|over) (?:the )?(?:tele)?phone|in person|at once)\s)*"
    r"(?:to|with)\s(?:the )?"
)
_PASSIVE = re.compile(r"\b(?:was|were|has been|have been|is|are)\s(?:\w+ly\s)?$")
_NEW_PART = re.compile(r"[,;]|\b(?:signs?|show\w*|findings?)\b")
_MASKS = ("[**", "___")  # names that were taken out
_AHEAD, _BEHIND, _WHOM = 90, 70, 70  # characters


class Notes:
    """Adds the details of the report as a whole."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Fill `details` of the page."""
        page = page_of(doc, self.vocabulary)
        if not page.has_lesion:
            return doc
        found: dict[tuple[str, str], Detail] = {}
        for index, said in page.said().items():
            for kind in said:
                if kind in _NOTES:
                    for note in _NOTES[kind](page, index, said):
                        found.setdefault((note.kind, note.value), note)
        page.details += found.values()
        return doc


def _primaries(page: Page, index: int, said: Said) -> Iterator[Detail]:
    """Cancers that the patient has: told in the indication, or named as known or as the source."""
    section = page.sentences[index].section
    for start, end, organ in said["primary"]:
        label, cue = certainty_at(page, start, end)
        if (
            label in ("absent", "unlikely")
            or _asked(page, index, cue or "")
            or _KIN.search((cue or "").lower())
        ):
            continue
        if section in _ASKING or label == "historical" or _sourced(page, index, start, end):
            yield page.detail("known_primary", organ, start, end)


def _asked(page: Page, index: int, cue: str) -> bool:
    """Whether a cue asks for a disease; the heading of the indication alone does not."""
    said = (group for s, e, group in page.cues(index) if page.text[s:e] == cue)
    return cue == "?" or any(c.label in _ASKED for group in said for c in group)


def _sourced(page: Page, index: int, start: int, end: int) -> bool:
    """Whether the findings name a cancer as known, or as what the metastases come from."""
    before = page.plain[max(page.sentences[index].start, start - 60) : start]
    return bool(_KNOWN.search(before) or _SPREAD.match(page.plain, end))


def _recommended(page: Page, index: int, said: Said) -> Iterator[Detail]:
    """What is advised, and when: one note a sentence."""
    sentence, acts = page.sentences[index], said["act"]
    if sentence.section == "recommendation":
        chosen, advice = acts, acts[0]
    elif sentence.section != "technique" and "recommend" in said:
        chosen, advice = _advised(page, acts, said["recommend"])
    else:
        return
    if not chosen or _of_another_place(page, index):
        return
    if any(denial(page, index, *words[:2]) is not None for words in (advice, chosen[0])):
        return
    spans = [words[:2] for words in (*chosen, advice)]
    times = [*said.get("when", ())]
    times += [
        (m.start(), m.end(), page.text[m.start() : m.end()].lower())
        for m in _TIME.finditer(page.plain, sentence.start, sentence.end)
    ]
    near = [t for t in times if any(t[0] - e < _AHEAD and s - t[1] < _AHEAD for s, e in spans)]
    value = ", ".join(dict.fromkeys(v for _, _, v in (*chosen, *near)))
    spans += [words[:2] for words in near]
    yield page.detail("recommendation", value, min(s for s, _ in spans), max(e for _, e in spans))


def _of_another_place(page: Page, index: int) -> bool:
    """Whether advice is for a finding elsewhere, by its own sentence or the one before; not for the head."""
    for i in (index, index - 1)[: index + 1]:
        words = [w for _, _, w in page.words(i)]
        if page.in_sentence(i) or any(w.spine or w.head for w in words):
            return False
        if any(w.elsewhere for w in words):
            return True
    return False


def _advised(page: Page, acts: list[Words], advice: list[Words]) -> tuple[list[Words], Words]:
    """The acts that a word of advice reaches, nearer ones ahead of it or behind it, and that word."""
    for words in advice:
        start, end, kind = words
        if kind == "done":
            continue
        ahead = [act for act in acts if 0 <= act[0] - end < _AHEAD]
        behind = [act for act in acts if 0 <= start - act[1] < _BEHIND] if kind == "said" else []
        if behind and _NEW_PART.search(page.plain, behind[-1][1], start):
            behind = []
        if ahead or behind:
            nearer = ahead and (not behind or ahead[0][0] - end <= start - behind[-1][1])
            return ahead if nearer else behind, words
    return [], (0, 0, "")


def _told(page: Page, index: int, said: Said) -> Iterator[Detail]:
    """To whom a result was told, how and when."""
    sentence = page.sentences[index]
    if "not_told" in said or sentence.section in _ASKING:
        return
    for telling in said["told"]:
        whom = _whom(page, index, telling, said.get("person", []))
        if whom is None:
            continue
        parts = [*said.get("how", ())]
        for word, when in (("on", _DAY), ("at", _CLOCK)):
            clock = when.finditer(page.text, sentence.start, sentence.end)
            parts += [(m.start(), m.end(), f"{word} {m[1]}") for m in clock]
        value = ", ".join(dict.fromkeys([f"to {page.text[slice(*whom)]}", *(v for _, _, v in parts)]))
        spans = [whom, telling[:2], *(words[:2] for words in parts)]
        yield page.detail("communication", value, min(s for s, _ in spans), max(e for _, e in spans))
        return


def _whom(page: Page, index: int, telling: Words, persons: list[Words]) -> tuple[int, int] | None:
    """Where the person told stands: behind the words, or before "was informed"."""
    sentence = page.sentences[index]
    start, end, kind = telling
    passive = _PASSIVE.search(page.plain, sentence.start, start) if kind == "whom" else None
    if passive:
        low = max(sentence.start, page.plain.rfind(",", sentence.start, start) + 1)
        high = passive.start()
    else:
        led = (_LED_TO if kind == "then" else _LED).match(page.plain, end)
        if led is None:
            return None
        low = led.end()
        last = min(sentence.end, low + _WHOM)
        stop = _STOP.search(page.text, low, last)
        high = stop.start() if stop else last
    low += len(page.text[low:high]) - len(page.text[low:high].lstrip())
    high = low + len(page.text[low:high].rstrip(" .:\n"))
    named = any(low <= s and e <= high + 1 for s, e, _ in persons)
    masked = any(mark in page.text[low:high] for mark in _MASKS)
    return (low, high) if low < high and (named or masked) else None


Note = Callable[[Page, int, Said], Iterator[Detail]]
_NOTES: dict[str, Note] = {"primary": _primaries, "act": _recommended, "told": _told}


@Language.factory("spinetriage_notes")
def _make(nlp: Language, name: str) -> Notes:
    return Notes(current())
