"""The lxc and incus commands that do what an action does. Pure."""

from __future__ import annotations

import shlex

from collectors.engines.lxd.instances import DEFAULT_PROJECT
from collectors.model.actions import AfterTimeout, Request, Verb

_PROGRAMS = {"lxd": "lxc"}
"""The commands of a daemon that differ from its name."""
_VERBS = {Verb.RESUME: "start", Verb.KILL: "stop --force"}
"""The subcommands that differ from the verb: `start` also thaws."""
_WITH_TIMEOUT = frozenset({Verb.STOP, Verb.RESTART})


def commands(request: Request) -> tuple[str, ...]:
    """Return the equivalent commands; the second one follows a time-out."""
    engine, identity, _ = request.workload.id
    project, _, name = identity.rpartition("/")
    end = ("" if project == DEFAULT_PROJECT else f" --project {shlex.quote(project)}") + f" {shlex.quote(name)}"
    program = _PROGRAMS.get(engine, engine)
    verb = _VERBS.get(request.verb, request.verb.value)
    if request.verb not in _WITH_TIMEOUT:
        return (f"{program} {verb}{end}",)
    first = f"{program} {verb} --timeout {request.timeout_s:.0f}{end}"
    if request.after is not AfterTimeout.FORCE:
        return (first,)
    return (first, f"{program} {verb} --force{end}  # after {request.timeout_s:g} s")
