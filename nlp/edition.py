"""What a reading depends on beside its report: the rule files, the program that reads, and what it runs on.

All of it together has one name, the rules version, so that a reading can be made again years later, or it can
be said why that is not possible.
"""

import hashlib
import json
import platform
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

from nlp.strict import ConfigError, Frozen

FILES = (
    "context.toml",
    "compartments.toml",
    "traps.toml",
    "pictures.toml",
    "neural.toml",
    "sections.toml",
    "sites.toml",
    "levels.toml",
    "red_flags.toml",
    "spelling.toml",
    "language.toml",
    "priority.toml",
    "details.toml",
)
LEXICON = "lexicon/"


def rule_files(folder: Path) -> dict[str, str]:
    """Return the text of each rule file by its name in the folder; what else lies there is left out.

    Raises
    ------
    ConfigError
        If a file is missing or is no text.
    """
    lexicon = sorted(LEXICON + path.name for path in (folder / LEXICON).glob("*.toml"))
    if not lexicon:
        raise ConfigError(f"{folder / LEXICON}: no *.toml file; expected one file per class of lesions")
    found = {}
    for name in (*lexicon, *FILES):
        try:
            found[name] = (folder / name).read_bytes().decode()
        except FileNotFoundError:
            missing = f"{folder / name}: not found; expected this file in the configuration folder"
            raise ConfigError(missing) from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{folder / name}: cannot be read as TOML: {error}") from None
    return found


@cache
def program() -> Mapping[str, str]:
    """Return the SHA-256 of each file of the program that reads, by name."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return Frozen({source.name: hashlib.sha256(source.read_bytes()).hexdigest() for source in sources})


@cache
def libraries() -> Mapping[str, str]:
    """Return the versions of what the program runs on, by name."""
    found = {name: version(name) for name in ("spacy", "ahocorasick-rs")}
    return Frozen(found | {"python": platform.python_version(), "unicode": unicodedata.unidata_version})


def version_of(files: Mapping[str, str]) -> str:
    """Return the rules version: 'sha256:…' over the rule files, the program and what it runs on.

    It is SHA-256 over the canonical JSON (sorted keys, no spaces) of the digests of each file of the rules
    and of the program, and of the names and versions of the libraries: the room of people recomputes it.
    """
    rules = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
    whole = {"files": rules, "program": program(), "libraries": libraries()}
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
