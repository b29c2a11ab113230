"""A freshly installed Debian below a folder, in which what `make dist` built is installed and used.

debootstrap makes each release once, into build/roots; a test works on a layer of its own above it (overlayfs), so that
all that it leaves can be listed afterwards.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.helpers.checkout import ROOT
from tests.helpers.lab.process import find_program, in_private_mounts

RELEASES = ("bookworm", "trixie")
"""Debian 12 and 13."""
_ROOTS = ROOT / "build" / "roots"
_ENVIRONMENT = (
    *("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"),
    *("TERM=xterm-256color", "DEBIAN_FRONTEND=noninteractive"),
)


def made_root(release: str) -> Path:
    """Return the folder of a minimal installation, which is made if it is not there (a minute, and a mirror)."""
    folder = _ROOTS / release
    if not folder.exists():
        unfinished = _ROOTS / f".{release}"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        words = [
            find_program("debootstrap"),
            "--variant=minbase",
            "--include=ca-certificates",
            release,
            str(unfinished),
        ]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, timeout=900)
        unfinished.rename(folder)
    return folder


class FreshRoot:
    """One installation of a test's own. It sees the processes and cgroups of this host, and none of its sockets.

    Args:
        release: One of `RELEASES`.
        folder: An empty one on a real disk, where its layer is.
    """

    def __init__(self, release: str, folder: Path) -> None:
        self._base = made_root(release)
        self._merged, self.layer, self._work = (folder / name for name in ("root", "layer", "work"))
        for path in (self._merged, self.layer, self._work):
            path.mkdir()

    def command(self, *words: str) -> list[str]:
        """Return the command that runs a program in it as root, with a clean environment."""
        merged = self._merged
        layers = f"lowerdir={self._base},upperdir={self.layer},workdir={self._work}"
        shared = [f"mount --rbind /{name} {merged}/{name}" for name in ("proc", "sys", "dev")]
        mounts = [f"mount -t overlay overlay -o {layers} {merged}", *shared]
        return in_private_mounts(mounts, [find_program("chroot"), str(merged), "env", "-i", *_ENVIRONMENT, *words])

    def run(self, *words: str, codes: Sequence[int] = (0,)) -> str:
        """Run a program to its end, and return what it printed on standard output.

        Args:
            words: The program and its arguments.
            codes: The exit codes that are right.
        """
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=600)
        assert done.returncode in codes, f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def put(self, source: Path, place: str) -> None:
        """Copy a file of this host to a path in it."""
        target = self.layer / place.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)

    def changed(self) -> set[str]:
        """Return the files that there are now and were not at the beginning, or are others now."""
        found = set()
        for folder, _, names in os.walk(self.layer):
            for path in (Path(folder, name) for name in names):
                if not _is_whiteout(path):
                    found.add(f"/{path.relative_to(self.layer)}")
        return found


def _is_whiteout(path: Path) -> bool:
    """Return whether overlayfs notes by this file that one of the layer below was removed (kernel's overlayfs.rst)."""
    status = path.lstat()
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0
