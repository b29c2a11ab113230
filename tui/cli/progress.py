"""Progress on stderr if it is a terminal; otherwise none."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import click

from tui.presenters.load import load_words

_QUIET_S = 1.0
"""Seconds before the line of what is waited for appears."""


class WaitingLine:
    """A line on stderr, if that is a terminal, that says what is waited for; gone when the wait is over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._measuring_since: float | None = None
        self._is_terminal = sys.stderr.isatty()
        self._is_shown = False

    def __enter__(self) -> WaitingLine:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_shown:
            self._write("")

    def show(self, names: Sequence[str], passed_s: float, most_s: float) -> None:
        """Show what is waited for and for how long, after the first second."""
        if not self._is_terminal or passed_s < _QUIET_S or not names:
            return
        self._is_shown = True
        self._write(f"vmtop: waiting for {' and '.join(names)}, {passed_s:.0f} of at most {most_s:g} s{load_words()}")

    def show_measuring(self, over_s: float) -> None:
        """Show how much of a measurement of more than a second has passed; the first call begins it."""
        now = self._clock()
        self._measuring_since = now if self._measuring_since is None else self._measuring_since
        if self._is_terminal and over_s > _QUIET_S:
            self._is_shown = True
            self._write(f"vmtop: measuring, {min(now - self._measuring_since, over_s):.0f} of {over_s:g} s")

    def _write(self, text: str) -> None:
        with suppress(OSError):  # a terminal that goes away ends the command by a signal, not here
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()


@contextmanager
def progress(length: float, scale: int = 1) -> Iterator[Callable[[float], None]]:
    """Show a bar; yield a function that moves it to a position from 0 to `length`.

    Args:
        length: The position at the end.
        scale: Steps of the bar per unit of length.
    """
    with click.progressbar(length=max(1, int(length * scale)), file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        shown_steps = 0

        def advance(position: float) -> None:
            nonlocal shown_steps
            steps = int(position * scale) - shown_steps
            if steps > 0:
                bar.update(steps)
                shown_steps += steps

        yield advance
