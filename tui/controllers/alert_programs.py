"""The programs that alerts run: beside everything else, a few at a time, each for a minute at most."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

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
    """Runs `Rule.run` when an alert begins.

    Args:
        tell: Called with a sentence about a program that failed, or was not run; on any thread.
    """

    def __init__(self, tell: Callable[[str], None] = lambda sentence: None) -> None:
        self._tell = tell
        self._pool = ThreadPoolExecutor(_AT_ONCE, "alert")
        self._lock = Lock()
        self._waiting = 0
        self._skipped = 0

    def run(self, alert: Alert) -> None:
        """Run the program of an alert's rule, if it has one. Returns at once."""
        if not alert.rule.run:
            return
        with self._lock:
            if self._waiting >= _WAITING_AT_MOST:
                self._skipped += 1
            else:
                self._waiting, self._skipped = self._waiting + 1, 0
            skipped = self._skipped
        if not skipped:
            self._pool.submit(self._run, alert)
        elif skipped == 1:
            self._say(f"{alert.rule.name}: no program is run for more than {_WAITING_AT_MOST} alerts at once")

    def close(self) -> None:
        """Run no more programs; one that runs is left to its end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

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
        finally:
            with self._lock:
                self._waiting -= 1

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
        "VMTOP_SUBJECT": alert.name,
        "VMTOP_TEXT": alert.sentence,
    }
    return base | own
