"""Runs a command from its making to its end, whatever happens in between."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from collectors.fleet.specs import load_source
from collectors.kernel.cgroup.hierarchy import detect
from collectors.model.workloads import Frame, Workload
from collectors.running.follower import Finder, Follower
from collectors.running.held_command import HeldCommand
from collectors.running.place import Place
from collectors.running.quantities import Measured, Usage
from collectors.running.signals import Inherited, give_back, next_signal, take_over
from collectors.safety.sanitize import sanitize
from collectors.sampling.sampler import Sampler
from collectors.sampling.source import SourceSpec

SAMPLE_S = 0.1
"""Seconds between two readings of the group, and of those that are followed."""
FOLLOW_S = 0.25
"""Seconds between two looks for new workloads, at most."""
_LAST_LOOK_S = 2.0
"""Seconds for what the command has just started to be seen."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What to run, and what to do besides."""

    words: Sequence[str]
    specs: Sequence[SourceSpec] = ()
    """The sources that are read meanwhile; none if only the command is measured."""
    interval_s: float = 1.0
    """Seconds between frames."""
    follows: bool = False
    """Whether workloads are followed."""
    find: Finder | None = None
    """Returns the workload to follow; `None` for all that are new."""
    wait_s: float = 30.0
    """Seconds for which sources are waited for before the command starts, if workloads are followed."""
    kills_rest: bool = False
    """Whether what the command leaves running is ended."""
    on_wait: Callable[[Sequence[str], float], None] | None = None
    """Takes the names of the sources that are waited for, and for how many seconds they were; none at the end."""
    on_frame: Callable[[Frame], None] | None = None
    """Takes every frame, on the sampler's thread."""


@dataclass(slots=True)
class FollowedUse:
    """What one followed workload used."""

    workload: Workload
    usage: Usage
    is_new: bool
    is_running: bool
    """Whether it still ran when the command had ended: it was measured until then."""


@dataclass(slots=True)
class RunResult:
    """How a command ended, and what it used."""

    exit_code: int
    """Its own; 128 and the number of the signal that ended it."""
    usage: Usage
    way: str
    """How the command was told from everything else."""
    is_group: bool
    """Whether that was a control group."""
    rest: int = 0
    """Processes that still ran after its end."""
    killed: bool = False
    """Whether these were ended."""
    workloads: list[FollowedUse] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What could not be done or measured, a sentence each."""


def run(plan: RunPlan) -> RunResult:
    """Run a command and wait for it. Only on the main thread, and before others are started.

    Raises:
        CommandNotStarted: It was not found, or cannot be executed.
    """
    with ExitStack() as undo:
        inherited = take_over()
        undo.callback(give_back, inherited)
        held = HeldCommand(plan.words, inherited)
        undo.callback(held.close)
        place = Place(held)
        undo.callback(place.close)
        with _following(plan) as (sampler, follower):
            if follower is not None:
                _await_sources(follower, held, inherited, plan)
                follower.begin()
            place.begin()
            held.release()
            _attend(held, place, follower, inherited)
            result = _result(plan, held, place, follower)
            if sampler is not None and sampler.failure is not None:
                failure = sanitize(f"{type(sampler.failure).__name__}: {sampler.failure}")
                result.notes.append(f"the workloads were not read to the end: sampling failed: {failure}")
        place.close()
        result.notes = [*place.notes, *result.notes]
        return result


@contextmanager
def _following(plan: RunPlan) -> Iterator[tuple[Sampler | None, Follower | None]]:
    """Run the sampler, where something is followed or recorded."""
    if not plan.specs:
        yield None, None
        return
    interval_s = min(plan.interval_s, FOLLOW_S) if plan.follows else plan.interval_s
    sampler = Sampler(plan.specs, load_source, interval_s, first_answer_s=math.inf)
    follower = Follower(plan.find, detect()) if plan.follows else None
    if follower is not None:
        sampler.on_frame(follower.take)
    if plan.on_frame is not None:
        sampler.on_frame(plan.on_frame)
    sampler.start()
    try:
        yield sampler, follower
    finally:
        sampler.stop()
        if follower is not None:
            follower.close()


def _await_sources(follower: Follower, held: HeldCommand, inherited: Inherited, plan: RunPlan) -> None:
    """Wait until all sources have answered, a signal comes, the held process was killed, or the time is up."""
    began = time.monotonic()
    on_wait = plan.on_wait or (lambda names, seconds: None)
    follower.update()
    while (names := follower.waiting_for) and (passed_s := time.monotonic() - began) < plan.wait_s:
        on_wait(names, passed_s)
        arrived = next_signal(inherited, SAMPLE_S, held.end)
        if arrived is not None and not arrived.is_for_all:
            held.send(arrived.number)  # it is blocked there until the release, and acts then
        if arrived is not None or held.end.poll(0):
            break
        follower.update()
    on_wait((), 0.0)


def _attend(held: HeldCommand, place: Place, follower: Follower | None, inherited: Inherited) -> None:
    """Pass signals on and read the group until the command ends."""
    due = time.monotonic()
    while not held.has_ended():
        arrived = next_signal(inherited, due - time.monotonic(), held.end)
        if arrived is not None and not arrived.is_for_all:
            held.send(arrived.number)
        if time.monotonic() >= due:
            place.sample()
            if follower is not None:
                follower.update()
            due = time.monotonic() + SAMPLE_S


def _result(plan: RunPlan, held: HeldCommand, place: Place, follower: Follower | None) -> RunResult:
    place.sample()
    usage = {"seconds": Measured(held.ended - held.began, "from its start to its end"), **place.usage(held.resources)}
    result = RunResult(held.status or 0, usage, place.way, place.is_group)
    if follower is not None:
        _look_last(follower)
        result.workloads = [
            FollowedUse(followed.workload, followed.usage(), followed.is_new, followed.is_running)
            for followed in follower.followed.values()
        ]
        result.notes += follower.notes()
    result.rest = len(place.rest())
    if result.rest and plan.kills_rest:
        left = place.kill_rest()
        result.killed = left == 0
        if left:
            result.notes.append(f"{left} of the processes that were left could not be ended")
    return result


def _look_last(follower: Follower) -> None:
    """Wait for two more frames, which show what the command started in its last moment, and what has ended."""
    wanted, deadline = follower.frames + 2, time.monotonic() + _LAST_LOOK_S
    follower.update()
    while follower.frames < wanted and time.monotonic() < deadline:
        time.sleep(SAMPLE_S / 2)
        follower.update()
