"""Saves a log, from its first line to its last, into a text file."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from collectors.model.errors import SourceError
from collectors.model.logs import Log, LogLine

_EVERY = 1000


def save_log(
    log: Log, path: Path, names: Sequence[str] = (), progress: Callable[[int], object] = lambda count: None
) -> int:
    """Write all lines of a log that are there now into a new file with mode 0600; return their number. Blocks.

    Each line has its time in UTC, if it has one, and the workload's name, if several logs are merged.

    Args:
        log: The log.
        path: The file; it must not exist.
        names: The names of merged workloads.
        progress: Told how many lines have been written.

    Raises:
        SourceError: The file exists or cannot be written, or the log cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            count = 0
            for line in log.written():
                file.write(_text(line, names))
                count += 1
                if count % _EVERY == 0:
                    progress(count)
            return count
    except OSError as error:
        raise SourceError(f"the log was not saved: {path}: {error.strerror}") from error


def _text(line: LogLine, names: Sequence[str]) -> str:
    at = "" if line.at is None else datetime.fromtimestamp(line.at, UTC).isoformat(" ", "milliseconds") + " "
    name = f"{names[line.workload]} " if names else ""
    return f"{at}{name}{line.text}\n"
