"""The programs that alerts run: beside everything else, a few at a time, each for a minute at most."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable

from collectors.alerts.alert import Alert
from collectors.model.errors import SourceError
from collectors.model.workloads import Workload
from tui.configuration.own_commands import Unusable, environment, filled_words
from tui.controllers.background_program import run_program
from tui.terminal.program_end import ending_words

log = logging.getLogger(__name__)

_AT_ONCE = 2
_WAITING_AT_MOST = 100
TIMEOUT_S = 60.0


class AlertPrograms:
    """Runs `Rule.run` when an alert begins, on threads that do not keep vmtop from ending.

    Args:
        tell: Called with a sentence about a program that failed, or was not run; on any thread.
    """

    def __init__(self, tell: Callable[[str], None] = lambda sentence: None) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._waiting: deque[Alert] = deque()
        self._threads = 0
        self._is_closed = False
        self._is_full = False

    def run(self, alert: Alert) -> None:
        """Run the program of an alert's rule, if it has one. Returns at once."""
        if not alert.rule.run:
            return
        with self._lock:
            if self._is_closed:
                return
            was_full, self._is_full = self._is_full, len(self._waiting) >= _WAITING_AT_MOST
            if not self._is_full:
                self._waiting.append(alert)
            has_thread_to_start = not self._is_full and self._threads < _AT_ONCE
            self._threads += has_thread_to_start
        if has_thread_to_start:
            threading.Thread(target=self._work, name="alert", daemon=True).start()
        elif self._is_full and not was_full:
            self._say(f"{alert.rule.name}: not run, as the programs of {_WAITING_AT_MOST} alerts wait for their turn")

    def close(self) -> None:
        """Run no more programs; one that runs is left to its end."""
        with self._lock:
            self._is_closed = True
            self._waiting.clear()

    def _work(self) -> None:
        while (alert := self._next()) is not None:
            self._run(alert)

    def _next(self) -> Alert | None:
        """Return the alert that has waited longest; `None` ends the thread."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._threads -= 1
            return None

    def _run(self, alert: Alert) -> None:
        try:
            words = filled_words(alert.rule.run, alert.workload)
            code, last_line = run_program(alert.rule.name, words, variables(alert), TIMEOUT_S)
        except Unusable as error:
            self._say(f"{alert.rule.name}: {alert.rule.run[0]} was not run: {error}")
        except SourceError as error:
            self._say(f"{alert.rule.name}: {error.reason}")
        else:
            if code:
                why = f": {last_line}" if last_line else ""
                self._say(f"{alert.rule.name}: {words[0]} {ending_words(code)}{why}")

    def _say(self, sentence: str) -> None:
        log.warning("%s", sentence)
        self._tell(sentence)


def variables(alert: Alert) -> dict[str, str]:
    """Return the environment of an alert's program: vmtop's own, the workload's values, and what the alert says."""
    workload: Workload | None = alert.workload
    base = dict(os.environ) if workload is None else environment(workload, os.environ)
    own = {
        "VMTOP_ALERT": alert.rule.name,
        "VMTOP_LEVEL": alert.rule.level.value,
        "VMTOP_SUBJECT": alert.title,
        "VMTOP_TEXT": alert.sentence,
    }
    return base | own
