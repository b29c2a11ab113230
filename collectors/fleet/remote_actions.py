"""Actions on another host: `ssh HOST vmtop stop ID`, under the rules, the protection and the action log there."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from collectors.engines.child_process import ChildStream
from collectors.fleet.conversation import Conversation
from collectors.fleet.hosts import HostSpec
from collectors.fleet.questions import Ask
from collectors.fleet.ssh import SSH_FAILED, client_environment, no_client, ssh_words, why_ended
from collectors.model.actions import Look, Observed, Outcome, Request, Result
from collectors.model.errors import AccessDenied, SourceAbsent, SourceDown, SourceError
from collectors.model.workloads import Kind, Workload
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import text

SCHEMA = "vmtop.action/1"
"""Of the lines that `vmtop stop --json` prints."""
PHASES = ("asked", "forcing", "outcome unknown")
_MOST = 256 << 10
"""Bytes of output that are read; an action has a few lines."""
_GRACE_S = 90.0
"""Seconds for the login, the look-up and the engines there, in addition to the action's own time-out."""
_LONGEST = 1000
_NOT_BEGUN: Mapping[int, tuple[Result, str]] = {
    1: (Result.FAILED, "{ssh} {command} doctor"),
    2: (Result.FAILED, "vmtop host add {host}"),
    3: (Result.GONE, ""),
    4: (Result.DENIED, ""),
    5: (Result.REFUSED, ""),
    8: (Result.FAILED, "{ssh} {command} doctor"),
}
"""Exit codes, as `tui.cli.exit_codes` has them, of a vmtop that ended before it asked an engine: it says so first. With
the result and the remedy."""


class RemoteActions:
    """Acts on the workloads of a host.

    Args:
        host: The host.
        conversation: Questions to it.
    """

    restart_is_a_new_run = True
    """Of a machine that keeps its run when it reboots, only the host itself can tell whether it did."""

    def __init__(self, host: HostSpec, conversation: Conversation) -> None:
        self._host = host
        self._conversation = conversation

    def observe(self, workload: Workload) -> Observed:
        return self._conversation.ask(Observed, Ask.OBSERVE, workload=at_home(workload))

    def look(self, workload: Workload, workloads: Iterable[Workload]) -> Look:
        """Ask what an action would meet; see `ActsElsewhere.look`."""
        near = neighbours(workload, workloads)
        return self._conversation.ask(Look, Ask.LOOK, workload=at_home(workload), workloads=near)

    def perform(self, request: Request) -> None:
        """Refuse: only the host itself does it, in `carry_out`."""
        raise SourceAbsent(f"{self._host.name} carries out its actions itself")

    def force(self, request: Request) -> None:
        """Refuse, as `perform`."""
        self.perform(request)

    def carry_out(self, request: Request, words: Sequence[str], changed: Callable[[str], None]) -> Outcome:
        """Do it; see `ActsElsewhere.carry_out`."""
        try:
            child = ChildStream(ssh_words(self._host, words), client_environment())
        except SourceError as error:
            known = no_client(error)
            raise SourceError(known.reason, known.remedy) from error  # nothing was done
        limit = threading.Timer(request.timeout_s + _GRACE_S, child.terminate)
        limit.daemon = True
        limit.start()
        reply = _Reply(changed)
        try:
            reply.read(child.output())
            code = child.exit_code()
        finally:
            limit.cancel()
            child.close()
        if reply.outcome is not None:
            return _named(self._host, reply.outcome)
        refusal = self._refusal(request, reply, code)
        if refusal is not None:
            return refusal
        raise SourceDown(self._why_broken(reply, code), self._host.target.command)

    def _refusal(self, request: Request, reply: _Reply, code: int) -> Outcome | None:
        """Return the outcome where it is certain that nothing was done; `None` where it is not.

        Raises:
            SourceError: The host was not reached.
        """
        if reply.has_begun:
            return None
        if code in _NOT_BEGUN:
            result, remedy = _NOT_BEGUN[code]
            command = self._host.target.command
            remedy = remedy.format(host=self._host.name, ssh=command, command=self._host.command)
            said = reply.last_error or f"the vmtop there ended with exit code {code}"
            words = f"not done: {said}"
            if result is Result.GONE and "no such workload" in said:
                words = "is gone: nothing was done"
            elif result is Result.GONE:  # the name could be several
                result = Result.FAILED
            return _named(self._host, Outcome(result, f"{request.workload.name} {words}", remedy))
        if code == SSH_FAILED:
            error = self._host.target.recognize(reply.errors)
            if error is not None:  # the login failed
                raise (
                    AccessDenied(error.reason, error.remedy)
                    if isinstance(error, AccessDenied)
                    else SourceError(error.reason, error.remedy)
                )
            return None
        if code in (126, 127):
            error = why_ended(self._host, code, reply.errors)
            raise SourceError(error.reason, error.remedy)
        return None

    def _why_broken(self, reply: _Reply, code: int) -> str:
        last = reply.last_error
        if code == SSH_FAILED:
            return f"the connection to {self._host.name} broke: {last or 'ssh ended'}"
        return f"the vmtop on {self._host.name} ended with exit code {code}" + (f": {last}" if last else "")


