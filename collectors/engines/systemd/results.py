"""How a unit's last run ended, in words, from `Result` and the exit status of its main process (systemd.service(5))."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from collectors.engines.systemd.bus import SERVICE, NoSuchUnit, SystemBus
from collectors.safety.sanitize import sanitize

_TEXTS = {
    "oom-kill": "out of memory",
    "timeout": "timed out",
    "watchdog": "watchdog",
    "start-limit-hit": "started too often",
    "resources": "systemd lacked the resources to start it",
    "protocol": "it did not follow the protocol of its Type=",
    "exec-condition": "its ExecCondition= does not hold",
    "signal": "killed",
    "core-dump": "dumped core",
}
_LIFE_S = 60.0
_CALLS_AT_MOST = 20
"""Per reading; the others follow at the next one."""
_SIGNALLED = frozenset({"signal", "core-dump"})


def read_ending(bus: SystemBus, path: str) -> tuple[str, int | None]:
    """Return how the last run of the service at an object path ended (see `ending`), and its exit code."""
    return ending(bus.properties(path, SERVICE))


class Endings:
    """How the failed services ended. Each is asked once a minute: it may have been started and failed again."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[float, tuple[str, int | None]]] = {}
        """Object path -> monotonic second of the call, and its answer."""

    def read(self, bus: SystemBus, paths: Sequence[str]) -> dict[str, tuple[str, int | None]]:
        """Return how each service ended (see `ending`), without those that are yet to be asked or are gone.

        Args:
            bus: The system bus.
            paths: Object paths of the failed services; others are forgotten.
        """
        now = time.monotonic()
        self._read = {path: answer for path, answer in self._read.items() if path in paths}
        due = [path for path in paths if path not in self._read or now - self._read[path][0] > _LIFE_S]
        for path in due[:_CALLS_AT_MOST]:
            with suppress(NoSuchUnit):
                self._read[path] = (now, read_ending(bus, path))
        return {path: answer for path, (_, answer) in self._read.items()}


def ending(service: Mapping[str, Any]) -> tuple[str, int | None]:
    """Return how the last run of a service ended, and its exit code.

    Args:
        service: Properties of org.freedesktop.systemd1.Service.

    Returns:
        An inert text, empty for a success and for an interface without `Result`; the code is `None` unless the main
        process exited with one other than 0.
    """
    result, status = str(service.get("Result") or "success"), service.get("ExecMainStatus")
    if result == "success":
        return "", None
    if result == "exit-code":
        code = status if isinstance(status, int) and status else None
        return ("one of its commands failed" if code is None else f"exit code {code}"), code
    text = _TEXTS.get(result) or sanitize(result, 40)
    if result in _SIGNALLED and isinstance(status, int) and status:
        text += f" ({_signal_name(status)})"
    return text, None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
