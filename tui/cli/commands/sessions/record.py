"""`vmtop record`: frames to a file without a screen, until a signal or the time is up."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click

from collectors.alerts.rule import Rule
from collectors.fleet.specs import load_source
from collectors.model.metrics import Unit
from collectors.model.wording import counted
from collectors.model.workloads import Availability, Frame
from collectors.safety.sanitize import sanitize
from collectors.sampling.sampler import Sampler
from collectors.sampling.source import SourceSpec
from collectors.sampling.timeout import ANSWER_S
from collectors.session.format import SessionError
from collectors.session.recorder import ActiveSink, Recorder, Sink
from collectors.session.sinks import Rotating, Rotation, file_writer, stream_writer
from tui.cli.commands.hosts.control import obey
from tui.cli.configuration import config_for_looking
from tui.cli.exit_codes import DONE, FAILED, HUNG_UP
from tui.cli.options import FORCE, interval_option, source_options
from tui.cli.types import SizeType, SpanType
from tui.configuration.alerts import rules_of
from tui.controllers.headless_alerts import HeadlessAlerts
from tui.presenters.formatting import duration, text
from tui.presenters.reports.troubles import troubles
from tui.settings import log_file
from tui.terminal.signals import SIGNALS

_SIGNALS: Mapping[int, int] = {signal.SIGINT: DONE, signal.SIGTERM: DONE, signal.SIGHUP: HUNG_UP}
"""Exit codes: being asked to end is not a failure; a terminal that went away is reported."""
_LEAST_ROTATION = 64 << 10
"""Bytes: a smaller file would hold little more than the descriptions of workloads."""
_SETTLE_S = 3.0
"""Seconds before the sources that are not in the recording are named; late ones are waited for, up to `ANSWER_S`."""
_KEEPING_S = 10.0
"""Seconds for the disk to take the remaining frames."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to record, and into which file."""

    path: Path
    """`-` is standard output."""
    interval_s: float = 1.0
    duration_s: float = 0.0
    """0 goes on until a signal."""
    rotation: Rotation = Rotation()  # noqa: RUF009  # frozen
    is_forced: bool = False
    is_controlled: bool = False
    """Whether another vmtop reads it, and sends commands."""
    rules: tuple[Rule, ...] = ()
    """The rules for alerts, which become events of the recording."""


@click.command("record")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--duration", "duration_s", type=SpanType(), default=0.0, metavar="SPAN", help="End after 10m, 2h ...")
@click.option("--rotate-size", type=SizeType(), default=0, metavar="SIZE", help="Begin the next file at 100M, 1G ...")
@click.option("--rotate-age", type=SpanType(), default=0.0, metavar="SPAN", help="Begin the next file after 1h, 1d ...")
@click.option("--keep", type=click.IntRange(1), default=None, help="With rotation: keep the newest N files.")
@FORCE
@click.option(
    "--control",
    "is_controlled",
    is_flag=True,
    help="With -: obey commands on standard input, such as 'interval 5', and end with them.",
)
@interval_option
@source_options
def command(
    file: Path,
    duration_s: float,
    rotate_size: int,
    rotate_age: float,
    keep: int | None,
    is_forced: bool,
    is_controlled: bool,
    interval_s: float,
    specs: list[SourceSpec],
) -> int:
    """Record what the screen would show into FILE, without a screen; `-` is standard output.

    With rotation FILE is a name to which the time is added: web.vmtop.gz becomes web-20261124-031200.vmtop.gz.

    Exits with 0 when it was asked to end, 1 when frames were lost, 129 when its terminal went away.
    """

    if is_controlled:  # what is configured here for recordings is not meant for another host's
        duration_s, rotate_size, rotate_age, keep = 0.0, 0, 0.0, None
    rotation = Rotation(rotate_size, rotate_age, keep or 0)
    if keep and not rotation.is_wanted:
        raise click.UsageError("--keep needs --rotate-size or --rotate-age.")
    if 0 < rotate_size < _LEAST_ROTATION:
        raise click.UsageError("--rotate-size is at least 64K.")
    if rotation.is_wanted and str(file) == "-":
        raise click.UsageError("standard output cannot be rotated.")
    if is_controlled and str(file) != "-":
        raise click.UsageError("--control is for '-', standard output.")
    try:
        rules = () if is_controlled else rules_of(config_for_looking().alerts)  # whoever reads it judges by own rules
        return record(specs, Plan(file, interval_s, duration_s, rotation, is_forced, is_controlled, rules))
    except SessionError as error:
        raise click.ClickException(str(error)) from error


def record(specs: Sequence[SourceSpec], plan: Plan) -> int:
    """Record, and return the exit code: 0 nothing was lost, 1 frames were lost, 129 the terminal went away.

    Raises:
        SessionError: The file cannot be created.
    """
    log_file.keep_all()
    stop = _Stop()
    with SIGNALS.listening(_SIGNALS), SIGNALS.handed_to(stop.signalled):
        return _record(specs, plan, stop)


