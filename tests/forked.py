"""Commands in processes of their own that have the libraries imported, which takes most of a command's time.

Only libraries that read nothing of the environment: our own code, Django's settings and Prefect begin anew in
each process, as they do where people and cron start it.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

LIBRARIES = (
    *("django.core.serializers.json", "django.db.models", "django.forms", "django.http", "django.urls"),
    *("pandas", "pydicom", "requests", "rich.progress", "rich.table", "spacy", "typer"),
    # What Prefect imports.
    *(
        "anyio",
        "dateparser",
        "fsspec",
        "griffe",
        "httpx",
        "jinja2",
        "jsonschema",
        "pydantic_settings",
        "sqlalchemy",
    ),
)


def run(
    program: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    streams: Sequence[Path],
    seconds: float,
) -> int:
    """Carry out a program with standard input, output and error from and to files; return its exit status.

    Raises
    ------
    TimeoutError
        When it takes longer; it is killed.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(LIBRARIES))
    files = [str(path) for path in streams]
    process = context.Process(target=_carry_out, args=(program, arguments, dict(environment), files))
    process.start()
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise TimeoutError(f"{arguments} takes longer than {seconds} s")
    return process.exitcode


def _carry_out(
    program: str, arguments: Sequence[str], environment: Mapping[str, str], files: Sequence[str]
) -> None:
    for descriptor, (file, flags) in enumerate(
        zip(files, (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT | os.O_TRUNC] * 2), strict=True)
    ):
        opened = os.open(file, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdin = os.fdopen(0, closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["-c", *arguments]
    try:
        exec(compile(program, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - as `python -c` does
    finally:
        atexit._run_exitfuncs()  # multiprocessing would not
