"""What the rule files hold twice, with two meanings, or needlessly."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nlp.phrases import Spellings, normal, plurals
from nlp.schema import Rules

# Meanings that one phrase may have: the section, or what it is said of, tells which one holds.
TOGETHER = ({"possible", "indication"}, {"stable", "old"}, {"progressed", "change"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A phrase as listed: in which scan it is looked for, what it means there, where it stands."""

    scan: str
    phrase: str
    meaning: str
    place: str


def entries(rules: Rules) -> Iterator[Entry]:
    """Every phrase of the lists that are searched for, in the order of the files."""
    for scan, file, meaning, phrases in _lists(rules):
        for phrase in phrases:
            yield Entry(scan, phrase, meaning, f"{file}, {meaning}")


def _lists(rules: Rules) -> Iterator[tuple[str, str, str, Iterable[str]]]:
    """Scan, file, meaning and phrases of each list."""
    for c in rules.concepts:
        yield "lexicon", "lexicon", c.id, (*c.forms, *c.dictation, *c.abbreviations)
    yield from (("lexicon", "neural.toml", verb.grade, verb.phrases) for verb in rules.neural.verb)
    yield from (("lexicon", "traps.toml", ", ".join(trap.ids), trap.forms) for trap in rules.traps)
    yield from ((f"cues {cue.direction}", "context.toml", cue.label, cue.phrases) for cue in rules.cues)
    yield from (("trends", "context.toml", trend.label, trend.phrases) for trend in rules.trends)
    for place in rules.places:
        yield "places", "compartments.toml", ", ".join(place.compartments) or "none", place.phrases
    yield from (
        ("targets", "neural.toml", target.structure, target.phrases) for target in rules.neural.target
    )
    for name in ("spine", "either", "elsewhere"):
        yield "sites", "sites.toml", name, getattr(rules.sites, name)
    yield from (
        (f"flag {name}", "red_flags.toml", name, flag.phrases) for name, flag in rules.red_flags.items()
    )
    yield from (("headings", "sections.toml", name, part.headings) for name, part in rules.sections.items())


def faults(rules: Rules) -> list[str]:
    """Say, a line each, which phrases stand twice or with two meanings; the reader follows one of them."""
    told = []
    listed: dict[tuple[str, str], Entry] = {}
    for entry in entries(rules):
        first = listed.setdefault((entry.scan, normal(entry.phrase)), entry)
        if first is not entry and {first.meaning, entry.meaning} not in TOGETHER:
            what = "stands twice" if first.meaning == entry.meaning else "stands with two meanings"
            told.append(f"'{entry.phrase}' {what}: {first.place}; {entry.place}")
    return told


def superfluous(rules: Rules) -> list[str]:
    """Say, a line each, which forms of a concept are made by rule from another of its forms."""
    spellings = Spellings(rules.spelling.pairs)
    endings = [(a, b) for a, b in rules.spelling.plurals]
    told = []
    for concept in rules.concepts:
        listed = {normal(form): form for form in concept.forms}
        needless: set[str] = set()
        for plain, form in listed.items():
            if plain in needless:
                continue
            spelled = spellings(plain)
            made = spelled | {word for one in spelled for word in plurals(one, endings)}
            more = sorted((made & listed.keys()) - {plain})
            needless.update(more)
            told += [f"'{listed[one]}' is found anyway, from '{form}': lexicon, {concept.id}" for one in more]
    return told
