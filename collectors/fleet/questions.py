"""What vmtop asks the vmtop of another host, and how that answers: JSON documents, one per line, over one connection.

Both ends are this program. Neither trusts the other: what arrives is bounded, checked by its type and made inert.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

import msgspec

from collectors.model.actions import Observed, Result
from collectors.model.errors import AccessDenied, NotInTime, SourceAbsent, SourceDown, SourceError, WorkloadGone
from collectors.model.limit_changes.plans import NO_USE, PlannedChange, Use
from collectors.model.limits import Amount, LimitKey
from collectors.model.logs import LONGEST, LogLine
from collectors.model.processes import Process, ProcessDetails, ProcessId, ProcessPass, ProcessText
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize
from collectors.safety.typed_json import convert

SCHEMA = "vmtop.answer/1"
LONGEST_LINE = 32 << 20
"""Bytes of a question or an answer."""
MOST_LINES = 1000
"""Lines of a log in one answer."""
Value = TypeVar("Value")


class Ask(StrEnum):
    """What can be asked."""

    OBSERVE = "observe"
    """`Observed`: a workload as its engine sees it."""
    LOOK = "look"
    """`Look`: what an action would meet."""
    DETAILS = "details"
    """`Details`."""
    DESCRIBE = "describe"
    """`Description`, with secrets masked."""
    PROCESSES = "processes"
    """`ProcessAnswer`."""
    SIGNAL_LOOK = "signal look"
    """`SignalLook`: what a signal to `subject` would meet."""
    SIGNAL = "signal"
    """`Outcome` of a signal to `subject`."""
    LIMITS = "limits"
    """`list[Limit]`, without the engine's own values."""
    LIMITS_PLAN = "limits plan"
    """`PlanAnswer`: what `changes` would mean. The plan is remembered under the number that was given."""
    LIMITS_SET = "limits set"
    """`list[ChangeOutcome]` of the plan of a number."""
    LIMITS_UNDO = "limits undo"
    """`list[ChangeOutcome]` of taking back what the plan of a number has set."""
    LOG_OPEN = "log open"
    """The title of a log, which is open from then on under the number that was given."""
    LOG_LAST = "log last"
    LOG_FIRST = "log first"
    LOG_BEFORE = "log before"
    LOG_AFTER = "log after"
    LOG_UNTIL = "log until"
    LOG_WRITTEN = "log written"
    """Lines in several answers, as for `LOG_FOLLOW`; the other reads are one answer."""
    LOG_FOLLOW = "log follow"
    LOG_INTERRUPT = "log interrupt"
    LOG_CLOSE = "log close"


class Question(msgspec.Struct, omit_defaults=True):
    """One question. Which of the arguments count depends on what is asked."""

    n: int
    """Its number, which the answers to it have."""
    ask: Ask
    workload: Workload | None = None
    """As the host itself reported it: `id.host` is empty."""
    workloads: tuple[Workload, ...] = ()
    """Active containers and machines of the host, which may depend on the workload."""
    log: int = 0
    """Number of the log, chosen by who asks."""
    line: LogLine | None = None
    count: int = 0
    wall: float = 0.0
    is_due: bool = True
    """Whether a new pass over the processes is to be made."""
    processes: tuple[Process, ...] = ()
    """Those whose texts are needed."""
    subject: Process | None = None
    """The process to read in full."""
    signal: str = ""
    """The signal's name, such as `TERM`."""
    command: str = ""
    """The command line of `subject`, as it was shown."""
    is_vm: bool = False
    """Whether that belongs to a virtual machine."""
    changes: dict[LimitKey, Amount | None] = {}
    """The amounts that are wanted; `None` for no limit."""
    use: Use = NO_USE
    """What the workload uses."""
    is_kept: bool = False
    """Whether limits are also set for the next start."""
    plan: int = 0
    """Number of the plan, chosen by who asks."""


class ProcessAnswer(NamedTuple):
    """A pass over the processes of a workload, and what was asked for besides."""

    newest: ProcessPass | None
    """`None` when no new one was due."""
    texts: tuple[tuple[ProcessId, ProcessText], ...] = ()
    details: ProcessDetails | None = None


class PlanAnswer(NamedTuple):
    """What changes of limits would mean: a `Plan` without the workload, and without the engine's own values."""

    seen: Observed | None
    changes: tuple[PlannedChange, ...]
    objection: str = ""
    remedy: str = ""
    kind: Result = Result.REFUSED


class Description(NamedTuple):
    """The engine's own description of a workload."""

    title: str
    lines: tuple[str, ...]


class Problem(msgspec.Struct, omit_defaults=True):
    """Why there is no answer."""

    kind: str
    reason: str
    remedy: str = ""


class Answer(msgspec.Struct, omit_defaults=True):
    """One answer, or a part of it."""

    n: int
    value: Any = None
    problem: Problem | None = None
    has_more: bool = False
    """Whether another part follows."""


_KINDS: tuple[tuple[str, type[SourceError]], ...] = (
    ("gone", WorkloadGone),
    ("denied", AccessDenied),
    ("absent", SourceAbsent),
    ("late", NotInTime),
    ("down", SourceDown),
    ("error", SourceError),
)
"""Names of the errors, the special ones first."""


def problem_of(error: SourceError) -> Problem:
    """Return an error as it is sent."""
    return Problem(next(name for name, kind in _KINDS if isinstance(error, kind)), error.reason, error.remedy)


def error_of(problem: Problem) -> SourceError:
    """Return the error that was sent; one of a later version's kinds is a plain one."""
    return dict(_KINDS).get(problem.kind, SourceError)(problem.reason, problem.remedy)


def inert(value: Any) -> Any:
    """Return a decoded JSON value whose texts are sanitized."""
    if isinstance(value, str):
        return sanitize(value, LONGEST)
    if isinstance(value, list):
        return [inert(item) for item in value]
    if isinstance(value, dict):
        return {inert(key): inert(item) for key, item in value.items()}
    return value


def parsed(line: bytes) -> Answer:
    """Return the answer on a line.

    Raises:
        msgspec.MsgspecError: It is none.
    """
    return convert(inert(msgspec.json.decode(line)), Answer)


def value_of(answer: Answer, kind: type[Value]) -> Value:
    """Return the value of an answer.

    Raises:
        SourceError: The host could not answer, or its answer is of another form.
    """
    if answer.problem is not None:
        raise error_of(answer.problem)
    try:
        return convert(answer.value, kind)
    except msgspec.ValidationError as error:
        raise SourceDown(f"the answer of the vmtop there is of another form: {sanitize(str(error))}") from None
