"""`vmtop cut`: part of a session as a new session file."""

from __future__ import annotations

from math import inf
from pathlib import Path

import click

from collectors.safety.sanitize import sanitize
from collectors.session.cut import cut as copy_span
from collectors.session.reader import Session
from collectors.session.storage import finished_file
from tui.cli.commands.sessions.session_files import not_onto_itself, opened, span_of
from tui.cli.options import FILES, FORCE, FROM, TO
from tui.cli.progress import progress


@click.command("cut")
@FILES
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), required=True, help="The new file.")
@FROM
@TO
@FORCE
def command(files: tuple[Path, ...], target: Path, start: str | None, stop: str | None, is_forced: bool) -> int:
    """Copy part of a session, with everything it holds, into a new file. Files of several hosts become one."""
    not_onto_itself(files, target)
    with opened(files) as session:
        since, until = span_of(session, start, stop)
        with finished_file(target, is_forced) as descriptor:
            begin, end = (-inf if since is None else since), (inf if until is None else until)
            if isinstance(session, Session):
                steps = copy_span(session, begin, end, descriptor)
            else:
                from collectors.fleet.recordings.joined_file import write_joined

                steps = write_joined(session, begin, end, descriptor)
            with progress(len(session.outline)) as advance:
                for done in steps:
                    advance(done)
    click.echo(
        f"vmtop: {sanitize(str(target))} is written; replay it with: vmtop replay {sanitize(str(target))}", err=True
    )
    return 0