def _record(specs: Sequence[SourceSpec], plan: Plan, stop: _Stop) -> int:
    sink = _sink(plan)
    sampler, recorder = Sampler(specs, load_source, plan.interval_s), Recorder()
    SIGNALS.last_steps.append((lambda: recorder.close(_KEEPING_S), _KEEPING_S))
    keeping = recorder.add(sink)
    sampler.on_frame(recorder.take)
    sampler.on_frame(stop.count)
    alerts = HeadlessAlerts(plan.rules, sampler.announce)
    if plan.rules:
        sampler.on_frame(alerts.take)
    sampler.on_failure(stop.set)
    sampler.start()
    if plan.is_controlled:
        obey(sampler, stop.set)
    reporter = _Reporter(plan, keeping, stop)
    _watch(plan, keeping, stop, reporter)
    sampler.stop()
    alerts.close()
    is_done = recorder.close(_KEEPING_S)
    if sampler.failure is not None:
        raise SessionError(f"sampling failed: {type(sampler.failure).__name__}: {sanitize(str(sampler.failure))}")
    reporter.end(is_done)
    return stop.code or (FAILED if keeping.lost or not is_done else DONE)


def _sink(plan: Plan) -> Sink:
    if str(plan.path) == "-":
        if sys.stdout.isatty():
            raise SessionError("a session is binary: write it to a file or a pipe")
        return stream_writer(sys.stdout.fileno())
    if plan.rotation.is_wanted:
        return Rotating(plan.path, plan.rotation)
    return file_writer(plan.path, plan.is_forced)


class _Stop:
    """Ends the recording on a signal or a failure. Holds the newest frame."""

    def __init__(self) -> None:
        self.code = 0
        self.frames = 0
        self.newest: Frame | None = None
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def count(self, frame: Frame) -> None:
        self.frames += 1
        self.newest = frame

    def wait(self, seconds: float) -> bool:
        return self._event.wait(seconds)

    def signalled(self, number: int) -> None:
        """End if the signal ends the process. Called on the signal thread."""
        if SIGNALS.code is not None:
            self.code = SIGNALS.code
            self.set()


class _Reporter:
    """Reports on stderr: on a terminal a line of progress, elsewhere only problems."""

    def __init__(self, plan: Plan, keeping: ActiveSink, stop: _Stop) -> None:
        self._plan, self._keeping, self._stop = plan, keeping, stop
        self._is_terminal = sys.stderr.isatty()
        self._reported_problem = ""
        self._has_reported_sources = False

    def begin(self) -> None:
        if not self._plan.is_controlled:
            click.echo(f"vmtop: recording to {_name(self._plan)}; Ctrl-C ends it", err=True)

    def update(self, elapsed_s: float) -> None:
        """Report what has changed; `elapsed_s` is the time since the start."""
        problem = self._keeping.problem
        if not self._has_reported_sources and elapsed_s >= (ANSWER_S if self._is_one_late() else _SETTLE_S):
            self._report_sources()
        if problem != self._reported_problem:
            self._reported_problem = problem
            self._print(f"not recording: {problem}" if problem else "recording again")
        if self._is_terminal:
            self._print_status(elapsed_s)

    def _is_one_late(self) -> bool:
        newest = self._stop.newest
        return newest is None or any(state.availability is Availability.WAITING for state in newest.sources)

    def _report_sources(self) -> None:
        """Report which sources are not in the recording."""
        if self._stop.newest is not None:
            self._has_reported_sources = True
            for sentence in troubles(self._stop.newest.sources):
                self._print(sentence)

    def _file_names(self) -> str:
        sink = self._keeping.sink
        if isinstance(sink, Rotating) and sink.newest is not None:
            return f"{counted(sink.files, 'file')}, the last of them {sanitize(str(sink.newest))}"
        return _name(self._plan)

    def _print(self, sentence: str) -> None:
        click.echo(("\r\x1b[K" if self._is_terminal else "") + f"vmtop: {sentence}", err=True)

    def _print_status(self, elapsed_s: float) -> None:
        lost = f", {self._keeping.lost} lost" if self._keeping.lost else ""
        with suppress(OSError):  # a terminal that goes away ends the recording by a signal, not here
            sys.stderr.write(
                f"\r  {duration(elapsed_s, 6).strip()}  {self._stop.frames} frames  {self._size()}{lost}   "
            )
            sys.stderr.flush()

    def end(self, is_done: bool) -> None:
        """Report how much was recorded."""
        keeping = self._keeping
        with suppress(OSError):  # the terminal may be gone
            if self._is_terminal:
                click.echo("", err=True)
            kept_frames = self._stop.frames - keeping.lost
            if not self._plan.is_controlled:
                click.echo(f"vmtop: {self._file_names()}: {counted(kept_frames, 'frame')}, {self._size()}", err=True)
            if not self._has_reported_sources:
                self._report_sources()
            if not is_done:
                click.echo("vmtop: the disk did not answer in time; the last frames may be missing", err=True)
            if keeping.lost:
                reason = keeping.problem or "'vmtop info' shows why"
                click.echo(f"vmtop: {keeping.lost} frames were not kept: {reason}", err=True)

    def _size(self) -> str:
        return text(getattr(self._keeping.sink, "size", 0), Unit.BYTES, 6).strip()


def _watch(plan: Plan, keeping: ActiveSink, stop: _Stop, reporter: _Reporter) -> None:
    """Wait for the end: a signal, the duration, or a reader that has gone."""
    start = time.monotonic()
    reporter.begin()
    while not stop.wait(min(1.0, max(0.05, plan.duration_s / 10)) if plan.duration_s else 1.0):
        elapsed_s = time.monotonic() - start
        reporter.update(elapsed_s)
        is_broken = bool(keeping.problem) and str(plan.path) == "-"
        if is_broken or (plan.duration_s and elapsed_s >= plan.duration_s):
            return


def _name(plan: Plan) -> str:
    return "standard output" if str(plan.path) == "-" else sanitize(str(plan.path))
