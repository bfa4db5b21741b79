"""The phrases of the whole-text scan: forms of the lexicon, verbs of pressing, pictures and traps."""

from dataclasses import dataclass, replace

from nlp.phrases import Spellings, normal, plurals, slips
from nlp.pictures import Beside, compile_picture
from nlp.rules import ConfigError
from nlp.schema import Concept, Rules


@dataclass(frozen=True, slots=True)
class Term:
    """A phrase of the whole-text scan: a concept's form, a verb of pressing, or a trap (neither)."""

    concept: Concept | None = None
    grade: str = ""
    exact: str = ""  # an abbreviation must stand in the text exactly like this
    pictures: tuple[tuple[Beside, "Term"], ...] = ()  # what it means beside other words

    def may_be_pictured(self, text: str, start: int, end: int) -> bool:
        """Whether words near those at [start, end) may give them a meaning, in whatever sentence they are."""
        return any(beside.near_by(text, start, end, 0, len(text)) for beside, _ in self.pictures)

    def pictured(self, text: str, start: int, end: int, low: int, high: int) -> "Term":
        """What its words at [start, end) mean by those around them in [low, high), else by themselves."""
        shown = (term for beside, term in self.pictures if beside.shown(text, start, end, low, high))
        return next(shown, self)


def compile_terms(rules: Rules, spellings: Spellings) -> dict[str, Term]:
    """Every phrase of the scan with what it means, its spellings, plurals and slips among them."""
    terms: dict[str, Term] = {}
    for concept in rules.concepts:
        for form in (*concept.forms, *concept.dictation):
            terms[normal(form)] = Term(concept)
        for form in concept.abbreviations:
            terms[normal(form)] = Term(concept, exact="" if form.islower() else form)
    listed = [(form, term) for form, term in terms.items() if not term.exact]
    listed += [(trap, Term()) for trap in _traps(rules, terms)]
    listed += [(normal(p), Term(grade=verb.grade)) for verb in rules.neural.verb for p in verb.phrases]
    concepts = {concept.id: concept for concept in rules.concepts}
    for (
        phrase,
        grade,
    ) in rules.details.escc.phrases():  # "ESCC grade 1a" is the name of a scale, not compression
        meant = rules.details.escc.concepts.get(grade)
        terms.setdefault(normal(phrase), Term(concepts[meant]) if meant else Term())
    for form, term in listed:
        for other in spellings(form):
            terms.setdefault(other, term)
    # What is made by rule never displaces what somebody listed.
    endings = [(a, b) for a, b in rules.spelling.plurals]
    for form, term in list(terms.items()):
        if term.concept and not term.exact:
            for many in plurals(form, endings):
                terms.setdefault(many, term)
    _add_slips(rules, terms, endings)
    _add_pictures(rules, spellings, terms, concepts)
    return terms


def _add_pictures(
    rules: Rules, spellings: Spellings, terms: dict[str, Term], concepts: dict[str, Concept]
) -> None:
    """Adds what phrases mean beside others; alone they keep what they meant."""
    for picture in rules.pictures:
        pictured = compile_picture(picture, spellings), Term(concepts[picture.concept])
        for form in {form for words in picture.words for form in spellings(words)}:
            term = terms.get(form) or _within(form, terms)
            terms[form] = replace(term, pictures=(*term.pictures, pictured))


def _within(form: str, terms: dict[str, Term]) -> Term:
    """What the longest part of a phrase means that means something: the scan would not see it any more."""
    words = form.split()
    parts = (
        " ".join(words[i : i + n]) for n in range(len(words) - 1, 0, -1) for i in range(len(words) - n + 1)
    )
    return next((terms[part] for part in parts if part in terms and not terms[part].exact), Term())


def _add_slips(rules: Rules, terms: dict[str, Term], endings: list[tuple[str, str]]) -> None:
    """Adds what slips make of key words, alone or as the adjective of a form of two words."""
    for word in rules.spelling.slips:
        for key in (word, *plurals(word, endings)):
            if key in terms:
                for slip in slips(key):
                    terms.setdefault(slip, terms[key])
    for word in rules.spelling.adjectives:
        wrong = slips(word)
        for form in [form for form in terms if form.startswith(word + " ") and form.count(" ") == 1]:
            for slip in wrong:
                terms.setdefault(slip + form.removeprefix(word), terms[form])


def _traps(rules: Rules, terms: dict[str, Term]) -> list[str]:
    traps = [normal(phrase) for trap in rules.traps for phrase in trap.forms]
    for trap in traps:
        if trap in terms:
            owner = terms[trap].concept
            raise ConfigError(
                f"traps.toml: '{trap}' is also a form of {owner.id if owner else 'nothing'}; "
                "expected it in one place"
            )
    return traps
