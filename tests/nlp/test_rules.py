"""The configuration is checked strictly, frozen, and named by its version."""

import pickle
import shutil
from pathlib import Path

import pytest

from nlp.edition import rule_files as rules_of
from nlp.edition import version_of
from nlp.evaluation.lists import faults, superfluous
from nlp.phrases import normal
from nlp.reader import Reader, read
from nlp.rules import ConfigError, config_folder, load, parse
from nlp.schema import LESION_CLASSES
from nlp.vocabulary import compile_rules


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(config_folder(), tmp_path / "config"))


def change(folder, file, old, new):
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_shipped_rules_load():
    rules = load()
    assert len(rules.concepts) >= 147
    assert rules.version.startswith("sha256:") and len(rules.version) == 71


def test_two_readers_with_other_rules_read_side_by_side(folder):
    change(folder, "lexicon/suspicious.toml", "forms = [", 'forms = ["pepper-pot appearance",')
    text = "FINDINGS: Pepper-pot appearance of the L2 vertebral body."
    other = Reader(compile_rules(load(folder)))
    assert [other.read(text).tier, read(text).tier, other.read(text).tier] == ["soon", "routine", "soon"]
    assert other.read(text).rules_version == load(folder).version != read(text).rules_version


def test_rules_that_were_kept_as_text_are_the_same_rules(folder):
    rules = load(folder)
    again = parse(dict(reversed(rules.files.items())), Path("elsewhere"))
    assert again.version == rules.version == version_of(rules.files)
    assert again.files == rules_of(folder)


def test_what_is_no_rule_file_is_no_part_of_the_version(folder):
    before = load(folder).version
    (folder / "site.toml").write_text("name = 'Other'")
    assert load(folder).version == before
    change(folder, "spelling.toml", "\n", "\r\n")
    assert load(folder).version != before


def test_the_folder_is_named_by_the_environment(folder, monkeypatch):
    monkeypatch.setenv("SPINETRIAGE_CONFIG", str(folder))
    assert config_folder() == folder


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (
            "lexicon/malignant.toml",
            'class = "malignant"',
            'class = "awful"',
            ["malignant.toml", "'awful'", "suspicious"],
        ),
        (
            "lexicon/malignant.toml",
            'route = "S"',
            'rote = "S"',
            ["META_SPINE", "unknown key 'rote'", "route"],
        ),
        (
            "lexicon/malignant.toml",
            'route = "S"',
            'route = "Q"',
            ["META_SPINE", "'route'", "'Q'", "expected one of S"],
        ),
        (
            "lexicon/malignant.toml",
            "extradural = 0.94",
            "epidural = 0.94",
            ["META_SPINE", "'epidural'", "intramedullary"],
        ),
        (
            "lexicon/malignant.toml",
            '"metastasis", ',
            '"metastasis", "meningioma", ',
            ["'meningioma'", "expected each form once"],
        ),
        ("lexicon/malignant.toml", 'id = "META_EPI"', 'id = "META_SPINE"', ["META_SPINE", "stands twice"]),
        (
            "lexicon/malignant.toml",
            'site = "needed"',
            "site = 3",
            ["META_SPINE", "'site'", "expected str, found int"],
        ),
        (
            "context.toml",
            'label = "absent"',
            'label = "gone"',
            ["context.toml: cue 1", "'gone'", "expected one of present"],
        ),
        ("context.toml", 'reach = "clause"', 'reach = "far"', ["context.toml: cue 1", "'far'"]),
        (
            "context.toml",
            'direction = "after"',
            'way = "after"',
            ["context.toml: cue 1", "unknown key 'way'"],
        ),
        ("compartments.toml", '["intramedullary"]', '["spinal"]', ["compartments.toml: cue 1", "'spinal'"]),
        (
            "priority.toml",
            '"EPI_ABSC"',
            '"EPI_ABSCESS"',
            ["priority.toml", "groups.emergent", "'EPI_ABSCESS'"],
        ),
        (
            "priority.toml",
            'R1 = { tier = "stat"',
            'R1 = { tier = "now"',
            ["priority.toml", "R1", "'now'", "expected one of stat"],
        ),
        (
            "compartments.toml",
            "strength = 1.0",
            "strength = 7.0",
            ["compartments.toml: cue 1", "'strength'", "7 is out of bounds; expected 0 to 1"],
        ),
        (
            "lexicon/malignant.toml",
            "extradural = 0.94",
            "extradural = 94",
            ["META_SPINE", "'extradural'", "expected 0 to 1"],
        ),
        (
            "lexicon/malignant.toml",
            'name = "vertebral metastasis"',
            'name = ""',
            ["META_SPINE", "'name'", "is empty"],
        ),
        (
            "details.toml",
            'kind = "number"',
            'kind = "amount"',
            ["details.toml: key 'word', table 1", "'amount'", "enhancement"],
        ),
        ("details.toml", '"1c" = "CORD_ABUT"', '"1d" = "CORD_ABUT"', ["details.toml", "'1d'"]),
        ("details.toml", '"1c" = "CORD_ABUT"', '"1c" = "CORD_TOUCH"', ["details.toml", "'CORD_TOUCH'"]),
        ("sections.toml", "[technique]", "[methods]", ["sections.toml", "'methods'"]),
        ("levels.toml", "first = 1", 'first = "1"', ["levels.toml", "'first'", "expected int"]),
        ("neural.toml", "[severity]", "[severity", ["neural.toml", "cannot be read as TOML"]),
        (
            "neural.toml",
            'structure = "cord"',
            'structure = "rope"',
            ["neural.toml", "'rope'", "expected one of cord"],
        ),
    ],
)
def test_a_wrong_rule_is_refused_with_file_key_and_expectation(folder, file, old, new, told):
    change(folder, file, old, new)
    with pytest.raises(ConfigError) as error:
        load(folder)
    for words in told:
        assert words in str(error.value)


