"""`vmtop info`: what a session holds."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from collectors.json_document import timestamp
from collectors.session.summary import Summary, survey
from tui.cli.commands.sessions.session_files import last_summary, opened
from tui.cli.exit_codes import DONE, FAILED
from tui.cli.options import FILES
from tui.presenters.reports.session_summary import as_text

INFO_SCHEMA = "vmtop.info/1"


@click.command("info")
@FILES
@click.option("--json", "is_json", is_flag=True, help="Print a JSON document.")
def command(files: tuple[Path, ...], is_json: bool) -> int:
    """Show what a session holds: span, gaps, workloads with their peaks, events, damage.

    Exits with 1 if part of it is damaged.
    """
    with opened(files) as session:
        summary = last_summary(survey(session), len(session.outline))
        if is_json:
            sys.stdout.writelines(json.JSONEncoder(indent=2).iterencode(_document(summary)))
            click.echo()
        else:
            click.echo(as_text(summary).rstrip())
        return FAILED if summary.damage else DONE


def _document(summary: Summary) -> dict[str, object]:
    return {
        "schema": INFO_SCHEMA,
        "files": summary.files,
        "size_bytes": summary.size,
        "members": summary.members,
        "runs": summary.runs,
        "hosts": summary.hosts,
        "first": timestamp(summary.first),
        "last": timestamp(summary.last),
        "frames": summary.frames,
        "interval_seconds": summary.interval_s,
        "workload_samples": summary.samples,
        "bytes_per_workload_sample": summary.bytes_per_sample,
        "gaps": [
            {"from": timestamp(gap.since), "to": timestamp(gap.until), "frames": gap.frames, "why": gap.why}
            for gap in summary.gaps
        ],
        "damage": [damage._asdict() for damage in summary.damage],
        "omissions": summary.omissions,
        "events": summary.event_counts,
        "workloads": [
            {
                "host": life.id.host or None,
                "engine": life.id.engine,
                "id": life.id.id,
                "kind": life.kind,
                "name": life.name,
                "first": timestamp(life.first),
                "last": timestamp(life.last),
                "frames": life.frames,
                "cpu_seconds": life.cpu_seconds,
                "peaks": life.peaks,
            }
            for life in summary.workloads.values()
        ],
    }
