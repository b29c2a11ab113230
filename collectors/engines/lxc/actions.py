"""Actions on containers of LXC, by its own commands."""

from __future__ import annotations

import time

from collectors.engines.lxc.containers import container_of, read_config
from collectors.engines.lxc.programs import LxcFailed, run
from collectors.model.actions import ActionTimedOut, Observed, Request, Verb
from collectors.model.errors import SourceError
from collectors.model.workloads import State, Workload
from collectors.safety.sanitize import sanitize
from collectors.sampling.timeout import ANSWER_S

STATES = {
    "STOPPED": State.STOPPED,
    "STARTING": State.STARTING,
    "RUNNING": State.RUNNING,
    "STOPPING": State.STOPPING,
    "ABORTING": State.STOPPING,
    "FREEZING": State.RUNNING,
    "FROZEN": State.PAUSED,
    "THAWED": State.RUNNING,
}
"""By the state that lxc-info(1) prints."""
_SIMPLE = {Verb.START: ("lxc-start", "--daemon"), Verb.PAUSE: ("lxc-freeze",), Verb.RESUME: ("lxc-unfreeze",)}
_SLACK_S = 0.5


class LxcActions:
    """Starts, stops, restarts, freezes, thaws and kills containers."""

    restart_is_a_new_run = True

    def observe(self, workload: Workload) -> Observed:
        """Ask lxc-info for the state and the first process, which identifies the run."""
        container = container_of(workload)
        read_config(container)
        facts = parse_info(run("lxc-info", container, ("--state", "--pid"), ANSWER_S))
        state = STATES.get(facts.get("state", ""), State.UNKNOWN)
        return Observed(sanitize(container.name), state, sanitize(facts.get("pid", "")))

    def perform(self, request: Request) -> None:
        """Run the command of the verb. A restart is a stop and a start: a reboot needs an init system in it."""
        container = container_of(request.workload)
        if request.verb is Verb.KILL:
            self.force(request)
        elif request.verb in (Verb.STOP, Verb.RESTART):
            self._ask_to_end(request)
            if request.verb is Verb.RESTART:
                run("lxc-start", container, ("--daemon",), ANSWER_S)
        elif request.verb in _SIMPLE:
            program, *options = _SIMPLE[request.verb]
            run(program, container, options, ANSWER_S)
        else:
            raise SourceError("vmtop does not do this to containers of LXC")

    def force(self, request: Request) -> None:
        """Kill it; after a restart that timed out, also start it again."""
        container = container_of(request.workload)
        run("lxc-stop", container, ("--kill",), ANSWER_S)
        if request.verb is Verb.RESTART:
            run("lxc-start", container, ("--daemon",), ANSWER_S)

    def _ask_to_end(self, request: Request) -> None:
        seconds = max(1, round(request.timeout_s))
        began = time.monotonic()
        try:
            run("lxc-stop", container_of(request.workload), (f"--timeout={seconds}", "--nokill"), seconds + ANSWER_S)
        except LxcFailed:
            if time.monotonic() - began >= seconds - _SLACK_S:
                raise ActionTimedOut from None
            raise


def parse_info(text: str) -> dict[str, str]:
    """Return what lxc-info prints, by the labels in lower case."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {label.strip().lower(): value.strip() for label, colon, value in pairs if colon}
