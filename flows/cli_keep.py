"""Commands about keeping: backup and restore, erasure, retention, legal hold."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.acting import As, Json, acting_as

hold_app = typer.Typer(no_args_is_help=True, help="Keep everything of a patient, whatever the times say.")
Reason = Annotated[str, typer.Option(help="Why; it is kept. Name no patient in it.")]
Patient = Annotated[
    bool, typer.Option("--patient", help="A patient, whose id is asked for, or read from standard input.")
]
Key = Annotated[str, typer.Option(help="The report of this key.")]


class KeepError(RuntimeError):
    """A command cannot do what was asked; the text says why and the way out."""


def backup(
    to: Annotated[Path, typer.Argument(help="A new folder.")],
    secrets_to: Annotated[
        Path | None,
        typer.Option(help="A new file for the keys, which the backup does not hold. Keep it elsewhere."),
    ] = None,
    as_: As = "",
) -> None:
    """Copy database, configuration and the audit's heads into a new folder, while everything goes on."""
    account = acting_as(as_, "backup")
    from flows import display
    from review.backups import making

    with _progress("Copying the database") as progress:
        said = making.backup(account, to, secrets_to, progress)
    rows = said["counts"]
    display.tell(
        f"Backup {to}: {rows['review_report']:,} reports, {rows['review_case']:,} cases, the audit up to row "
        f"{said['chain']['number']:,}. It holds the texts of the reports: keep it as secret as they are."
    )
    if secrets_to is None:
        display.tell(
            "The keys are not in it. Without the key of the audit nothing can be restored: see --secrets-to."
        )
    else:
        display.tell(f"The keys are in {secrets_to}. Who has them can forge the audit: keep them elsewhere.")


def restore(
    source: Annotated[Path, typer.Argument(metavar="FROM", help="The folder of a backup.")],
    secrets: Annotated[
        Path | None, typer.Option(help="The file of keys that `backup --secrets-to` wrote.")
    ] = None,
) -> None:
    """Restore a backup into a new, empty place (SPINETRIAGE_VAR, SPINETRIAGE_DATABASE_URL)."""
    from review.backups import restoring

    with _progress("Restoring the database") as progress:
        said = restoring.restore(source, secrets, progress)
    from flows.acting import open_ledger

    open_ledger()
    from flows import display
    from review import audit
    from review.site import var_folder

    audit.record(
        audit.Action.BACKUP_RESTORED,
        actor=audit.SYSTEM,  # whoever has the machine, as at a first start: nobody could log in before
        subject=audit.SYSTEM,
        mac=said["mac"],
        chain=said["chain"]["number"],
    )
    rows, when = said["counts"], display.minute(said["made_at"])
    display.tell(
        f"Restored: {rows['review_report']:,} reports, {rows['review_case']:,} cases, the audit up to row "
        f"{said['chain']['number']:,}, as of {when} UTC."
    )
    beside = var_folder() / restoring.RESTORED_CONFIG
    display.tell(
        f"Next: compare {beside} with your config/, then `spinetriage check`, "
        "`spinetriage audit verify --as NAME`, and `spinetriage up`."
    )


def erase(
    *,
    reason: Reason,
    patient: Patient = False,
    report: Key = "",
    case: Annotated[str, typer.Option(help="The report of this case, such as C12.")] = "",
    rejected_input: Annotated[
        str, typer.Option("--input", help="This rejected input, such as I12: its bytes.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be erased.")] = False,
    as_: As = "",
) -> None:
    """Erase the words and the identity of a patient, a report or a rejected input; it cannot be undone."""
    account = acting_as(as_, "erase")
    if sum(map(bool, (patient, report, case, rejected_input))) != 1:
        raise typer.BadParameter("give one of --patient, --report KEY, --case C12, --input I12")
    from flows import batch, display
    from review import keeping

    if patient:
        whose: Any = keeping.of_patient(account, *_patient())
    elif report:
        whose = keeping.of_report(account, report)
    elif case:
        whose = keeping.of_case(account, _number(case, "C"))
    else:
        whose = keeping.of_input(account, _number(rejected_input, "I"))
    if whose is None:
        raise KeepError("There is nothing of that name that this account may see.")
    counts = keeping.erase(account, whose, _said(reason), dry_run=dry_run)
    would = "Would lose their words" if dry_run else "Lost their words"
    told = ", ".join(f"{table} {number:,}" for table, number in counts.items()) or "nothing"
    display.tell(f"{would} (rows by table): {told}.")
    _tell_rest(whose)
    if not dry_run and counts:
        for run in keeping.runs_of(whose):
            batch.write_outcome_table(run)
        keeping.sweep(whole=True)
        display.tell(
            "Backups made before still hold the words, and so do the files in the inbox and the systems they "
            "came from."
        )


