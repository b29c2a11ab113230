"""`vmtop monitoring`: what Prometheus, VictoriaMetrics and Grafana need for `vmtop serve`, as files."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from collectors.safety.sanitize import sanitize
from collectors.session.format import SessionError
from collectors.session.storage import finished_file
from tui.cli.options import FORCE
from tui.presenters.monitoring.files import monitoring_files

_HOST = re.compile(r"[\w.-]+|\[[0-9A-Fa-f:.]+\]")
_MODE = 0o644
"""The engines run as users of their own."""


@click.command("monitoring")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--target",
    "targets",
    metavar="HOST:PORT",
    multiple=True,
    help="An address of vmtop serve, for the scrape configuration. Can be given more than once.",
)
@FORCE
def command(folder: Path, targets: tuple[str, ...], is_forced: bool) -> int:
    """Write dashboards for Grafana, and rules and a scrape configuration for Prometheus or VictoriaMetrics.

    DIR is made if it does not exist. Files in it that differ from what would be written are kept without --force.
    """
    for target in targets:
        if not _is_address(target):
            raise click.BadParameter(f"{target!r} is no HOST:PORT.", param_hint="--target")
    files = monitoring_files(targets)
    try:
        kept = [] if is_forced else [path for path, text in files.items() if _differs(folder / path, text)]
        if kept:
            words = f"{kept[0]} and {len(kept) - 1} more have" if len(kept) > 1 else f"{kept[0]} has"
            raise click.ClickException(f"nothing is written: in {folder}, {words} been changed; --force overwrites")
        for path, text in files.items():
            _write(folder / path, text)
    except SessionError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"cannot write to {folder}: {error.strerror or error}") from error
    click.echo("\n".join(sanitize(str(folder / path)) for path in files))
    return 0


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with finished_file(path, is_forced=True) as descriptor, open(descriptor, "wb", closefd=False) as stream:
        stream.write(text.encode())
        os.fchmod(descriptor, _MODE)


def _is_address(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(_HOST.fullmatch(host)) and port.isascii() and port.isdecimal() and 0 < int(port) < 65536


def _differs(path: Path, text: str) -> bool:
    return path.exists() and path.read_bytes() != text.encode()
