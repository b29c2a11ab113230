"""Questions about many units, a few at a reading."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from collectors.engines.systemd.bus import NoSuchUnit, SystemBus

Answer = TypeVar("Answer")
_LIFE_S = 60.0
_CALLS_AT_MOST = 20
"""Per reading; the others follow at the next one."""


class InTurn(Generic[Answer]):
    """Answers about units, by their object paths. Each unit is asked again once a minute.

    Args:
        ask: Asks about one unit, by its object path.
    """

    def __init__(self, ask: Callable[[SystemBus, str], Answer]) -> None:
        self._ask = ask
        self._read: dict[str, tuple[float, Answer]] = {}
        """Object path -> monotonic second of the call, and its answer."""

    def read(self, bus: SystemBus, paths: Sequence[str]) -> dict[str, Answer]:
        """Return the answers, without those of units that are yet to be asked or are gone.

        Args:
            bus: The system bus.
            paths: Object paths of the units; others are forgotten.
        """
        now, wanted = time.monotonic(), frozenset(paths)
        self._read = {path: answer for path, answer in self._read.items() if path in wanted}
        due = [path for path in paths if path not in self._read or now - self._read[path][0] > _LIFE_S]
        for path in due[:_CALLS_AT_MOST]:
            with suppress(NoSuchUnit):
                self._read[path] = (now, self._ask(bus, path))
        return {path: answer for path, (_, answer) in self._read.items()}
