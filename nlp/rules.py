"""The knowledge of the reading room, loaded from the configuration folder and frozen."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from nlp.described import DetailRules
from nlp.edition import LEXICON, rule_files, version_of
from nlp.english import LanguageRules
from nlp.level_rules import LevelRules
from nlp.pictures import Picture
from nlp.pricing import PriorityRules
from nlp.schema import (
    CONTEXT_CLASSES,
    LESION_CLASSES,
    SECTIONS,
    Concept,
    Cue,
    Heading,
    Landmarks,
    Neural,
    Place,
    RedFlag,
    Rules,
    Sites,
    Spelling,
    Trap,
    Trend,
)
from nlp.strict import ConfigError, Frozen, check_keys, one_of, parse_toml, record

__all__ = ["ConfigError", "Rules", "config_folder", "load", "parse"]

Table = TypeVar("Table")


def config_folder() -> Path:
    """The folder named by SPINETRIAGE_CONFIG, else `config/` beside the packages."""
    named = os.environ.get("SPINETRIAGE_CONFIG")
    return Path(named) if named else Path(__file__).resolve().parent.parent / "config"


def load(folder: Path | None = None) -> Rules:
    """Read and check all rule files.

    Parameters
    ----------
    folder
        The configuration folder; by default `config_folder()`.

    Raises
    ------
    ConfigError
        If a file is missing, or holds an unknown key, label, class or compartment, or a form twice.
    """
    folder = folder or config_folder()
    return parse(rule_files(folder), folder)


def parse(files: Mapping[str, str], folder: Path) -> Rules:
    """Make the rules of files that are at hand as text, such as those kept from another day.

    Parameters
    ----------
    files
        As `nlp.edition.rule_files` returns them.
    folder
        Where they come from, for what is said of a file that is wrong.

    Raises
    ------
    ConfigError
        As `load`.
    """

    def read(name: str) -> Any:
        return parse_toml(folder / name, files[name])

    lexicon = [folder / name for name in files if name.startswith(LEXICON)]
    concepts = tuple(c for path in lexicon for c in _concepts(path, read(f"{LEXICON}{path.name}")))
    context = read("context.toml")
    _only(folder / "context.toml", context, {"cue", "trend"})
    compartments = read("compartments.toml")
    _only(folder / "compartments.toml", compartments, {"cue", "landmarks"})
    rules = Rules(
        concepts=concepts,
        cues=_tables(Cue, folder / "context.toml", context, "cue"),
        trends=_tables(Trend, folder / "context.toml", context, "trend"),
        places=_tables(Place, folder / "compartments.toml", compartments, "cue"),
        landmarks=record(
            Landmarks, compartments["landmarks"], f"{folder / 'compartments.toml'}: [landmarks]"
        ),
        traps=_file_of(Trap, folder / "traps.toml", read("traps.toml"), "trap"),
        pictures=_pictures(folder / "pictures.toml", read("pictures.toml"), concepts),
        neural=record(Neural, read("neural.toml"), str(folder / "neural.toml")),
        sections=_named(Heading, folder / "sections.toml", read("sections.toml"), SECTIONS),
        sites=record(Sites, read("sites.toml"), str(folder / "sites.toml")),
        levels=record(LevelRules, read("levels.toml"), str(folder / "levels.toml")),
        red_flags=_named(RedFlag, folder / "red_flags.toml", read("red_flags.toml")),
        spelling=record(Spelling, read("spelling.toml"), str(folder / "spelling.toml")),
        language=record(LanguageRules, read("language.toml"), str(folder / "language.toml")),
        priority=record(PriorityRules, read("priority.toml"), str(folder / "priority.toml")),
        details=_check_details(
            record(DetailRules, read("details.toml"), str(folder / "details.toml")), concepts
        ),
        version=version_of(files),
        files=Frozen(files),
    )
    _check_forms(concepts, lexicon)
    _check_priority(rules, folder / "priority.toml")
    return rules


def _concepts(path: Path, tables: dict[str, Any]) -> list[Concept]:
    check_keys(str(path), tables, {"class", "concept"}, {"class", "concept"})
    one_of(f"{path}: key 'class'", tables["class"], LESION_CLASSES + CONTEXT_CLASSES)
    found = []
    for number, table in enumerate(_listed(path, tables, "concept"), 1):
        where = f"{path}: concept {table.get('id', number) if isinstance(table, dict) else number}"
        if isinstance(table, dict) and "cls" in table:
            raise ConfigError(f"{where}: unknown key 'cls'; the class stands once at the top of the file")
        concept = record(Concept, table, where)
        if not (concept.forms or concept.dictation or concept.abbreviations):
            raise ConfigError(f"{where}: no words; expected at least one of forms, dictation, abbreviations")
        object.__setattr__(concept, "cls", tables["class"])
        # The usual compartment first.
        usual_first = sorted(concept.compartments.items(), key=lambda item: -item[1])
        object.__setattr__(concept, "compartments", Frozen(usual_first))
        found.append(concept)
    return found


def _listed(path: Path, tables: dict[str, Any], key: str) -> list[Any]:
    found = tables[key]
    if not isinstance(found, list):
        raise ConfigError(f"{path}: '{key}' is one value; expected tables, each under a line [[{key}]]")
    return found


def _check_forms(concepts: tuple[Concept, ...], lexicon: list[Path]) -> None:
    owner: dict[str, str] = {}
    ids: set[str] = set()
    for concept in concepts:
        where = f"{lexicon[0].parent / (concept.cls + '.toml')}: concept {concept.id}"
        if concept.id in ids:
            raise ConfigError(f"{where}: this id stands twice; expected each id once")
        ids.add(concept.id)
        for form in (*concept.forms, *concept.dictation, *concept.abbreviations):
            key = " ".join(form.lower().replace("-", " ").replace("/", " ").split())
            if key in owner:
                raise ConfigError(
                    f"{where}: form '{form}' stands already with {owner[key]}; expected each form once"
                )
            owner[key] = concept.id


def _only(path: Path, tables: Any, allowed: set[str]) -> None:
    check_keys(str(path), tables, allowed, allowed)


def _file_of(kind: type[Table], path: Path, tables: Any, key: str) -> tuple[Table, ...]:
    _only(path, tables, {key})
    return _tables(kind, path, tables, key)


def _tables(kind: type[Table], path: Path, tables: Any, key: str) -> tuple[Table, ...]:
    listed = enumerate(_listed(path, tables, key), 1)
    return tuple(record(kind, table, f"{path}: {key} {number}") for number, table in listed)


def _named(
    kind: type[Table], path: Path, tables: Any, expected: tuple[str, ...] | None = None
) -> Mapping[str, Table]:
    if expected:
        _only(path, tables, set(expected))
    return {name: record(kind, table, f"{path}: [{name}]") for name, table in tables.items()}


def _pictures(path: Path, tables: Any, concepts: tuple[Concept, ...]) -> tuple[Picture, ...]:
    pictures = _file_of(Picture, path, tables, "picture")
    known = tuple(concept.id for concept in concepts)
    for number, picture in enumerate(pictures, 1):
        one_of(f"{path}: picture {number} key 'concept'", picture.concept, known)
    return pictures


def _check_details(rules: DetailRules, concepts: tuple[Concept, ...]) -> DetailRules:
    known = tuple(concept.id for concept in concepts)
    for grade, concept in rules.escc.concepts.items():
        one_of("details.toml: [escc.concepts]", grade, tuple(rules.escc.grades))
        one_of(f"details.toml: [escc.concepts] key '{grade}'", concept, known)
    return rules


def _check_priority(rules: Rules, path: Path) -> None:
    known = {concept.id for concept in rules.concepts}
    for name, group in rules.priority.groups.items():
        for concept in group:
            if concept not in known:
                raise ConfigError(f"{path}: groups.{name}: no concept '{concept}' in the lexicon")
