"""Runs this checkout's vmtop as somebody else: another user, with the groups that a test gives."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.helpers.checkout import ROOT as CHECKOUT
from tests.helpers.lab.process import find_program, in_private_mounts

NOBODY = 65534
NEEDED = (CHECKOUT, Path(sys.prefix), Path(sys.base_prefix))
"""What Python needs to run vmtop."""


class Outsider:
    """A user without any right but those of the groups.

    The checkout and Python may lie where only root can go: private mounts make the way to them open, for this user's
    processes alone.
    """

    def __init__(self, folder: Path, groups: Sequence[int] = (), user: int = NOBODY) -> None:
        """Take a folder that everybody can reach, for the user's home, and the numbers of the groups."""
        self.home = Path(tempfile.mkdtemp(prefix="home-", dir=folder))
        os.chown(self.home, user, user)
        self._mounts = _open_the_way(folder)
        self._identity = [
            *(find_program("setpriv"), f"--reuid={user}", f"--regid={user}", "--no-new-privs"),
            f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups",
        ]

    def command(self, *arguments: str) -> list[str]:
        """Return the command that runs vmtop as this user."""
        vmtop = [sys.executable, "-c", "from tui.cli.main import main; main(prog_name='vmtop')", *arguments]
        environment = [f"HOME={self.home}", f"PYTHONPATH={CHECKOUT}", "PYTHONDONTWRITEBYTECODE=1", "LANG=C.UTF-8"]
        clean = ["env", "-i", "PATH=/usr/bin:/bin", "TERM=xterm-256color", *environment]
        return in_private_mounts([*self._mounts, f"cd {self.home}"], [*self._identity, *clean, *vmtop])

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run vmtop to its end."""
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=120)

    def doctor(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """Return what the doctor says of each source."""
        return by_name(settled(lambda: self.run("doctor", "--json", *arguments))["sources"])

    def workloads(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """Return what is listed, by name."""
        return by_name(settled(lambda: self.run("list", "--all", "--json", *arguments))["workloads"])


def settled(run: Callable[[], subprocess.CompletedProcess[str]], timeout_s: float = 120) -> dict[str, Any]:
    """Run a command that prints JSON until every source has had the time to answer: the machine may be loaded."""
    deadline = time.monotonic() + timeout_s
    while True:
        done = run()
        assert done.stdout, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        if not {source["availability"] for source in document["sources"]} & {"waiting", "down"}:
            return document
        assert time.monotonic() < deadline, document["sources"]


def by_name(entries: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return sources or workloads by their names."""
    return {entry["name"]: entry for entry in entries}


def _open_the_way(folder: Path) -> list[str]:
    """Return shell commands that cover folders which only their owner may enter, and keep what is needed below them."""
    commands: list[str] = []
    covers: dict[Path, list[tuple[Path, Path]]] = {}
    for number, path in enumerate(dict.fromkeys(NEEDED)):
        closed = [parent for parent in reversed(path.parents) if not parent.stat().st_mode & 0o001]
        if closed:
            kept = folder / f"needed-{number}"
            kept.mkdir(exist_ok=True)
            commands.append(f"mount --bind {path} {kept}")
            covers.setdefault(closed[0], []).append((path, kept))
    for closed_folder, places in covers.items():
        commands.append(f"mount -t tmpfs -o mode=755 tmpfs {closed_folder}")
        for path, kept in places:
            commands += [f"mkdir -p {path}", f"mount --bind {kept} {path}"]
    return commands
