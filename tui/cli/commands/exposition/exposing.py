"""What `vmtop serve` and `vmtop textfile` share: the options that choose what is exposed, and the scraper."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tui.cli.exit_codes import DONE, HUNG_UP

if TYPE_CHECKING:
    from collectors.alerts.alert import Alert
    from collectors.alerts.rule import Rule
    from collectors.exposition.alert_series import AlertSeries
    from collectors.exposition.scraper import Scraper
    from collectors.model.workloads import Frame
    from collectors.sampling.source import SourceSpec

Command = TypeVar("Command", bound=Callable[..., Any])

ENDINGS: Mapping[int, int] = {signal.SIGINT: DONE, signal.SIGTERM: DONE, signal.SIGHUP: HUNG_UP}
"""Exit codes: being asked to end is not a failure; a terminal that went away is reported."""


def exposing_options(command: Command) -> Command:
    """Add the options that choose what is exposed."""
    for option in (
        click.option(
            "--label",
            "labels",
            multiple=True,
            metavar="NAME",
            help="A container's label that every series carries, or project. Each value makes series of its own.",
        ),
        click.option(
            "--max-workloads",
            "most_workloads",
            type=click.IntRange(1, 100_000),
            default=2000,
            show_default=True,
            metavar="N",
            help="Expose the N busiest; the others are counted.",
        ),
    ):
        command = option(command)
    return command


_GAP_S = 150.0
"""Seconds between scrapes from which on the time between them does not count for rules; Prometheus' default is 60."""


def scraper(
    specs: Sequence[SourceSpec], most_workloads: int, labels: tuple[str, ...], rules: Sequence[Rule] = ()
) -> Scraper:
    """Return what answers scrapes.

    Args:
        specs: The sources.
        most_workloads: How many workloads are exposed.
        labels: Labels of workloads that every series carries.
        rules: The rules for alerts.

    Raises:
        click.UsageError: Two of the labels would have one name.
    """
    from collectors import __version__
    from collectors.exposition.exposer import Choice
    from collectors.exposition.labels import label_name
    from collectors.exposition.scraper import Scraper
    from collectors.fleet.specs import load_source
    from collectors.kernel.self_usage import OwnCost
    from collectors.sampling.sampler import Sampler
    from tui.controllers.headless_alerts import HeadlessAlerts

    names = [label_name(label) for label in labels]
    if len(set(names)) < len(names):
        raise click.UsageError(f"--label: two of them would be exposed under one name: {', '.join(sorted(names))}.")
    cost = OwnCost()
    choice = Choice(most_workloads, tuple(labels))
    alerts = HeadlessAlerts(rules, gap_s=_GAP_S)

    def judge(frame: Frame) -> list[AlertSeries]:
        alerts.take(frame)
        return [_series(alert) for alert in alerts.active]

    return Scraper(Sampler(specs, load_source), choice, __version__, lambda: cost.look().resident_bytes, judge)


def _series(alert: Alert) -> AlertSeries:
    from collectors.exposition.alert_series import AlertSeries

    workload = None if alert.workload is None or alert.workload.is_host else alert.workload
    source = alert.subject.part.partition(" on ")[0]
    return AlertSeries(alert.rule.name, alert.rule.level, workload, source, alert.subject.id.host)


class Ending:
    """Waits for the signal that ends a command without a screen."""

    def __init__(self) -> None:
        self._is_over = threading.Event()

    def signalled(self, number: int) -> None:
        """End if the signal ends the process. Called on the signal thread."""
        from tui.terminal.signals import SIGNALS

        if SIGNALS.code is not None:
            self._is_over.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait; return whether it is over."""
        return self._is_over.wait(seconds)

    @property
    def code(self) -> int:
        """The exit code."""
        from tui.terminal.signals import SIGNALS

        return SIGNALS.code or DONE
