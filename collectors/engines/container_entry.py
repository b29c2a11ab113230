"""A shell or a command in a running container of this host, as root: through its runtime, or in its namespaces.

runc keeps what it knows of containerd's containers in `/run/containerd/runc/<namespace>` (containerd's runtime v2) and
runs a command as it ran the container: with its user, rights, limits and environment. Where it cannot be found,
nsenter(1) of util-linux joins the namespaces of the container's first process: as root, with that process's PATH and
HOME. Its other variables are not taken over: they may hold secrets, and every user may read the words of a command.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import NamedTuple

from collectors.engines.child_process import ChildCommand, ChildConsole, environment
from collectors.kernel.cgroup.hierarchy import detect
from collectors.kernel.cgroup.open_files import find_directories
from collectors.kernel.cgroup.processes import first_process
from collectors.kernel.oci.bundle import read_bundle
from collectors.kernel.procfs import read_bytes
from collectors.model.errors import AccessDenied, SourceAbsent, WorkloadGone
from collectors.model.workloads import Workload
from collectors.safety.permissions import as_root

_RUNTIMES = "/run/containerd/runc"
_TERMINAL = "xterm-256color"
_LONGEST = 4096
_SHELL = ("/bin/sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi")
"""Runs bash if the image has it. A constant: it never contains a name or label."""


class Entry(NamedTuple):
    """The way into a container: words that a command is added to."""

    words: tuple[str, ...]
    on_terminal: tuple[str, ...]
    """The same for a command on a terminal."""


def open_console(workload: Workload, command: Sequence[str]) -> ChildConsole:
    """Run a shell, or a command, on a terminal in a container.

    Raises:
        SourceError: The container has ended, this user may not enter it, or the programs for it are missing.
    """
    entry = find_entry(workload)
    program = "command" if command else "shell"
    title = f"a {program} in container {workload.name}"
    return ChildConsole(title, program, [*entry.on_terminal, *(command or _SHELL)])


def run_command(workload: Workload, command: Sequence[str]) -> ChildCommand:
    """Run a command in a container without a terminal. Raises as `open_console`."""
    entry = find_entry(workload)
    return ChildCommand([*entry.words, *command])


def find_entry(workload: Workload, proc: str = "/proc", runtimes: str = _RUNTIMES) -> Entry:
    """Find the way into a container. Raises as `open_console`.

    Args:
        workload: A running container.
        proc: The path of procfs.
        runtimes: Where runc keeps its state, by containerd's namespace.
    """
    if os.geteuid() != 0:
        raise AccessDenied(f"only root may enter {workload.name}", as_root())
    if workload.cgroup is None:
        raise SourceAbsent(f"{workload.name} has no process on this host to enter")
    process = first_process(find_directories(detect(), workload.cgroup).all, proc)
    if process is None:
        raise WorkloadGone("it has ended")
    bundle = read_bundle(proc, process.pid, workload.id.id)
    own = f"{runtimes}/{bundle.namespace}" if bundle is not None and bundle.namespace else ""
    runc = shutil.which("runc", path=environment()["PATH"])
    if own and runc is not None and os.path.exists(f"{own}/{workload.id.id}/state.json"):
        words: tuple[str, ...] = (runc, "--root", own, "exec")
        return Entry((*words, workload.id.id), (*words, "--tty", workload.id.id))
    variables = _kept_variables(read_bytes(f"{proc}/{process.pid}/environ") or b"")
    words = ("nsenter", "--target", str(process.pid), "--all", "--", "env", "-i", *variables)
    return Entry(words, (*words, f"TERM={_TERMINAL}"))


def _kept_variables(environ: bytes) -> list[str]:
    pairs = environ.decode("utf-8", "replace").split("\0")
    return [pair for pair in pairs if pair.startswith(("PATH=", "HOME=")) and len(pair) <= _LONGEST]
