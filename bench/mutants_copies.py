"""Copies of the checkout, and runs of pytest in them that leave nothing behind."""

from __future__ import annotations

import compileall
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

CAUGHT, SURVIVED, UNRUN, LIMIT = "caught", "survived", "no test executes it", "ran into the limit"
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not lab")
_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis")


def make_copy(checkout: Path, copy: Path) -> Path:
    """Copy the checkout, with its byte code made: children then write none that a slip would leave stale."""
    shutil.copytree(checkout, copy, symlinks=True, ignore=_LEFT_OUT)
    compileall.compile_dir(copy, quiet=2)
    return copy


def judge(code: int | None, said: str) -> str:
    """Say what pytest's end means for a slip whose tests pass without it."""
    if code is None or "Failed: Timeout" in said or "+ Timeout +" in said:
        return LIMIT
    return SURVIVED if code == 0 else CAUGHT


class Runner:
    """Starts pytest in copies of the checkout, and ends all that was started."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._is_ended = False

    def run(self, copy: Path, arguments: list[str], limit_s: float | None, **variables: str) -> tuple[int | None, str]:
        """Return the exit code, `None` after the deadline, and all that was said."""
        environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", **variables}
        with tempfile.TemporaryFile("w+") as said:  # a pipe would be held open by what a test leaves behind
            with self._lock:
                if self._is_ended:
                    return None, ""
                process = subprocess.Popen(
                    [sys.executable, *arguments], cwd=copy, env=environment, stdin=subprocess.DEVNULL,
                    stdout=said, stderr=subprocess.STDOUT, text=True, start_new_session=True,
                )  # fmt: skip
                self._running.add(process)
            code = self._wait(process, limit_s)
            said.seek(0)
            return code, said.read()

    def _wait(self, process: subprocess.Popen[str], limit_s: float | None) -> int | None:
        try:
            return process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with self._lock:
                _kill(process)
                self._running.discard(process)

    def end(self) -> None:
        """Kill what is running and start nothing more."""
        with self._lock:
            self._is_ended = True
            for process in self._running:
                _kill(process)


def _kill(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait()


def say(words: str) -> None:
    sys.stderr.write(f"mutants: {words}\n")
