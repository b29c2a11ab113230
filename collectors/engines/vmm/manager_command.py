"""Runs a manager's command: without a shell, as the owner of the machine, with an environment of vmtop's making.

It gets a session of its own: a program of another user must not reach the terminal of root, into which it could type
(TIOCSTI, ioctl_tty(2)). What it prints goes to memory and not through a pipe: a machine that it starts keeps its output
open, and the end of a pipe would never come. Decision 0032 says why vmtop starts a process here.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess  # noqa: TID251  # decision 0032
from collections.abc import Sequence
from typing import IO

from collectors.engines.vmm.manager import FOLDERS, Manager
from collectors.model.errors import AccessDenied, NotInTime, SourceAbsent, SourceError
from collectors.safety.sanitize import sanitize

_LONGEST = 1 << 20


def run(manager: Manager, arguments: Sequence[str], owner: int, timeout_s: float, remedy: str) -> str:
    """Run a manager's command to its end; return what it printed, at most 1 MiB.

    Args:
        manager: The manager.
        arguments: Those of the command.
        owner: The user id of the machine's owner.
        timeout_s: Seconds after which it is killed.
        remedy: The command for whoever may run it.

    Raises:
        AccessDenied: Another user has to run it.
        NotInTime: It did not end.
        SourceError: It is not installed, or it failed; with what it printed.
    """
    user = 0 if manager.is_roots else owner
    if os.geteuid() not in (0, user):
        raise AccessDenied(f"{user_name(user)} runs it, and you are {user_name(os.geteuid())}", remedy)
    program = shutil.which(manager.program, path=os.pathsep.join(FOLDERS))
    if program is None:
        raise SourceAbsent(f"{manager.program} is not installed on this host", remedy)
    entry, is_own = _entry(user), os.geteuid() == user
    with _memory_file("output") as output, _memory_file("errors") as errors:
        try:
            code = subprocess.run(  # noqa: S603  # a list of words, of which the program is a constant
                [program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                timeout=timeout_s,
                check=False,
                cwd="/",
                env=_environment(entry),
                start_new_session=True,
                user=None if is_own else user,
                group=None if is_own else entry.pw_gid,
                extra_groups=None if is_own else os.getgrouplist(entry.pw_name, entry.pw_gid),
            ).returncode
        except subprocess.TimeoutExpired:
            raise NotInTime(f"{manager.program} did not end within {timeout_s:.0f} s, and was killed") from None
        except OSError as error:
            raise SourceError(f"{manager.program} cannot be run: {error.strerror or error}", remedy) from error
        printed, complaints = _beginning(output), _beginning(errors)
    if code:
        raise SourceError(f"{manager.program} refused: {_reason(complaints or printed, code)}", remedy)
    return printed


def user_name(uid: int) -> str:
    """Return the name of a user; the number of one without an entry."""
    try:
        return sanitize(pwd.getpwuid(uid).pw_name)
    except KeyError:
        return f"user {uid}"


def _entry(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise SourceError(f"user {uid} has no entry in the list of users") from None


def _environment(entry: pwd.struct_passwd) -> dict[str, str]:
    environment = {
        "PATH": os.pathsep.join(FOLDERS),
        "HOME": entry.pw_dir,
        "USER": entry.pw_name,
        "LOGNAME": entry.pw_name,
        "LANG": "C.UTF-8",
    }
    if os.path.isdir(runtime := f"/run/user/{entry.pw_uid}"):
        environment["XDG_RUNTIME_DIR"] = runtime
    return environment


def _memory_file(name: str) -> IO[bytes]:
    return open(os.memfd_create(name, os.MFD_CLOEXEC), "w+b")


def _beginning(file: IO[bytes]) -> str:
    """Return what was printed, at most `_LONGEST` bytes of it."""
    return os.pread(file.fileno(), _LONGEST, 0).decode("utf-8", "replace")


def _reason(printed: str, code: int) -> str:
    lines = [line for line in printed.splitlines() if line.strip()]
    return sanitize(lines[0].strip(), 300) if lines else f"exit code {code}"
