"""Actions on a container through ctr, at the address and in the namespace that its shim names."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Sequence
from typing import NamedTuple

from collectors.engines.child_process import ChildCommand
from collectors.engines.containerd.ctr import Task, parse_tasks, task_words
from collectors.kernel.cgroup.hierarchy import detect
from collectors.kernel.cgroup.open_files import find_directories
from collectors.kernel.cgroup.processes import first_process
from collectors.kernel.oci.shim import Shim, shim_of
from collectors.model.actions import ActionTimedOut, AfterTimeout, Observed, Request, Verb
from collectors.model.errors import AccessDenied, SourceAbsent, SourceDown, SourceError, WorkloadGone
from collectors.model.workloads import State, Workload
from collectors.safety.permissions import as_root
from collectors.safety.sanitize import sanitize

_POLL_S = 0.2
_LONGEST = 1 << 20


class _Answer(NamedTuple):
    code: int
    output: str
    complaint: str


class ContainerdActions:
    """Stops, pauses, resumes and kills containers."""

    restart_is_a_new_run = True

    def observe(self, workload: Workload) -> Observed:
        """List the tasks of the container's namespace."""
        task = self._task(workload, _shim(workload))
        return Observed(workload.name, task.state, str(task.pid))

    def perform(self, request: Request) -> None:
        """Signal the container, or freeze it. A stop waits until its first process has ended."""
        shim = _shim(request.workload)
        _ctr(shim, task_words(request.verb, request.workload.id.id))
        if request.verb is not Verb.STOP:
            return
        deadline = time.monotonic() + request.timeout_s
        while _runs(request.workload, shim):
            if time.monotonic() >= deadline:
                if request.after is AfterTimeout.LEAVE:
                    raise ActionTimedOut
                _ctr(shim, task_words(Verb.KILL, request.workload.id.id))
                return
            time.sleep(_POLL_S)

    def force(self, request: Request) -> None:
        """Kill it."""
        _ctr(_shim(request.workload), task_words(Verb.KILL, request.workload.id.id))

    def _task(self, workload: Workload, shim: Shim) -> Task:
        task = parse_tasks(_ctr(shim, ("task", "list")).output).get(workload.id.id)
        if task is None:
            raise WorkloadGone("containerd no longer runs it")
        return task


def _runs(workload: Workload, shim: Shim) -> bool:
    task = parse_tasks(_ctr(shim, ("task", "list")).output).get(workload.id.id)
    return task is not None and task.state not in (State.STOPPED, State.CREATED)


def _shim(workload: Workload) -> Shim:
    """Return the shim that serves a container.

    Raises:
        SourceError: This user may not act on it, it has ended, or what runs it is not a shim of root's on this host.
    """
    if os.geteuid() != 0:
        raise AccessDenied(f"only root may act on {workload.name} of containerd", as_root())
    if workload.cgroup is None:
        raise SourceAbsent(f"{workload.name} has no process on this host")
    process = first_process(find_directories(detect(), workload.cgroup).all, "/proc")
    if process is None:
        raise WorkloadGone("it has ended")
    shim = shim_of("/proc", process.pid)
    if shim is None or not _is_roots_socket(shim.address):
        raise SourceError(f"{workload.name} has no shim with a socket of root's, so containerd cannot be asked")
    return shim


def _is_roots_socket(path: str) -> bool:
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return False
    return path.startswith("/") and stat.S_ISSOCK(status.st_mode) and status.st_uid == 0


def _ctr(shim: Shim, words: Sequence[str]) -> _Answer:
    child = ChildCommand(["ctr", "--address", shim.address, "--namespace", shim.namespace, *words])
    parts: dict[bool, list[bytes]] = {False: [], True: []}
    try:
        for is_error, block in child.output():
            if sum(map(len, parts[is_error])) < _LONGEST:
                parts[is_error].append(block)
        answer = _Answer(child.exit_code(), *(b"".join(parts[key]).decode("utf-8", "replace") for key in (False, True)))
    finally:
        child.close()
    if answer.code == 0:
        return answer
    complaint = sanitize(answer.complaint.strip().removeprefix("ctr: "), 300)
    if "not found" in complaint:
        raise WorkloadGone("containerd no longer runs it")
    if "connection refused" in complaint or "deadline" in complaint:
        raise SourceDown(f"containerd does not answer: {complaint}")
    raise SourceError(f"containerd refused: {complaint}")
