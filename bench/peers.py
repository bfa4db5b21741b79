"""Speed of our reader and of its peers, as ratios to spaCy's bare English tokenizer on the same texts.

    make bench-peers

Every peer gets all words of our lexicon to look for. negspacy adds negation to them, medspaCy certainty
(ConText) and sections; ours does the whole reading. They are taken in turn over the same pieces of texts,
no two of which are the same, so that a machine whose speed drifts slows all alike. The peers stand in an
environment of their own (bench/requirements-peers.txt), with an older spaCy than ours.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import spacy
from generate import reports

sys.path.insert(0, str(Path(__file__).parents[1]))  # this environment does not have our package installed

from nlp import reader
from nlp.vocabulary import current

PIECE = 10
Reader = Callable[[str], object]


def words() -> list[tuple[str, str]]:
    """(concept, form) of our whole lexicon."""
    return [
        (concept.id, form)
        for concept in current().rules.concepts
        for form in (*concept.forms, *concept.dictation, *concept.abbreviations)
    ]


def negspacy() -> Reader:
    import negspacy.negation  # noqa: F401 - registers the component

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    ruler = pipeline.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LOWER"})
    ruler.add_patterns([{"label": concept, "pattern": form} for concept, form in words()])
    pipeline.add_pipe("negex")
    return pipeline


def medspacy(sentences: str) -> Reader:
    import medspacy
    from loguru import logger
    from medspacy.target_matcher import TargetRule

    logger.disable("PyRuSH")  # it would print each sentence, at the cost of its speed
    parts = ["medspacy_target_matcher", "medspacy_context", "medspacy_sectionizer"]
    if sentences == "its own":
        pipeline = medspacy.load(medspacy_enable=["medspacy_pyrush", *parts])
    else:
        pipeline = spacy.blank("en")
        pipeline.add_pipe("sentencizer")
        for part in parts:
            pipeline.add_pipe(part)
    rules = [TargetRule(literal=form, category=concept) for concept, form in words()]
    pipeline.get_pipe("medspacy_target_matcher").add(rules)
    return pipeline


def cpu_seconds(work: Reader, piece: list[str]) -> float:
    """CPU time of work over the texts of a piece."""
    begin = time.process_time()
    for text in piece:
        work(text)
    return time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=200)
    texts = [row["report_text"] for row in reports(parser.parse_args().reports, seed=7)]
    warnings.simplefilter("ignore")  # the peers use what newer libraries deprecate
    bare = spacy.blank("en")
    peers: dict[str, Reader] = {
        "spinetriage": reader.read,
        "negspacy": negspacy(),
        "medspaCy, spaCy's sentencizer": medspacy("spaCy's"),
        "medspaCy, its own sentences": medspacy("its own"),
    }
    pieces = [texts[at : at + PIECE] for at in range(0, len(texts), PIECE)]
    for work in (bare, *peers.values()):
        cpu_seconds(work, pieces[0])
    gc.freeze()  # else each reader would pay for the garbage collector's walk through all the others
    ratios: dict[str, list[float]] = {name: [] for name in peers}
    for piece in pieces[1:]:
        tokenizer = cpu_seconds(bare, piece)
        for name, work in peers.items():
            ratios[name].append(tokenizer / cpu_seconds(work, piece))
    print(f"{len(texts) - PIECE} reports; documents per CPU-second ÷ those of spaCy's bare tokenizer")
    for name, found in ratios.items():
        print(f"{name:<32} {statistics.median(found):.3f} (least {min(found):.3f}, most {max(found):.3f})")


if __name__ == "__main__":
    main()
