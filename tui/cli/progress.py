"""Progress on stderr if it is a terminal; otherwise none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


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
