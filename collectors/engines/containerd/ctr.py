"""What ctr, containerd's own client, is called with, and what it answers. Pure."""

from __future__ import annotations

import shlex
from typing import NamedTuple

from collectors.model.actions import AfterTimeout, Request, Verb
from collectors.model.workloads import State, Workload

_STATES = {
    "RUNNING": State.RUNNING,
    "PAUSED": State.PAUSED,
    "PAUSING": State.RUNNING,
    "STOPPED": State.STOPPED,
    "CREATED": State.CREATED,
}
_TASKS = {
    Verb.STOP: ("kill", "--signal", "SIGTERM"),
    Verb.KILL: ("kill", "--signal", "SIGKILL"),
    Verb.PAUSE: ("pause",),
    Verb.RESUME: ("resume",),
}


class Task(NamedTuple):
    """A running container as `ctr task list` shows it."""

    pid: int
    state: State


def task_words(verb: Verb, container: str) -> tuple[str, ...]:
    """Return the words after ctr's own options.

    Raises:
        LookupError: ctr has no such command.
    """
    return ("task", *_TASKS[verb], container)


def parse_tasks(text: str) -> dict[str, Task]:
    """Read the table of `ctr task list`: id, pid and status. Lines of another form are left out."""
    rows = (line.split() for line in text.splitlines())
    return {
        row[0]: Task(int(row[1]), _STATES.get(row[2], State.UNKNOWN))
        for row in rows
        if len(row) == 3 and row[1].isascii() and row[1].isdigit()
    }


def commands(request: Request) -> tuple[str, ...]:
    """Return the equivalent commands, for containerd at its usual address."""
    workload, verb = request.workload, request.verb
    ctr = ("ctr", "--namespace", namespace_of(workload))
    words = [(*ctr, *task_words(verb, workload.id.id))]
    if verb is Verb.STOP and request.after is AfterTimeout.FORCE:
        words.append((*ctr, *task_words(Verb.KILL, workload.id.id)))
    texts = [shlex.join(one) for one in words]
    return (*texts[:1], *(f"{text}  # after {request.timeout_s:g} s" for text in texts[1:]))


def namespace_of(workload: Workload) -> str:
    """Return the namespace that a container's cgroup is named after: without one, ctr's own default."""
    folders = (workload.cgroup or "").strip("/").split("/")
    return folders[0] if len(folders) == 2 and folders[0] in ("default", "k8s.io", "moby", "buildkit") else "default"
