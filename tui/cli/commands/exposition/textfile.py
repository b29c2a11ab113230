"""`vmtop textfile`: the metrics as a file for node_exporter's textfile collector."""

from __future__ import annotations

from pathlib import Path

import click

from collectors.exposition import textfile
from collectors.exposition.scraper import Scraper
from collectors.exposition.text import Dialect
from collectors.safety.sanitize import sanitize
from collectors.sampling.source import SourceSpec
from tui.cli.commands.exposition.exposing import ENDINGS, Ending, exposing_options, scraper
from tui.cli.configuration import config_for_looking
from tui.cli.exit_codes import DONE
from tui.cli.options import source_options
from tui.cli.types import IntervalType
from tui.configuration.alerts import rules_of
from tui.settings import log_file
from tui.terminal.signals import SIGNALS


@click.command("textfile")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--once", "is_once", is_flag=True, help="Write the file once and leave it there, as for a timer.")
@click.option(
    "--interval",
    "interval_s",
    type=IntervalType(1.0, 3600.0),
    default=15.0,
    show_default=True,
    metavar="SECONDS",
    help="Seconds between two texts.",
)
@exposing_options
@source_options
def command(
    folder: Path,
    is_once: bool,
    interval_s: float,
    most_workloads: int,
    labels: tuple[str, ...],
    specs: list[SourceSpec],
) -> int:
    """Write what `vmtop serve` answers into DIR/vmtop.prom, for node_exporter's textfile collector.

    The file is replaced as a whole, and removed at the end.

    Exits with 0 when it was asked to end, 1 when the file cannot be written, 129 when its terminal went away.
    """

    rules = rules_of(config_for_looking().alerts)
    log_file.keep_all()
    made, ending = scraper(specs, most_workloads, labels, rules), Ending()
    with SIGNALS.listening(ENDINGS), SIGNALS.handed_to(ending.signalled):
        made.start()
        try:
            _write(made, folder)
            if is_once:
                return DONE
            while not ending.wait(interval_s):
                _write(made, folder)
            textfile.remove(folder)  # before what may be slow to end
        finally:
            made.stop()
    return ending.code


def _write(made: Scraper, folder: Path) -> None:
    text = made.scrape(Dialect.PROMETHEUS)
    if text is None:
        raise click.ClickException(f"the sources could not be read{log_file.FILE.reference}")
    try:
        textfile.write(folder, text)
    except OSError as error:
        where = sanitize(str(folder / textfile.NAME))
        raise click.ClickException(f"{where} cannot be written: {error.strerror}") from error