class _Reply:
    """What the vmtop there said so far."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        self._changed = changed
        self._rest = b""
        self._read = 0
        self.errors = ""
        self.has_begun = False
        self.outcome: Outcome | None = None

    @property
    def last_error(self) -> str:
        """The last line that was printed as an error, inert."""
        lines = [line.strip() for line in self.errors.splitlines() if line.strip()]
        return sanitize(lines[-1].removeprefix("vmtop: "), _LONGEST) if lines else ""

    def read(self, output: Iterator[tuple[bool, bytes]]) -> None:
        """Read to the end; what is too much is passed over."""
        for is_error, data in output:
            if is_error:
                self.errors = (self.errors + data.decode("utf-8", "replace"))[-4 * _LONGEST :]
                continue
            self._read += len(data)
            if self._read > _MOST:
                continue
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._take(line)

    def _take(self, line: bytes) -> None:
        """Take a line; what is none of vmtop's, such as a banner, is passed over."""
        try:
            document: Any = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            return
        phase, result = text(document.get("phase")), text(document.get("result"))
        if phase in PHASES:
            self.has_begun = True
            self._changed(phase)
        if result in tuple(Result):
            sentence, remedy = (sanitize(text(document.get(key)), _LONGEST) for key in ("sentence", "remedy"))
            self.outcome = Outcome(Result(result), sentence, remedy)


def at_home(workload: Workload) -> Workload:
    """Return a workload as its own host knows it."""
    parent = workload.parent
    return replace(workload, id=workload.id._replace(host=""), parent=parent and parent._replace(host=""))


def neighbours(workload: Workload, workloads: Iterable[Workload]) -> tuple[Workload, ...]:
    """Return what its own host is told of the workloads that may run inside a workload, or depend on it."""
    return tuple(_outlined(one) for one in workloads if one.id.host == workload.id.host and _is_inner(one))


def _named(host: HostSpec, outcome: Outcome) -> Outcome:
    """Return an outcome that says on which host it was."""
    return outcome._replace(sentence=f"{host.name}: {outcome.sentence}")


def _is_inner(workload: Workload) -> bool:
    """Return whether a workload may run inside another one, or depend on its network."""
    return workload.kind in (Kind.CONTAINER, Kind.VM) and workload.state.is_active


def _outlined(workload: Workload) -> Workload:
    """Return what counts of a workload as a neighbour."""
    home = at_home(workload)
    return Workload(
        home.id,
        home.kind,
        home.name,
        home.state,
        cgroup=home.cgroup,
        parent=home.parent,
        endpoint=home.endpoint,
        unmeasured=home.unmeasured,
    )
