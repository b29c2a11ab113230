"""Progress on stderr if it is a terminal; otherwise none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress(length: float, scale: int = 1) -> Iterator[Callable[[float], None]]:
    """Show a bar; yield what moves it to a place from 0 to the length.

    Args:
        length: Of what is done.
        scale: Steps that a whole one is shown in.
    """
    with click.progressbar(length=max(1, int(length * scale)), file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        done = 0

        def advance(to: float) -> None:
            nonlocal done
            steps = int(to * scale) - done
            if steps > 0:
                bar.update(steps)
                done += steps

        yield advance
