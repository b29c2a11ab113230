"""`vmtop report`: a session as one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from collectors.analysis.rates import Moment
from collectors.comparison.session_findings import SessionFindings
from collectors.safety.sanitize import sanitize
from collectors.session.downsample import Buckets
from collectors.session.summary import survey
from tui.cli.commands.sessions.session_files import last_summary, not_onto_itself, opened, output
from tui.cli.options import FILES, FORCE
from tui.presenters.reports.page.document import page

_STEPS = 480
"""Points of a chart, at most."""


@click.command("report")
@FILES
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), required=True, help="The new page.")
@FORCE
def command(files: tuple[Path, ...], target: Path, is_forced: bool) -> int:
    """Write a session as one HTML page to pass on: what stands out, the host, the workloads, the events."""
    not_onto_itself(files, target)
    with opened(files) as session:
        buckets = Buckets(*session.span(), count=max(2, min(_STEPS, session.total())))
        findings = SessionFindings()

        def watch(moment: Moment) -> None:
            buckets.take(moment)
            findings.take(moment)

        summary = last_summary(survey(session, watch), len(session.outline))
        with output(target, is_forced) as stream:
            for part in page(summary, buckets, findings.found(), findings.is_judged):
                stream.write(part.encode("utf-8", "replace"))
    if summary.damage:
        click.echo("vmtop: parts of the session are damaged; the page shows which", err=True)
    click.echo(f"vmtop: {sanitize(str(target))} is written; any browser shows it", err=True)
    return 0
