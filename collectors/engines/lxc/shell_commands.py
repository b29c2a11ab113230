"""The lxc-* commands that do what an action does. Pure."""

from __future__ import annotations

import shlex

from collectors.engines.lxc.containers import Container, container_of
from collectors.kernel.lxc_monitors import DEFAULT_PATH
from collectors.model.actions import AfterTimeout, Request, Verb

_COMMANDS = {
    Verb.START: "lxc-start",
    Verb.PAUSE: "lxc-freeze",
    Verb.RESUME: "lxc-unfreeze",
    Verb.KILL: "lxc-stop --kill",
}


def commands(request: Request) -> tuple[str, ...]:
    """Return the equivalent commands; one with a time-out ends the container by force after it, unless told not to."""
    end = options_of(container_of(request.workload))
    if request.verb in _COMMANDS:
        return (_COMMANDS[request.verb] + end,)
    only_asks = " --nokill" if request.after is AfterTimeout.LEAVE else ""
    stop = f"lxc-stop --timeout={request.timeout_s:.0f}{only_asks}{end}"
    return (stop, f"lxc-start{end}") if request.verb is Verb.RESTART else (stop,)


def options_of(container: Container) -> str:
    """Return the options that name a container, with a blank before each."""
    name = f" {shlex.quote(f'--name={container.name}')}"
    if container.folder == DEFAULT_PATH:
        return name
    return f"{name} {shlex.quote(f'--lxcpath={container.folder}')}"
