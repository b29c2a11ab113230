"""What the commands on session files share: opening them, the time span, the output."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from collectors.fleet.recordings.opening import open_recording
from collectors.query.time_parser import TimeError, parse_end, parse_time
from collectors.safety.sanitize import sanitize
from collectors.session.format import SessionError
from collectors.session.frame_sequence import FrameSequence
from collectors.session.storage import finished_file
from collectors.session.summary import Step, Summary
from tui.cli.progress import progress
from tui.presenters.formatting import stamp


@contextmanager
def opened(paths: Sequence[Path]) -> Iterator[FrameSequence]:
    """Open session files, of one host or of several.

    Session and time errors, also of the block inside, become one-sentence errors.
    """
    try:
        session = open_recording(paths)
        try:
            yield session
        finally:
            session.close()
    except (SessionError, TimeError) as error:
        raise click.ClickException(str(error)) from error


def not_onto_itself(paths: Sequence[Path], target: Path | None) -> None:
    """Refuse to overwrite an input file.

    Raises:
        ClickException: The target is one of the files.
    """
    if target is not None and target.exists() and any(path.exists() and path.samefile(target) for path in paths):
        raise click.ClickException(f"{sanitize(str(target))} is what is read: write to another file.")


def span_of(session: FrameSequence, start: str | None, stop: str | None) -> tuple[float | None, float | None]:
    """Return the wall times of a span.

    Raises:
        TimeError: One of them is not a time, or they are in the wrong order.
    """
    first, last = session.span()
    since = None if start is None else parse_time(start, first, last)
    until = None if stop is None else parse_end(stop, first, last, since)
    if since is not None and until is not None and since > until:
        raise TimeError(f"--from {start!r} is after --to {stop!r}.")
    if (since is not None and since > last) or (until is not None and until < first):
        raise TimeError(f"no frame lies in this span: the session is {stamp(first)} to {stamp(last)}.")
    if since is not None and since < first - 1:
        click.echo(f"vmtop: --from {start} is {stamp(since)}; the session begins at {stamp(first)}", err=True)
    return since, until


@contextmanager
def output(path: Path | None, is_forced: bool) -> Iterator[BinaryIO]:
    """Open the output: a file that appears only when it is complete, or stdout."""
    if path is None:
        yield sys.stdout.buffer
        return
    with finished_file(path, is_forced) as descriptor, open(descriptor, "wb", closefd=False) as stream:
        yield stream


def last_summary(steps: Iterator[Step], count: int) -> Summary:
    """Run a survey to its end, with progress, and return its summary."""
    summary = Summary([], 0)
    with progress(count) as advance:
        for step in steps:
            advance(step.done)
            summary = step.summary
    return summary
