"""How a unit's last run ended, in words, from `Result` and the exit status of its main process (systemd.service(5))."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

from collectors.engines.systemd.bus import SERVICE, SystemBus
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
_SIGNALLED = frozenset({"signal", "core-dump"})


def read_ending(bus: SystemBus, path: str) -> tuple[str, int | None]:
    """Return how the last run of the service at an object path ended (see `ending`), and its exit code."""
    return ending(bus.properties(path, SERVICE))


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
