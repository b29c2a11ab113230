"""Commands on standard input, from the vmtop on another host that reads what this one records."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO

import click

from collectors.sampling.sampler import Sampler
from tui.cli.types import IntervalType

log = logging.getLogger(__name__)

_LONGEST_LINE = 1024
_INTERVAL = IntervalType(0.2, 60)


def obey(sampler: Sampler, end: Callable[[], None]) -> None:
    """Obey the commands until they end, on a thread of its own; then `end` is called."""
    thread = threading.Thread(target=_obey, args=(sys.stdin.buffer, sampler, end), name="control", daemon=True)
    thread.start()


def _obey(lines: BinaryIO, sampler: Sampler, end: Callable[[], None]) -> None:
    while line := lines.readline(_LONGEST_LINE):
        do(line.decode("ascii", "replace").split(), sampler)
    end()


def do(words: list[str], sampler: Sampler) -> None:
    """Do what one line says. What this version does not know is passed over: a later one may have sent it."""
    match words:
        case ["interval", seconds]:
            try:
                sampler.set_interval(_INTERVAL.convert(seconds, None, None))
            except click.UsageError as error:
                log.warning("an interval that cannot be used: %s", error)
        case _:
            log.info("an unknown command on standard input")
