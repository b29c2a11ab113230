"""The words that start the OpenSSH client for another host, and what its end means.

The client reads `~/.ssh/config`: aliases, users, keys, agents and jump hosts are those of `ssh HOST` (see
docs/decisions/0040-hosts-over-ssh.md).
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from collectors.fleet.hosts import HostSpec
from collectors.model.errors import AccessDenied, SourceAbsent, SourceDown, SourceError
from collectors.safety.sanitize import sanitize

SSH_FAILED = 255
"""The exit code of the client itself: the command there may or may not have been run."""
CONNECT_S = 8
"""Seconds for the connection and the first handshake."""
_SECURE = ("ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes", "PermitLocalCommand=no")
_PLAIN = ("BatchMode=yes", "RemoteCommand=none", "EscapeChar=none")
_TIMELY = (f"ConnectTimeout={CONNECT_S}", "ServerAliveInterval=5", "ServerAliveCountMax=2")
_SHARED = ("ControlMaster=auto", "ControlPersist=60")
_LONGEST_SOCKET = 100
"""Bytes of the path of a socket, with what the client adds while it makes one; the kernel takes 107."""
_HASH = 40 + 17
"""Bytes of `%C`, and of what the client adds."""
_NOT_EXECUTABLE, _NOT_FOUND, _USAGE, _KILLED = 126, 127, 2, 128
_NOISE = (
    "authenticated to ",
    "transferred: ",
    "bytes per second: ",
    "shared connection to ",
    "warning: permanently ",
    "controlsocket ",
)


def ssh_words(
    host: HostSpec, words: Sequence[str], has_terminal: bool = False, environ: Mapping[str, str] = os.environ
) -> list[str]:
    """Return the words that run `vmtop WORDS...` on another host, and ask for nothing.

    Args:
        host: The host.
        words: Arguments of the vmtop there; quoted for the shell there.
        has_terminal: Whether the command there gets a terminal.
        environ: Where the folder for the sockets of shared connections is named.
    """
    return [*client_words(host, has_terminal, environ), remote_command(host, words)]


def client_words(host: HostSpec, has_terminal: bool = False, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the words that log in, without a command to run there; a command for the shell there may follow."""
    shared = _SHARED if (path := control_path(environ)) else ("ControlMaster=no",)
    level = "ERROR" if has_terminal else "VERBOSE"
    options = [*_SECURE, *_PLAIN, *_TIMELY, *shared, f"ControlPath={path or 'none'}", f"LogLevel={level}"]
    return ["ssh", "-tt" if has_terminal else "-T", *(word for option in options for word in ("-o", option)),
            *host.target.arguments]  # fmt: skip


def remote_command(host: HostSpec, words: Sequence[str]) -> str:
    """Return the command line of `vmtop WORDS...` for the shell on another host."""
    return " ".join([host.command, *map(shlex.quote, words)])


def client_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment of a client whose messages are read: in English, and without a way to ask."""
    return {**{key: value for key, value in environ.items() if key != "SSH_ASKPASS"}, "LC_ALL": "C"}


def control_path(environ: Mapping[str, str] = os.environ) -> str:
    """Return where the sockets of shared connections are, a pattern; empty if there is no folder of this user alone."""
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    for folder in filter(None, (runtime, os.path.expanduser("~/.ssh"))):
        if folder.startswith("/") and _is_own(Path(folder)) and len(folder) + _HASH + len("/vmtop-") <= _LONGEST_SOCKET:
            return f"{folder.replace('%', '%%')}/vmtop-%C"
    return ""


def _is_own(folder: Path) -> bool:
    try:
        status = folder.stat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022


def why_ended(host: HostSpec, code: int | None, messages: str) -> SourceError:
    """Return the error for a client that has ended.

    Args:
        host: The host.
        code: Its exit code, or that of the command there; `None` if it was ended from here.
        messages: What both printed as errors.
    """
    lines = [line.strip() for line in messages.splitlines() if line.strip()]
    said = [line for line in lines if not line.lower().startswith(_NOISE)]
    last = sanitize(said[-1]) if said else ""
    if code == SSH_FAILED and (known := host.target.recognize(messages)):
        return known
    if code == SSH_FAILED:
        return SourceDown(f"ssh to {host.name}: {last or 'the connection ended'}", host.target.command)
    if code == _NOT_FOUND or (code == _NOT_EXECUTABLE and "permission" not in messages.lower()):
        return SourceDown(f"{host.name} has no {sanitize(_program(host))}", f"vmtop host add {host.name}")
    if refused := _refused_by_sudo(host, said):
        return refused
    if code == _USAGE and "no such option" in messages.lower():
        return SourceDown(f"the vmtop on {host.name} is too old for this one", f"vmtop host add {host.name}")
    if code is None:
        return SourceDown(f"{host.name} did not answer", host.target.command)
    reason = f"vmtop on {host.name}: {last.removeprefix('vmtop: ')}"
    if not last:
        how = f"was ended by signal {code - _KILLED}" if code > _KILLED else f"ended with exit code {code}"
        reason = f"the vmtop on {host.name}, or the ssh to it, {how}"
    return SourceDown(reason, f"{host.target.command} {host.command} doctor")


def _refused_by_sudo(host: HostSpec, said: Sequence[str]) -> SourceError | None:
    """Return the error for a sudo that has run nothing; `None` where it has, or is not used."""
    words = " ".join(line for line in said if line.startswith("sudo: "))
    if "is required" in words:
        return AccessDenied(
            f"sudo on {host.name} asks for a password",
            f"{host.target.command}, then sudo visudo -f /etc/sudoers.d/vmtop, with NOPASSWD: and the path of vmtop",
        )
    if "command not found" in words:
        remedy = f"vmtop host add {host.name} --command 'sudo -n /PATH/vmtop', with the path that it has there"
        return SourceDown(f"sudo on {host.name} does not find the program", remedy)
    return None


def _program(host: HostSpec) -> str:
    try:
        return shlex.split(host.command)[0]
    except (ValueError, IndexError):
        return host.command


def no_client(error: SourceError) -> SourceError:
    """Return the error for a host without the client."""
    return (
        SourceDown("there is no ssh on this host", "apt install openssh-client")
        if isinstance(error, SourceAbsent)
        else error
    )
