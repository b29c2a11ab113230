"""What is read only of the processes that are looked at: command line, user, pid inside its container."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from collectors.kernel.cgroup.processes import command
from collectors.kernel.procfs import read_bytes, read_process_stat
from collectors.model.processes import Process, ProcessId, ProcessText
from collectors.safety.peers import user_name
from collectors.safety.redact import redact_words
from collectors.safety.sanitize import sanitize

_LONGEST = 400
"""Characters of a command line."""
_AGAIN_EVERY = 15
"""Passes after which a text is read again: a process may have become another user."""


class ProcessTexts:
    """Keeps the texts of processes that were looked at while they exist.

    Args:
        proc: Where procfs is mounted.
    """

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._texts: dict[ProcessId, tuple[str, int, ProcessText]] = {}
        """Process -> its short name, age in passes, and text. A program that starts another one changes its name."""

    def read(self, processes: Iterable[Process]) -> dict[ProcessId, ProcessText]:
        """Return the texts of some processes, and of those read before that are among them."""
        return {process.id: text for process in processes if (text := self._text(process)) is not None}

    def forget_others(self, processes: Iterable[Process]) -> None:
        """Forget processes that have ended, and grow older by a pass."""
        present = {process.id for process in processes}
        self._texts = {key: (name, age + 1, text) for key, (name, age, text) in self._texts.items() if key in present}

    def _text(self, process: Process) -> ProcessText | None:
        kept = self._texts.get(process.id)
        if kept is not None and kept[0] == process.name and kept[1] < _AGAIN_EVERY:
            return kept[2]
        text = read_text(self._proc, process)
        if text is not None:
            self._texts[process.id] = (process.name, 0, text)
        return text


def read_text(proc: str, process: Process, longest: int = _LONGEST) -> ProcessText | None:
    """Read the texts of a process; `None` when it has ended, also if its pid has been given to another one.

    Args:
        proc: Where procfs is mounted.
        process: The process.
        longest: Characters kept of the command line.
    """
    status = read_bytes(f"{proc}/{process.pid}/status") or b""
    words = [word.decode("utf-8", "replace") for word in command(proc, process.pid)[:longest]]
    stat = read_process_stat(proc, process.pid)
    if stat is None or stat.start_ticks != process.id.start_ticks:
        return None
    line = sanitize(" ".join(redact_words(words)), longest) if any(words) else f"[{process.name}]"
    pids = status_values(status, b"NSpid")
    uids = status_values(status, b"Uid")
    return ProcessText(line, _user(int(uids[0])) if uids else None, int(pids[-1]) if len(pids) > 1 else None)


def status_values(status: bytes, key: bytes) -> list[bytes]:
    """Return the words after a key of `/proc/<pid>/status`; none when it is not there."""
    start = status.find(b"\n" + key + b":")
    return status[start + len(key) + 2 :].partition(b"\n")[0].split() if start >= 0 else []


_user = lru_cache(maxsize=1024)(user_name)
