"""The lxc and incus commands that do what an action does. Pure."""

from __future__ import annotations

import shlex

from collectors.engines.lxd.instances import DEFAULT_PROJECT
from collectors.model.actions import AfterTimeout, Request, Verb
from collectors.model.workloads import Workload

_PROGRAMS = {"lxd": "lxc"}
"""The commands of a daemon that differ from its name."""
_VERBS = {Verb.RESUME: "start", Verb.KILL: "stop --force"}
"""The subcommands that differ from the verb: `start` also thaws."""
_WITH_TIMEOUT = frozenset({Verb.STOP, Verb.RESTART})


def program(workload: Workload) -> str:
    """Return the name of the daemon's own command."""
    return _PROGRAMS.get(workload.id.engine, workload.id.engine)


def target(workload: Workload) -> str:
    """Return the words that name an instance, with a blank before each: its project if it is not the default one."""
    project, _, name = workload.id.id.rpartition("/")
    return ("" if project == DEFAULT_PROJECT else f" --project {shlex.quote(project)}") + f" {shlex.quote(name)}"


def commands(request: Request) -> tuple[str, ...]:
    """Return the equivalent commands; the second one follows a time-out."""
    end, name = target(request.workload), program(request.workload)
    verb = _VERBS.get(request.verb, request.verb.value)
    if request.verb not in _WITH_TIMEOUT:
        return (f"{name} {verb}{end}",)
    first = f"{name} {verb} --timeout {request.timeout_s:.0f}{end}"
    if request.after is not AfterTimeout.FORCE:
        return (first,)
    return (first, f"{name} {verb} --force{end}  # after {request.timeout_s:g} s")
