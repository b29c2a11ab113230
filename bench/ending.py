"""What a run makes is gone when it ends, however it ends, or else when the next one begins."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@contextlib.contextmanager
def working_folder(parent: str) -> Iterator[Path]:
    """Make a folder for a run, and remove it at its end, also if a signal ends it; remove those of dead runs first."""
    sweep_folders(Path(parent))
    with (
        ended_by_signals(),
        tempfile.TemporaryDirectory(prefix=f"vmtop-bench-{os.getpid()}-", dir=parent) as folder,
    ):
        yield Path(folder)


def sweep_folders(parent: Path) -> list[Path]:
    """Remove the folders of runs that are no more, and return them. One that a program was started with stays."""
    dead = of_dead_runs(parent, "vmtop-bench-{}-*")
    if not dead:
        return []
    commands = list(_commands())
    swept = [folder for folder in dead if not any(os.fsencode(folder) in command for command in commands)]
    for folder in swept:
        shutil.rmtree(folder, ignore_errors=True)  # what is mounted in it stays
    return swept


def of_dead_runs(parent: Path, name: str) -> list[Path]:
    """Return what runs that are no more have left in a folder.

    Args:
        parent: The folder.
        name: What they call it there, with `{}` for the process id of the run and `*` for anything.
    """
    pattern = re.compile(re.escape(name).replace(r"\{\}", "([0-9]+)").replace(r"\*", ".*"))
    named = [(path, pattern.fullmatch(path.name)) for path in parent.glob(name.format("*"))]
    return [path for path, match in named if match is not None and not Path(f"/proc/{match[1]}").exists()]


def _commands() -> Iterator[bytes]:
    """Yield the command lines of all processes."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended
            yield path.read_bytes()


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Have a signal that ends the process raise `SystemExit`, so that what was made is removed on the way out."""

    def end(number: int, frame: FrameType | None) -> None:
        for other in _ENDING:
            signal.signal(other, signal.SIG_IGN)  # a second one would end the removing
        sys.exit(128 + number)

    before = {number: signal.signal(number, end) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
