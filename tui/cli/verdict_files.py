"""Where a command that judges writes its verdicts for pipelines: a JUnit file and GitHub's job summary."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from tui.presenters.pipelines.github_summary import github_summary
from tui.presenters.pipelines.junit import junit
from tui.presenters.pipelines.verdict import Verdict

_Command = TypeVar("_Command", bound=Callable[..., Any])
_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable in which GitHub's runner gives the path of a job's summary."""


def verdict_options(command: _Command) -> _Command:
    """Add `--junit FILE` and `--summary` (parameters `junit_path` and `has_summary`)."""
    junit_option = click.option(
        "--junit",
        "junit_path",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write the result as JUnit XML, too.",
    )
    summary_option = click.option(
        "--summary", "has_summary", is_flag=True, help=f"Add the result to GitHub's job summary (${_SUMMARY})."
    )
    return junit_option(summary_option(command))


def write_verdicts(title: str, verdicts: Sequence[Verdict], junit_path: Path | None, has_summary: bool) -> None:
    """Write what was asked for.

    Raises:
        click.ClickException: A file cannot be written, or the variable with the summary's path is not set.
    """
    if junit_path is not None:
        timestamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        _write(junit_path, junit(title, verdicts, timestamp), "w")
    if has_summary:
        path = os.environ.get(_SUMMARY, "")
        if not path:
            raise click.ClickException(f"--summary adds to the file that ${_SUMMARY} names, and it is not set")
        _write(Path(path), github_summary(title, verdicts), "a")


def _write(path: Path, text: str, mode: str) -> None:
    try:
        with path.open(mode, encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        raise click.ClickException(f"{click.format_filename(path)} cannot be written: {error.strerror}") from error
