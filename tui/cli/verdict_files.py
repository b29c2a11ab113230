"""Where a command that judges writes its verdicts for pipelines: a JUnit file and GitHub's job summary."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from tui.cli.exit_codes import DONE, FAILED
from tui.presenters.pipelines.github_summary import github_summary
from tui.presenters.pipelines.junit import junit
from tui.presenters.pipelines.verdict import Verdict

_Command = TypeVar("_Command", bound=Callable[..., Any])
_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable in which GitHub's runner gives the path of a job's summary."""


def verdict_options(command: _Command) -> _Command:
    """Add `--junit FILE` and `--summary` (parameters `junit_path` and `has_summary`).

    What can be known to fail is refused as a mistake in the arguments, before a command runs or waits for hours.
    """
    junit_option = click.option(
        "--junit",
        "junit_path",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        callback=_in_a_folder,
        help="Write the result as JUnit XML, too.",
    )
    summary_option = click.option(
        "--summary",
        "has_summary",
        is_flag=True,
        callback=_with_a_place,
        help=f"Add the result to GitHub's job summary (${_SUMMARY}).",
    )
    return junit_option(summary_option(command))


def check_folder(path: Path | None) -> None:
    """Refuse a file in a folder that is not there.

    Raises:
        click.UsageError: There is no such folder.
    """
    if path is not None and str(path) != "-" and not path.absolute().parent.is_dir():
        raise click.UsageError(f"{click.format_filename(path)}: there is no such folder.")


def write_verdicts(title: str, verdicts: Sequence[Verdict], junit_path: Path | None, has_summary: bool) -> list[str]:
    """Write what was asked for, and return what went wrong, as sentences: what was found must not be lost with it."""
    files: list[tuple[Path, str, str]] = []
    if junit_path is not None:
        timestamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        files.append((junit_path, junit(title, verdicts, timestamp), "w"))
    if has_summary:
        files.append((Path(os.environ[_SUMMARY]), github_summary(title, verdicts), "a"))
    return [problem for file in files if (problem := _write(*file))]


def code_with(found: int, problems: Sequence[str]) -> int:
    """Say on standard error what could not be written; return the exit code: what was found counts more."""
    for problem in problems:
        click.echo(f"vmtop: {problem}", err=True)
    return found or (FAILED if problems else DONE)


def _in_a_folder(_context: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    check_folder(path)
    return path


def _with_a_place(_context: click.Context, _option: click.Parameter, has_summary: bool) -> bool:
    if has_summary and not os.environ.get(_SUMMARY):
        raise click.UsageError(f"--summary adds to the file that ${_SUMMARY} names, and it is not set.")
    return has_summary


def _write(path: Path, text: str, mode: str) -> str:
    """Write a file; return why it cannot be written, empty if it was."""
    try:
        with path.open(mode, encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        return f"{click.format_filename(path)} cannot be written: {error.strerror}"
    return ""
