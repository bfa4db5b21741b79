"""Writes many invented reports for load tests; the same seed always gives the same ones.

    python bench/generate.py --out DIR --reports 20000 --format mixed --seed 1 --dicom 500

The layout is that of `sample_reports/`: `text/`, `exports/` and `dicom/`. About 85 % of the reports are
routine; no two have the same text. The DICOM studies belong to the first reports.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import random
import runpy
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import phrases

MAKE_DICOM = Path(__file__).parents[1] / "sample_reports" / "make_dicom.py"
FORMATS = ("text", "csv", "jsonl")
FIRST_RESULT = datetime(2026, 1, 1, 6, 0, tzinfo=UTC)
COLUMNS = (
    "report_number", "accession", "patient_id", "birth_date", "sex", "status", "result_time", "modality",
    "body_part", "study_description", "study_date", "indication", "report_text",
)  # fmt: skip
LABELS = {
    "Accession": "accession",
    "Report number": "report_number",
    "Patient ID": "patient_id",
    "Birth date": "birth_date",
    "Sex": "sex",
    "Status": "status",
    "Result time": "result_time",
    "Modality": "modality",
    "Study": "study_description",
    "Study date": "study_date",
}


def gaps(rng: random.Random) -> dict[str, object]:
    """Choose what fills the gaps of one report's sentences."""
    filled: dict[str, object] = {name: rng.choice(words) for name, words in phrases.WORDS.items()}
    for region, (low, high) in phrases.LEVELS.items():
        for name in (region, region.lower()):
            first = rng.randint(low, high - 1)
            filled |= {name: f"{region}{first}", f"{name}next": f"{region}{first + 1}"}
    return filled | {"mm": rng.randint(4, 38), "n": rng.randint(2, 12)}


def report_text(rng: random.Random, exam: phrases.Exam, kind: str) -> str:
    """Compose a report of an examination; `kind` is one of `phrases.SHARES`."""
    sayable = exam.remarks + exam.denials if kind == "routine" else exam.remarks
    remarks = rng.sample(sayable, k=rng.randint(8, len(sayable)))
    conclusion = rng.choice(exam.conclusions)
    if kind != "routine":
        finding, conclusion = rng.choice(phrases.FINDINGS[kind])
        remarks.insert(rng.randint(0, 4), finding)
    half = len(remarks) // 2
    general = rng.sample(phrases.GENERAL, k=rng.randint(5, 9))
    pattern = rng.choice(phrases.STYLES).format(
        history=rng.choice(exam.histories),
        technique=rng.choice(exam.techniques),
        comparison=rng.choice(phrases.COMPARISONS),
        findings="\n\n".join(map(" ".join, (remarks[:half], remarks[half:], general))),
        conclusion=conclusion,
        closing=rng.choice(phrases.CLOSINGS),
    )
    text = pattern.format_map(gaps(rng))
    return text.upper() if rng.random() < 0.1 else text


def reports(count: int, seed: int) -> Iterator[dict[str, str]]:
    """Yield the rows of `count` reports with texts that differ from each other."""
    rng = random.Random(seed)
    seen: set[int] = set()  # hashes: the texts of a million reports would not fit
    for number in range(1, count + 1):
        kind = rng.choices(list(phrases.SHARES), list(phrases.SHARES.values()))[0]
        exam = rng.choice(phrases.EXAMS if kind == "routine" else phrases.SPINE_EXAMS)
        text = report_text(rng, exam, kind)
        while hash(text) in seen:
            text = report_text(rng, exam, kind)
        seen.add(hash(text))
        result = FIRST_RESULT + timedelta(minutes=number)
        values = (
            f"LR{number:07d}", f"LA{number:07d}", f"LP{number:07d}",
            f"{rng.randint(1930, 2015)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
            rng.choice("MF"), "final", result.isoformat(), exam.modality, exam.body_part, exam.description,
            result.date().isoformat(), "", text,
        )  # fmt: skip
        yield dict(zip(COLUMNS, values, strict=True))


def write_reports(rows: Iterator[dict[str, str]], out: Path, formats: tuple[str, ...]) -> None:
    """Write the reports in turn in each of the formats."""
    with ExitStack() as files:
        if "text" in formats:
            (out / "text").mkdir(parents=True)
        if set(formats) - {"text"}:
            (out / "exports").mkdir(parents=True)
        if "csv" in formats:
            table = files.enter_context(
                (out / "exports" / "load.csv").open("w", encoding="utf-8", newline="")
            )
            writer = csv.DictWriter(table, COLUMNS, lineterminator="\n")
            writer.writeheader()
        if "jsonl" in formats:
            lines = files.enter_context((out / "exports" / "load.jsonl").open("w", encoding="utf-8"))
        for row, form in zip(rows, itertools.cycle(formats), strict=False):
            if form == "text":
                header = "".join(f"{label}: {row[name]}\n" for label, name in LABELS.items())
                path = out / "text" / f"{row['accession']}_{row['report_number']}.txt"
                path.write_text(f"{header}\n{row['report_text']}\n", encoding="utf-8")
            elif form == "csv":
                writer.writerow(row)
            else:
                lines.write(json.dumps(row) + "\n")


def write_studies(rows: Iterator[dict[str, str]], out: Path) -> None:
    """Write a DICOM study of one image for each of the reports."""
    make = runpy.run_path(str(MAKE_DICOM))
    for row in rows:
        study = make["SampleStudy"](
            folder=row["study_date"],
            accession=row["accession"],
            patient_id=row["patient_id"],
            birth_date=row["birth_date"].replace("-", ""),
            sex=row["sex"],
            study_date=row["study_date"].replace("-", ""),
            study_time="060000",
            body_part=row["body_part"],
            description=row["study_description"],
            series=((row["modality"], 1),),
        )
        make["write_study"](out / "dicom", study)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write invented reports for load tests.")
    parser.add_argument("--out", type=Path, required=True, help="a folder that does not exist yet")
    parser.add_argument("--reports", type=int, default=20_000)
    parser.add_argument("--format", choices=(*FORMATS, "mixed"), default="mixed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dicom", type=int, default=0, help="how many of the reports get a study")
    chosen = parser.parse_args(arguments)
    if chosen.out.exists():
        parser.error(f"{chosen.out} exists; name a folder that does not, so that no older report mixes in")
    formats = FORMATS if chosen.format == "mixed" else (chosen.format,)
    write_reports(reports(chosen.reports, chosen.seed), chosen.out, formats)
    write_studies(itertools.islice(reports(chosen.reports, chosen.seed), chosen.dicom), chosen.out)


if __name__ == "__main__":
    main()
