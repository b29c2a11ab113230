"""Runs the lxc-* commands: without a shell, as the user whose container it is.

Root may act for any user: what a user's configuration has LXC do, such as hooks, then runs with that user's rights and
not with root's. Decision 0035 says why LXC is one of the few places where vmtop starts a process.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess  # noqa: TID251  # see docs/decisions/0035-lxc-and-nspawn.md
from collections.abc import Sequence

from collectors.engines.lxc.containers import Container, owner_of
from collectors.model.errors import AccessDenied, NotInTime, SourceAbsent, SourceError
from collectors.safety.peers import user_name
from collectors.safety.permissions import as_root
from collectors.safety.sanitize import sanitize

_FOLDERS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LONGEST = 300


class LxcFailed(SourceError):
    """A command ran and failed."""


def run(program: str, container: Container, options: Sequence[str], timeout_s: float) -> str:
    """Run a command about a container to its end, and return what it printed.

    Args:
        program: Such as `lxc-start`.
        container: The container.
        options: More options.
        timeout_s: Seconds after which it is killed.

    Raises:
        LxcFailed: It failed; with the first line that it printed.
        NotInTime: It did not end.
        SourceError: It cannot be run by this user, or is not installed.
    """
    words = words_for(program, container)
    try:
        done = subprocess.run(  # noqa: S603  # a list of words; name and folder are values of options
            [*words, *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            cwd="/",
            env=environment(owner_of(container)),
        )
    except subprocess.TimeoutExpired:
        raise NotInTime(f"{program} did not end within {timeout_s:.0f} s, and was killed") from None
    except OSError as error:
        raise SourceError(f"{program} cannot be run: {error.strerror or error}") from error
    if done.returncode:
        printed = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        reason = sanitize(printed.partition("\n")[0], _LONGEST) or f"exit code {done.returncode}"
        raise LxcFailed(f"{program} failed: {reason}")
    return done.stdout.decode("utf-8", "replace")


def words_for(program: str, container: Container) -> list[str]:
    """Return the words of a command about a container, as the user whose container it is.

    Raises:
        AccessDenied: Another user's container, and this user is not root.
        SourceAbsent: LXC's programs are not installed.
    """
    owner = owner_of(container)
    path = shutil.which(program, path=_FOLDERS)
    if path is None:
        raise SourceAbsent(f"{program} is not installed on this host")
    words = [path, f"--name={container.name}", f"--lxcpath={container.folder}"]
    if owner == os.geteuid():
        return words
    if os.geteuid() != 0:
        raise AccessDenied(f"the container belongs to the user {user_name(owner)}", as_root())
    as_owner = ["setpriv", f"--reuid={owner}", f"--regid={_entry(owner).pw_gid}", "--init-groups", "--"]
    return [*as_owner, *words]


def environment(owner: int) -> dict[str, str]:
    """Return the environment for a command of a user's; nothing of vmtop's own is passed on."""
    entry = _entry(owner)
    variables = {"PATH": _FOLDERS, "HOME": entry.pw_dir, "USER": entry.pw_name, "LANG": "C.UTF-8"}
    runtime = f"/run/user/{owner}"
    return {**variables, "XDG_RUNTIME_DIR": runtime} if os.path.isdir(runtime) else variables


def _entry(user: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(user)
    except KeyError:
        raise SourceError(f"user {user} has no entry in the list of users") from None
