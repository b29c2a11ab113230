"""Puts vmtop onto another host: looks what is there, copies one file into the user's own folder, and tries it."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from shlex import quote
from typing import NamedTuple

from collectors.engines.child_process import ChildCommand
from collectors.fleet.bundle import FILE_NAME, UNPACKED, Bundle, Target
from collectors.fleet.conversation import WORDS
from collectors.fleet.hosts import HostSpec
from collectors.fleet.questions import SCHEMA
from collectors.fleet.ssh import client_environment, client_words, no_client, remote_command, why_ended
from collectors.model.errors import NotInTime, SourceDown, SourceError
from collectors.safety.sanitize import sanitize

FOLDER = ".local/share/vmtop"
"""Below the home over there."""
_MARK = "vmtop-probe "
_MOST = 64 << 10
_LONGEST = 400
_PROBE_S, _COPY_S, _TRY_S = 40.0, 600.0, 60.0
_PROBE = """
for p in python{python} python3; do
  command -v $p >/dev/null 2>&1 && $p -c '
import sys, sysconfig, platform
print("{mark}python", sys.argv[1], sysconfig.get_config_var("SOABI"), platform.python_version(), platform.machine())
' $p
done
v=$({command} --version 2>/dev/null) && echo "{mark}vmtop $v"
echo "{mark}machine $(uname -m)"
echo "{mark}user $(id -un)"
echo "{mark}home $HOME"
"""
_RECEIVE = """
import hashlib, os, shutil, sys
folder, name, size, wanted, unpacked = sys.argv[1:]
folder = os.path.join(os.path.expanduser("~"), folder)
os.umask(0o077)
os.makedirs(folder, exist_ok=True)
data = sys.stdin.buffer.read(int(size) + 1)
if len(data) != int(size) or hashlib.sha256(data).hexdigest() != wanted:
    sys.exit("vmtop: what arrived is not what was sent: nothing was changed")
temporary = os.path.join(folder, ".%s.%d" % (name, os.getpid()))
with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700), "wb") as file:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())
os.replace(temporary, os.path.join(folder, name))
for entry in os.listdir(folder):
    if entry.startswith(unpacked):
        shutil.rmtree(os.path.join(folder, entry), ignore_errors=True)
"""
_REMOVE = """
import os, shutil, sys
folder, name, unpacked = sys.argv[1:]
folder = os.path.join(os.path.expanduser("~"), folder)
for entry in os.listdir(folder) if os.path.isdir(folder) else ():
    path = os.path.join(folder, entry)
    if entry == name:
        os.unlink(path)
    elif entry.startswith(unpacked):
        shutil.rmtree(path)
"""


class Python(NamedTuple):
    """A Python over there."""

    command: str
    abi: str
    version: str


class Probe(NamedTuple):
    """What a host has."""

    vmtop: str
    """The version that its command prints; empty if there is none."""
    pythons: tuple[Python, ...]
    machine: str
    user: str
    home: str


def probe(host: HostSpec, target: Target) -> Probe:
    """Log in and look. Blocks.

    Args:
        host: The host.
        target: What a copy would run on.

    Raises:
        SourceError: Nobody is let in, or it does not answer.
    """
    script = _PROBE.format(python=target.python, mark=_MARK, command=host.command)
    output = _run(host, f"sh -c {quote(script)}", _PROBE_S)
    facts: dict[str, str] = {}
    pythons = []
    for line in output.decode("utf-8", "replace").splitlines():
        if not line.startswith(_MARK):
            continue
        key, _, value = line.removeprefix(_MARK).partition(" ")
        words = value.split()
        if key == "python" and len(words) >= 3:
            pythons.append(Python(*(sanitize(word) for word in words[:3])))
        else:
            facts[key] = sanitize(value.strip(), _LONGEST)
    if "home" not in facts:
        raise SourceDown(f"{host.name} did not say what it has", host.target.command)
    version = facts.get("vmtop", "").removeprefix("vmtop ")
    return Probe(version, tuple(pythons), facts.get("machine", ""), facts.get("user", ""), facts["home"])


def fitting(host: HostSpec, found: Probe, target: Target) -> Python:
    """Return the Python over there that a copy runs on.

    Raises:
        SourceError: There is none; the message says what would help.
    """
    for python in found.pythons:
        if python.abi == target.abi:
            return python
    has = " and ".join(f"Python {python.version}" for python in found.pythons) or "no Python"
    needs = f"Python {target.python} on {target.machine}"
    raise SourceError(
        f"{host.name} has {has} on {found.machine}, and a copy of this vmtop needs {needs}",
        f"install python{target.python} there, or vmtop itself, and run this again"
        if found.machine == target.machine
        else "install vmtop itself there, and run this again",
    )


def copied(host: HostSpec, python: Python) -> str:
    """Return the command that starts a copy over there."""
    return f"{python.command} ~/{FOLDER}/{FILE_NAME}"


def copy(host: HostSpec, python: Python, bundle: Bundle) -> None:
    """Copy the file, which is checked there before it takes its place. Blocks.

    Raises:
        SourceError: It did not arrive whole, or cannot be written there.
    """
    arguments = (FOLDER, FILE_NAME, str(len(bundle.data)), bundle.sha256, UNPACKED)
    with tempfile.TemporaryFile() as file:
        file.write(bundle.data)
        file.seek(0)
        _run(host, _python_words(python, _RECEIVE, arguments), _COPY_S, file.fileno())


def remove(host: HostSpec, command: str) -> None:
    """Remove a copy that `copy` made. Blocks.

    Raises:
        SourceError: It cannot be removed.
    """
    python = Python(command.split()[0], "", "")
    _run(host, _python_words(python, _REMOVE, (FOLDER, FILE_NAME, UNPACKED)), _TRY_S)


def is_copy(host: HostSpec) -> bool:
    """Return whether the command of a host starts a copy that vmtop has made."""
    return host.command.endswith(f" ~/{FOLDER}/{FILE_NAME}")


def try_out(host: HostSpec) -> None:
    """Start the vmtop over there and have it answer. Blocks.

    Raises:
        SourceError: It does not.
    """
    output = _run(host, remote_command(host, WORDS), _TRY_S)
    if SCHEMA.encode() not in output:
        raise SourceDown(f"the vmtop on {host.name} does not answer as this one does", f"vmtop host add {host.name}")


def _python_words(python: Python, script: str, arguments: Sequence[str]) -> str:
    return " ".join([python.command, "-c", *map(quote, (script, *arguments))])


def _run(host: HostSpec, command: str, timeout_s: float, stdin: int | None = None) -> bytes:
    """Run a command line over there; return what it printed.

    Raises:
        SourceError: It ended with another exit code than 0, or not in time.
    """
    words, environ = [*client_words(host), command], client_environment()
    try:
        child = ChildCommand(words, environ) if stdin is None else ChildCommand(words, environ, stdin)
    except SourceError as error:
        raise no_client(error) from error
    is_late = threading.Event()

    def end() -> None:
        is_late.set()
        child.close()

    limit = threading.Timer(timeout_s, end)
    limit.daemon = True
    limit.start()
    output, errors = b"", b""
    try:
        for is_error, data in child.output():
            if is_error:
                errors = (errors + data)[-_MOST:]
            else:
                output = (output + data)[:_MOST]
        code = child.exit_code()
    except (OSError, ValueError):  # it was closed
        code = -1
    finally:
        limit.cancel()
        child.close()
    if is_late.is_set():
        raise NotInTime(f"{host.name} has not answered for {timeout_s:.0f} s", host.target.command)
    if code != 0:
        raise why_ended(host, code, errors.decode("utf-8", "replace"))
    return output
