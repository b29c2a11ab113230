"""Folders that only their user, and root, can change: where vmtop keeps its state and finds its configuration.

Otherwise whoever owns a folder on the way could read or replace what is in it: with `sudo -E`, the user of the session.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def make_own_folder(folder: Path) -> None:
    """Create a folder with mode 0700, and those above it, if missing, and check it.

    Raises:
        OSError: It cannot be created.
        PermissionError: It is another user's, or others can write to it; `strerror` says which folder, and what to do.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    check_path(missing[-1].parent if missing else folder)
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
    check_path(folder)
    status = folder.lstat()
    if stat.S_ISLNK(status.st_mode) or status.st_uid != os.geteuid():
        raise _refusal(folder, "is a symbolic link" if stat.S_ISLNK(status.st_mode) else "does not belong to this user")
    if status.st_mode & 0o022:
        raise _refusal(folder, "can be written to by others: chmod go-w")


def check_path(path: Path) -> None:
    """Check a path from the root on: every folder and link that leads to it, and itself.

    Raises:
        OSError: It does not exist, or cannot be looked up.
        PermissionError: One of them is neither this user's nor root's, or anyone can replace what is in it.
    """
    whole = path.absolute()
    for lexical in dict.fromkeys((whole, Path(os.path.realpath(whole)))):
        for part in (*reversed(lexical.parents[:-1]), lexical):
            status = part.lstat()
            if status.st_uid not in (0, os.geteuid()):
                raise _refusal(part, f"belongs to another user (uid {status.st_uid})")
            is_open = status.st_mode & 0o002 and not status.st_mode & stat.S_ISVTX
            if is_open and not stat.S_ISLNK(status.st_mode):
                raise _refusal(part, "can be written to by anyone")


def _refusal(path: Path, why: str) -> PermissionError:
    return PermissionError(errno.EPERM, f"{path} {why}")