def test_a_missing_file_is_named(folder):
    (folder / "sites.toml").unlink()
    with pytest.raises(ConfigError, match=r"sites\.toml: not found; expected this file"):
        load(folder)


def test_an_empty_lexicon_is_refused(folder):
    shutil.rmtree(folder / "lexicon")
    with pytest.raises(ConfigError, match="expected one file per class"):
        load(folder)


def test_a_trap_that_is_a_form_is_refused(folder):
    change(folder, "traps.toml", '"intramedullary nail"', '"intramedullary nail", "epidural abscess"')
    with pytest.raises(ConfigError, match="'epidural abscess' is also a form of EPI_ABSC"):
        compile_rules(load(folder))


def test_any_change_changes_the_version(folder):
    before = load(folder).version
    assert load(folder).version == before
    change(folder, "priority.toml", "malignant = 30", "malignant = 31")
    assert load(folder).version != before


def test_files_of_other_rooms_do_not_change_the_version(folder):
    before = load(folder).version
    (folder / "site.toml").write_text('name = "another hospital"\n', encoding="utf-8")
    assert load(folder).version == before


def test_rules_are_frozen():
    rules = load()
    with pytest.raises(AttributeError):
        rules.version = "mine"
    with pytest.raises(TypeError):
        rules.priority.base["malignant"] = 0


def test_rules_pickle():
    rules = load()
    assert pickle.loads(pickle.dumps(rules)) == rules  # noqa: S301 - our own bytes


def test_every_concept_has_name_class_reason_and_a_lesion_its_compartment():
    for concept in load().concepts:
        assert concept.name and concept.why, concept.id
        if concept.cls in LESION_CLASSES and concept.strength != "weak":
            assert concept.compartments, concept.id
        assert sum(concept.compartments.values()) <= 1.02, concept.id


def test_every_cue_has_a_reason():
    rules = load()
    for entry in (
        *rules.cues,
        *rules.trends,
        *rules.places,
        *rules.traps,
        *rules.neural.verb,
        *rules.neural.target,
        *rules.details.word,
        rules.details.primary,
        rules.details.escc,
    ):
        assert entry.why


def test_no_list_holds_a_phrase_twice():
    rules = load()
    for entry in (*rules.cues, *rules.trends, *rules.places, *rules.traps, *rules.details.word):
        phrases = [normal(p) for p in entry.phrases]
        assert sorted({p for p in phrases if phrases.count(p) > 1}) == [], entry.why


def test_all_120_traps_name_their_mechanism():
    ids = [i for trap in load().traps for i in trap.ids if i.startswith("T")]
    assert sorted(ids) == sorted(f"T{n:02}" for n in range(1, 121))


def test_doubles_and_contradictions_are_found(folder):
    change(folder, "context.toml", '"no known"', '"no known", "no known", "possible"')
    change(folder, "lexicon/infection.toml", '"discitis"', '"discitis", "zebra tumors", "Zebra tumour"')
    told = "\n".join([*faults(load(folder)), *superfluous(load(folder))])
    assert "'no known' stands twice: context.toml, absent; context.toml, absent" in told
    assert "'possible' stands with two meanings: context.toml, absent; context.toml, possible" in told
    assert "'zebra tumors' is found anyway, from 'Zebra tumour': lexicon, DISCITIS" in told


@pytest.mark.parametrize(
    ("file", "added", "told"),
    [
        ("lexicon/new.toml", 'class = "cyst"\nconcept = 3\n', ["new.toml", "[[concept]]"]),
        ("lexicon/new.toml", "", ["new.toml", "'class' is missing"]),
        ("traps.toml", '\n[[trap]]\nids = []\nwhy = "x"\nphrases = [" - "]\n', ["phrase without a letter"]),
    ],
)
def test_what_an_editor_may_leave_behind_is_told(folder, file, added, told):
    with (folder / file).open("a", encoding="utf-8") as out:
        out.write(added)
    with pytest.raises(ConfigError) as error:
        load(folder)
    for words in told:
        assert words in str(error.value)
