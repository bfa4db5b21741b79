"""A reading as people see it: the report with its findings marked, and under it what led to the tier."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from flows.display import TIERS, clean, console, minute
from review.meanings import meaning

# Every mark names the certainty in words too: colour alone tells nothing in a file or on a grey printout.
STYLES = {
    "present": "bold red",
    "probable": "bold yellow",
    "possible": "yellow",
    "unlikely": "green",
    "absent": "green",
    "historical": "blue",
    "indication": "cyan",
    "recommendation": "cyan",
}
SHORT = {"extradural": "ED", "intradural_extramedullary": "IDEM", "intramedullary": "IM"}


def show(identity: Any, reading: dict[str, Any], text: str, context: dict[str, Any]) -> None:
    """Print a report, what the reader knew beside it, and its reading."""
    console.rule(Text(clean(str(identity)), style="bold"), align="left")
    if text.strip():
        console.print(
            marked(text, reading["findings"] + reading["context_findings"]), soft_wrap=not console.is_terminal
        )
        console.print()
    if context:
        known = "; ".join(f"{name.replace('_', ' ')} {clean(str(value))}" for name, value in context.items())
        console.print(Text(f"Context: {known}"))
    verdict(reading)
    console.print()


def marked(text: str, findings: list[dict[str, Any]]) -> Text:
    """The text with each finding in brackets, its certainty and compartments behind it."""
    text = clean(text)
    shown, end = Text(), len(text) - len(text.lstrip())
    for finding in sorted(findings, key=lambda one: (one["start"], -one["end"])):
        if finding["start"] < end:  # inside of one already shown
            continue
        shown.append(text[end : finding["start"]])
        places = [SHORT[one] for one in finding["compartments"]]
        style = STYLES[finding["certainty"]]
        shown.append("[", style)
        shown.append(text[finding["start"] : finding["end"]], f"{style} underline")
        shown.append(f": {', '.join([finding['certainty'], *places])}]", style)
        end = finding["end"]
    return shown.append(text[end:].rstrip())


def verdict(reading: dict[str, Any]) -> None:
    """Print the tier and everything that led to it."""
    decided = reading["decided_by"]
    console.print(Text.assemble(TIERS[reading["tier"]], f"  score {reading['score']}, decided by {decided}"))
    if reading["unreadable"]:
        console.print(f"Not read ({reading['unreadable']}): a person must look.")
    if reading["reasons"]:
        console.print(_reasons(reading["reasons"]))
    if reading["findings"] or reading["context_findings"]:
        console.print(_findings(reading["findings"] + reading["context_findings"]))
    if reading["neural"] != "none":
        console.print(f"Pressure on cord or cauda equina: {reading['neural']}")
    if reading["red_flags"]:
        console.print(f"Red flags: {', '.join(reading['red_flags']).replace('_', ' ')}")
    for conflict in reading["conflicts"]:
        console.print(Text(f"Conflict: {clean(conflict)}", style="yellow"))
    if said := reading.get("details"):  # readings that the ledger has kept from before have none
        console.print(Text(f"Also said: {_details(said)}"))


def _reasons(reasons: list[dict[str, Any]]) -> Table:
    table = _table("Rule", "Weight", "Reason")
    for reason in reasons:
        points = reason.get("points")
        weight = f"{points:+g} points" if points is not None else f"→ {reason['tier']}"
        table.add_row(reason["rule"], weight, Text(clean(reason["text"])))
    return table


def _findings(findings: list[dict[str, Any]]) -> Table:
    table = _table("Certainty", "Finding", "Words", "Place", "Facts", "Cue")
    for finding in findings:
        place = [*finding["levels"], *(SHORT[one] for one in finding["compartments"])]
        inferred = " (inferred)" if finding["compartment_basis"] == "inferred" else ""
        table.add_row(
            Text(finding["certainty"], style=STYLES[finding["certainty"]]),
            finding["name"],
            Text(clean(finding["quote"])),
            ", ".join(place) + inferred or "not stated",
            Text(_facts(finding)),
            Text(clean(finding["cue"] or "")),
        )
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading in {"Rule", "Weight", "Certainty"})
    return table


def _facts(finding: dict[str, Any]) -> str:
    """What is told of a lesion beside its place: size, change, details, and as much of SINS as is known."""
    size = " × ".join(f"{axis:g}" for axis in finding["size_mm"])
    trend = finding["trend"].replace("unknown", "")
    more = [one for one in finding.get("details", ()) if one["kind"] != "size"]
    sins = finding.get("sins", ())
    points = sum(one["points"] for one in sins)
    known = f"SINS {points} ({len(sins)} of 6 known)" if sins else ""
    return ", ".join(filter(None, [f"{size} mm" if size else "", trend, _details(more), known]))


def _details(details: list[dict[str, Any]]) -> str:
    return "; ".join(f"{one['kind'].replace('_', ' ')} {clean(one['value'])}" for one in details)


def explanation(found: dict[str, Any]) -> None:
    """Print what became of one report, and why."""
    outcome = found["outcome"] or "hidden"
    console.print(Text.assemble((str(found["report"] or found["path"]), "bold"), f"  outcome: {outcome}"))
    console.print(Text(clean(f"  {found['why']}"), style="bold"))
    case = found["case"]
    said = {
        "erased": found["erased"] and "on {at} by {by}: {reason}".format(**found["erased"]),
        "reason": found["reason"] and f"{found['reason']}: {meaning(found['reason'])}",
        "detail": found["detail"],
        "warnings": " ".join(map(meaning, found["warnings"])),
        "case": f"{case['case']}, {case['tier']}, {case['status']}" if case else "",
    }
    for label, value in said.items():
        if value:
            console.print(f"  {label}: {value}", markup=False)
    if found["reading"]:
        verdict(found["reading"])
    if run := found["run"]:
        line = f"  run {run['run']}, {minute(run['started_at'])}, rules {run['rules_version'][:19]}"
        console.print(line, markup=False)
    for version in found["versions"]:
        now = "current" if version["current"] else ""
        arrived = minute(version["arrived_at"])
        line = f"  version {version['version']}: {version['status']}, arrived {arrived} {now}"
        console.print(line, markup=False)
    if found["rows"]:
        console.print(_rows(found["rows"]))


def _rows(rows: list[dict[str, Any]]) -> Table:
    """The items of a file that holds several."""
    table = _table("Item", "Input", "Report", "Outcome", "Case")
    for row in rows:
        outcome = " ".join(filter(None, (row["outcome"] or "hidden", row["tier"], row["reason"])))
        cells = (str(row["item"]), row["input"], row["report"], outcome, row["case"])
        table.add_row(*(Text(clean(cell)) for cell in cells))
    return table
