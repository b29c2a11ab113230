"""`vmtop record`: frames to a file without a screen, until a signal or the time is up."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click

from collectors.metrics import Unit
from collectors.sampler import Sampler, SourceSpec
from collectors.session.files import Rotating, Rotation, file_writer, stream_writer
from collectors.session.format import SessionError
from collectors.session.recorder import Keeping, Recorder, Sink
from collectors.text import inert
from tui.format import duration, text

_SIGNALS = {signal.SIGINT: 0, signal.SIGTERM: 0, signal.SIGHUP: 129}
"""Exit codes: asked to end is no failure; a terminal that went away is told."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to record, and where to."""

    path: Path
    """`-` is standard output."""
    interval_s: float = 1.0
    duration_s: float = 0.0
    """0 goes on until a signal."""
    rotation: Rotation = Rotation()  # noqa: RUF009  # frozen
    is_forced: bool = False


def record(specs: Sequence[SourceSpec], plan: Plan) -> int:
    """Record, and return the exit code: 0 all was kept, 1 frames were lost, 129 the terminal went away.

    Raises:
        SessionError: The file cannot be made.
    """
    sink = _sink(plan)
    stop = _Stop()
    sampler, recorder = Sampler(specs, plan.interval_s), Recorder()
    keeping = recorder.add(sink)
    sampler.on_frame(recorder.take)
    sampler.on_frame(lambda frame: stop.count())
    sampler.on_failure(stop.set)
    with stop.listening():
        sampler.start()
        _watch(plan, keeping, stop)
        sampler.stop()
        is_done = recorder.close(10.0)
    if sampler.failure is not None:
        raise SessionError(f"sampling failed: {type(sampler.failure).__name__}: {inert(str(sampler.failure))}")
    return _tell_end(plan, keeping, stop, is_done)


def _sink(plan: Plan) -> Sink:
    if str(plan.path) == "-":
        if sys.stdout.isatty():
            raise SessionError("a session is no text for a terminal: send it to a file or a pipe")
        return stream_writer(sys.stdout.buffer)
    if plan.rotation.is_wanted:
        return Rotating(plan.path, plan.rotation)
    return file_writer(plan.path, plan.is_forced)


class _Stop:
    """Ends the recording: by a signal, by a failure."""

    def __init__(self) -> None:
        self.code = 0
        self.frames = 0
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def count(self) -> None:
        self.frames += 1

    def wait(self, seconds: float) -> bool:
        return self._event.wait(seconds)

    def listening(self) -> _Signals:
        return _Signals(self)


class _Signals:
    """While it lasts, the signals of an end set a `_Stop`. One that is ignored, as nohup does, stays so."""

    def __init__(self, stop: _Stop) -> None:
        self._stop = stop
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> None:
        for number, code in _SIGNALS.items():
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handler(code))

    def _handler(self, code: int) -> Callable[[int, object], None]:
        def handle(number: int, frame: object) -> None:
            self._stop.code = code
            self._stop.set()

        return handle

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # as `signal` returned it


def _watch(plan: Plan, keeping: Keeping, stop: _Stop) -> None:
    """Wait for the end; tell how it goes: on a terminal in one line, elsewhere only of trouble."""
    began, told, is_terminal = time.monotonic(), "", sys.stderr.isatty()
    click.echo(f"vmtop: recording to {_name(plan)}; Ctrl-C ends it", err=True)
    while not stop.wait(0.2 if plan.duration_s and plan.duration_s < 2 else 1.0):
        passed = time.monotonic() - began
        if keeping.problem != told:
            told = keeping.problem
            line_break = "\n" if is_terminal else ""
            click.echo(f"{line_break}vmtop: {'not recording: ' + told if told else 'recording again'}", err=True)
        if keeping.problem == _PIPE_CLOSED:
            return
        if is_terminal:
            _tell_line(stop.frames, passed, keeping)
        if plan.duration_s and passed >= plan.duration_s:
            break
    if is_terminal:
        click.echo("", err=True)


_PIPE_CLOSED = os.strerror(32).lower()


def _tell_line(frames: int, passed: float, keeping: Keeping) -> None:
    size = text(getattr(keeping.sink, "size", 0), Unit.BYTES, 5).strip()
    lost = f", {keeping.lost} lost" if keeping.lost else ""
    with suppress(OSError):  # a terminal that goes away ends the recording by a signal, not here
        sys.stderr.write(f"\r  {duration(passed, 6).strip()}  {frames} frames  {size}{lost}   ")
        sys.stderr.flush()


def _tell_end(plan: Plan, keeping: Keeping, stop: _Stop, is_done: bool) -> int:
    size = text(getattr(keeping.sink, "size", 0), Unit.BYTES, 6).strip()
    with suppress(OSError):  # the terminal may be gone
        click.echo(f"vmtop: {_name(plan)}: {stop.frames - keeping.lost} frames, {size}", err=True)
        if not is_done:
            click.echo("vmtop: the disk did not answer in time; the last frames may be missing", err=True)
        elif keeping.lost:
            click.echo(f"vmtop: {keeping.lost} frames were not kept: {keeping.problem or 'see vmtop info'}", err=True)
    return stop.code or (1 if keeping.lost or not is_done else 0)


def _name(plan: Plan) -> str:
    return "standard output" if str(plan.path) == "-" else inert(str(plan.path))
