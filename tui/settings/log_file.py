"""The log: what the screen does not show. Tracebacks, lost connections, what libraries print to standard error.

The file is readable by its owner alone and bounded in size (`collectors.safety.private_file`). Control characters
are removed and secrets masked, so that it can be read on a terminal and shown to others.

Imports no library: every command starts with it, and help has to be quick.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tui.settings.paths import state_folder

log = logging.getLogger(__name__)

NO_MEMORY = "there is not enough memory for this; 'ulimit -v' shows a limit"
"""What the user reads in place of a MemoryError."""
_LONGEST_LINE = 2000
_CHUNK = 65536


class LogFile(logging.Handler):
    """Writes records to the log file. A file that cannot be written is reported in `problem` and stops nothing."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s %(message)s"))
        self.chosen_path: Path | None = None
        """From the command line."""
        self.problem = ""

    @property
    def path(self) -> Path:
        """The path of the log."""
        return self.chosen_path or state_folder() / "vmtop.log"

    @property
    def reference(self) -> str:
        """Where the user finds more, or why the log cannot be written; appended to a sentence."""
        return f"; {self.problem}" if self.problem else f"; {self.path} has more"

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        from collectors.safety import private_file

        lines = [_fit_to_show(line) for line in self.format(record).splitlines()]
        try:
            text = "".join(f"{line}\n" for line in lines)
            private_file.append(self.path, text.encode("utf-8", "replace"), makes_folder=self.chosen_path is None)
        except OSError as error:
            self.problem = f"the log {self.path} cannot be written: {error.strerror}"


FILE = LogFile()
"""The log of this process."""


def _fit_to_show(line: str) -> str:
    from collectors.safety.redact import redact_line
    from collectors.safety.sanitize import sanitize

    return redact_line(sanitize(line.expandtabs(), _LONGEST_LINE))


@contextmanager
def taking() -> Iterator[None]:
    """Log all errors, and what threads and callbacks raise.

    A command that prints and ends logs nothing else; `keep_all` is for commands that keep running.
    """
    root = logging.getLogger()
    previous = threading.excepthook, sys.unraisablehook, root.level
    FILE.chosen_path, FILE.problem = None, ""
    FILE.setLevel(logging.ERROR)
    root.addHandler(FILE)
    root.setLevel(logging.INFO)
    threading.excepthook, sys.unraisablehook = _thread_failed, _callback_failed
    try:
        yield
    finally:
        root.removeHandler(FILE)
        threading.excepthook, sys.unraisablehook = previous[:2]
        root.setLevel(previous[2])


def keep_all(chosen_path: Path | None = None) -> None:
    """Log warnings and information too: for a screen, a recording, and `--log`."""
    FILE.chosen_path = chosen_path or FILE.chosen_path
    FILE.setLevel(logging.INFO)


@contextmanager
def stderr_in_log() -> Iterator[int]:
    """While the screen is up, send what libraries write to descriptor 2 to the log; yield the terminal's descriptor.

    The terminal is standard error or, where that was redirected, standard output.
    """
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)  # a flood is cut: no library may wait for the log
    original = os.dup(2)
    terminal = original if os.isatty(original) else os.dup(1)
    os.dup2(write_end, 2)
    os.close(write_end)
    reader = threading.Thread(target=_drain, args=(read_end,), name="stderr", daemon=True)
    reader.start()
    try:
        yield terminal
    finally:
        os.dup2(original, 2)
        reader.join(1.0)  # it ends when no one else holds the pipe; a child of a library may


def _drain(read_end: int) -> None:
    while chunk := os.read(read_end, _CHUNK):
        log.warning("on standard error: %s", chunk.decode("utf-8", "replace").rstrip())
    os.close(read_end)


def _thread_failed(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None:
        name = arguments.thread.name if arguments.thread else "that is gone"
        log.error("the thread %s failed", name, exc_info=arguments.exc_value)


def _callback_failed(arguments: Any) -> None:
    log.error("%s: %r", arguments.err_msg or "in a callback", arguments.object, exc_info=arguments.exc_value)