def expire(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what is due.")] = False,
    json: Json = False,
    as_: As = "",
) -> None:
    """Erase what has been kept for longer than config/site.toml says, as happens every week."""
    acting_as(as_, "erase")
    from django.utils import timezone

    from flows import display
    from review import keeping

    counts = keeping.expired(timezone.now()) if dry_run else keeping.expire(timezone.now())
    if json:
        display.as_json(counts)
        return
    display.tell("Due:" if dry_run else "Erased:")
    display.facts(counts)


@hold_app.command("place")
def place_hold(reason: Reason, patient: Patient = False, report: Key = "", as_: As = "") -> None:
    """Keep everything of a patient, or one report, until the hold is lifted."""
    account = acting_as(as_, "hold")
    if patient == bool(report):
        raise typer.BadParameter("give one of --patient, --report KEY")
    from flows import display
    from review import keeping

    if patient:
        patient_id, issuer = _patient()
        number = keeping.place(account, _said(reason), patient_id=patient_id, issuer=issuer)
    else:
        whose = keeping.of_report(account, report)
        if whose is None:
            raise KeepError("There is no report of that key that this account may see.")
        number = keeping.place(account, _said(reason), report=whose.reports[0])
    covered = next(row["reports"] for row in keeping.all_holds() if row["hold"] == number)
    display.tell(f"Hold {number} stands. Reports under it now: {covered:,}; later ones will be too.")


@hold_app.command("lift")
def lift_hold(number: Annotated[int, typer.Argument(help="As `hold list` shows it.")], as_: As = "") -> None:
    """Lift a hold: erasure is possible again, and the times of config/site.toml count."""
    account = acting_as(as_, "hold")
    from flows import display
    from review import keeping

    if not keeping.lift(account, number):
        raise KeepError(f"No hold {number} stands; see `spinetriage hold list`.")
    display.tell(f"Hold {number} is lifted.")


@hold_app.command("list")
def list_holds(json: Json = False, as_: As = "") -> None:
    """List the holds, and how many reports each covers; not whom."""
    acting_as(as_, "hold")
    from flows import display
    from review import keeping

    rows = keeping.all_holds()
    display.as_json(rows) if json else display.holds(rows)


def export(
    *,
    to: Annotated[Path, typer.Option(help="A new file, such as record.zip.")],
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="From this day on.")],
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Up to and with this day; now if not given.")
    ] = None,
    with_names: Annotated[bool, typer.Option(help="Put the names of accounts in; needs a reason.")] = False,
    reason: Annotated[str, typer.Option(help="Why the names are needed.")] = "",
    as_: As = "",
) -> None:
    """Write the record of some days into one archive for an auditor outside: no report text, no names."""
    account = acting_as(as_, "audit_export")
    from django.utils import timezone

    from flows import display
    from review.audit import archive
    from review.backups.manifest import sha256_of

    if with_names != bool(reason.strip()):
        raise typer.BadParameter("--with-names needs a --reason, and a reason is for --with-names only")
    end = timezone.make_aware(until + timedelta(days=1)) if until else timezone.now()
    with _progress("Writing the archive") as progress:
        said = archive.export(account, (timezone.make_aware(since), end), to, reason.strip(), progress)
    display.tell(
        f"Archive {to}: {said['rows']:,} rows of the audit. CHECKING.txt in it says how to check it."
    )
    display.tell(f"SHA-256 {sha256_of(to)}")


def check_export(file: Path, as_: As = "") -> None:
    """Check an archive: every file by its digest, every row of the chain by the key of the audit."""
    acting_as(as_, "verify")
    from flows import display
    from review.audit import archive

    faults = archive.check(file)
    for fault in faults:
        display.tell(fault)
    if faults:
        raise typer.Exit(1)
    display.tell("The archive is whole, and every row in it is one of this record's chain.")


def _patient() -> tuple[str, str]:
    """Ask for a patient's id and who gave it; never an argument: others see those."""
    if sys.stdin.isatty():
        patient, issuer = getpass.getpass("Patient id: "), input("Given by (empty = whoever): ")
    else:
        patient, _, issuer = sys.stdin.read(10_000).partition("\n")
    if not patient.strip():
        raise KeepError("No patient id came; expected it as the first line, and who gave it as the second.")
    return patient.strip(), issuer.strip()


def _number(name: str, letter: str) -> int:
    if name[:1].upper() != letter or not name[1:].isdecimal() or len(name) > 19:
        raise typer.BadParameter(f"{name!r} came; expected {letter} and a number, such as {letter}12")
    return int(name[1:])


def _said(reason: str) -> str:
    if not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    return reason.strip()


def _tell_rest(whose: Any) -> None:
    """Name what a person must look at, as it was left."""
    from flows import display

    if whose.others:
        numbers = ", ".join(f"R{number}" for number in whose.others)
        display.tell(f"Left as they are, as they name another patient too: reports {numbers}.")
    if whose.suspects:
        numbers = ", ".join(f"I{number}" for number in whose.suspects)
        display.tell(
            f"Left at the desk: the id stands in rejected inputs {numbers}. Look, then erase --input."
        )


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    from flows.display import complaints

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=complaints, disable=not complaints.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
