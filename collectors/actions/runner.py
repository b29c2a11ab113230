"""Runs confirmed actions in parallel, each on the identity that was confirmed, and reports how each one ended.

Before an action the workload is observed again: if it is gone, renamed, restarted or already in the wanted state,
nothing is done. An action counts as done only when the engine reports its effect. If the engine is lost in the middle,
the outcome is unknown until an observation settles it.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from collectors.actions.checks import (
    STARTING,
    has_ended_again,
    has_finished,
    has_paused_again,
    has_taken_effect,
    objection,
    started_twice,
)
from collectors.actions.confirmation import CAN_WAIT, equivalent, words_elsewhere
from collectors.actions.log import ActionLog, Entry
from collectors.actions.outcome_words import done_words, left_words
from collectors.actions.verbs import VERBS
from collectors.model.actions import (
    ActionTimedOut,
    ActsElsewhere,
    AfterTimeout,
    EngineActions,
    Look,
    Note,
    Observed,
    Outcome,
    Request,
    Result,
)
from collectors.model.errors import AccessDenied, SourceAbsent, SourceDown, SourceError, WorkloadGone
from collectors.model.workloads import Event, State, Workload, WorkloadId
from collectors.sampling.timeout import ANSWER_S, call_with_timeout

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Actions that run in parallel; more wait for their turn."""
LOOK_S = 5.0
"""Time-out for the observation that a confirmation shows, in seconds."""
_EFFECT_S = 5.0
"""Seconds in which the effect has to show once the engine has answered, if the action's own time-out is shorter."""
_SETTLE_S = 60.0
"""An outcome that is still unknown after this many seconds stays unknown."""
_GRACE_S = 15.0
"""Seconds for the engine's answer, in addition to the time-out of the action."""
_POLL_S, _POLL_MOST_S = 0.2, 2.0
"""Seconds between observations, at first and at most: it grows, because each one opens a connection."""
_STAY_S, _STAY_MOST_S = 1.0, 5.0
"""Seconds, at least and at most, before a started workload is observed again: one that ends at once may be seen running
first. In between it is twice as long as the start took, so that a slow host has more time."""
_POLL_LOST_S = 1.0


@dataclass(eq=False, slots=True)
class Action:
    """One submitted request. Any thread may read it; only the runner writes it."""

    request: Request
    who: str
    began_wall: float = field(default_factory=time.time)
    began: float = field(default_factory=time.monotonic)
    phase: str = ""
    """`asked`, `forcing` or `outcome unknown`; empty before and after."""
    outcome: Outcome | None = None

    @property
    def id(self) -> WorkloadId:
        return self.request.workload.id

    @property
    def name(self) -> str:
        return self.request.workload.name

    def seconds(self) -> float:
        """Return its duration in seconds, so far or in total."""
        return self.outcome.seconds if self.outcome else time.monotonic() - self.began


class Runner:
    """Takes requests and runs them on threads.

    Args:
        engine_for: Finds the engine of a workload; raises `SourceError` if there is none.
        action_log: Records every action.
        who: The user's name, for the log.
        tell: Called with an event when an action starts and ends, on the action's thread.
    """

    def __init__(
        self,
        engine_for: Callable[[Workload], EngineActions],
        action_log: ActionLog,
        who: str,
        tell: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self.is_locked = False
        self.log = action_log
        self.actions: list[Action] = []
        """Everything submitted in this run, oldest first."""
        self._engine_for = engine_for
        self.who = who
        self.tell = tell
        self._listeners: list[Callable[[Action], None]] = []
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[Action] = queue.SimpleQueue()
        self._threads = 0

    def on_change(self, listener: Callable[[Action], None]) -> None:
        """Call `listener` whenever an action changes its phase or ends, on the action's thread."""
        self._listeners.append(listener)

    def running(self) -> dict[WorkloadId, Action]:
        """Return the actions in progress, by workload."""
        return {action.id: action for action in list(self.actions) if action.outcome is None}

    def look(self, workload: Workload, timeout_s: float = LOOK_S) -> Observed:
        """Observe a workload through its engine. Blocks for at most `timeout_s`.

        Raises:
            SourceError: The engine does not answer, or no longer has the workload (`WorkloadGone`).
        """
        return call_with_timeout(timeout_s, lambda: self._engine_for(workload).observe(workload))

    def look_elsewhere(self, workload: Workload, workloads: Iterable[Workload], timeout_s: float) -> Look:
        """Ask the host of a workload, which is another one, what an action would meet. Blocks and raises as `look`."""
        engine = self._engine_for(workload)
        if not isinstance(engine, ActsElsewhere):
            return Look(self.look(workload, timeout_s))
        return call_with_timeout(timeout_s, lambda: engine.look(workload, workloads), workload.id.host)

    def submit(self, request: Request) -> Action:
        """Queue a request and return at once. A refusal is an outcome like any other."""
        action = Action(request, self.who)
        with self._lock:
            other = self.running().get(action.id)
            self.actions.append(action)
        if self.is_locked:
            self._end(action, Result.REFUSED, "not done: actions are locked", "L unlocks them")
        elif other is not None:
            self._end(action, Result.REFUSED, f"not done: its {other.request.verb} is still in progress")
        else:
            self._waiting.put(action)
            self._staff()
        return action

    def close(self) -> None:
        """Log the actions in progress as unknown; the engines finish them without vmtop."""
        for action in self.running().values():
            self._end(action, Result.UNKNOWN, "vmtop exited before the outcome was known")

    def _staff(self) -> None:
        with self._lock:
            if self._threads >= AT_ONCE:
                return
            self._threads += 1
        threading.Thread(target=self._work, name="actions", daemon=True).start()

    def _work(self) -> None:
        while True:
            try:
                action = self._waiting.get_nowait()
            except queue.Empty:
                with self._lock:
                    if self._waiting.empty():
                        self._threads -= 1
                        return
                continue
            self._run(action)

    def _run(self, action: Action) -> None:
        action.began, action.began_wall = time.monotonic(), time.time()
        try:
            self._act(action)
        except WorkloadGone:
            self._end(action, Result.GONE, "is gone: nothing was done")
        except AccessDenied as error:
            self._end(action, Result.DENIED, f"not done: {error.reason}", error.remedy)
        except SourceError as error:
            self._end(action, Result.FAILED, f"not done: {error.reason}", error.remedy)
        except Exception as error:
            # The boundary of the action's thread: without it an unforeseen failure would leave the action "running".
            log.exception("%s %s", action.request.verb, action.name)
            self._end(action, Result.FAILED, f"failed: {type(error).__name__}: {error}", "see the log")

    def _act(self, action: Action) -> None:
        request = action.request
        engine = self._engine_for(request.workload)
        if isinstance(engine, ActsElsewhere):
            self._delegate(action, engine)
            return
        before = call_with_timeout(ANSWER_S, lambda: engine.observe(request.workload))
        refusal = objection(request, before)
        if refusal is not None:
            self._end(action, *refusal)
            return
        self.tell(self._event(action, "asked", request.verb.value))
        self._change(action, "asked")
        asked_at = time.monotonic()
        deadline = action.began + request.timeout_s
        try:
            call_with_timeout(request.timeout_s + _GRACE_S, lambda: engine.perform(request))
            now = self._await(engine, request, before, max(deadline, time.monotonic() + _EFFECT_S))
            if now is not None and request.verb in STARTING:
                time.sleep(min(max(_STAY_S, 2 * (time.monotonic() - asked_at)), _STAY_MOST_S))
                later = call_with_timeout(ANSWER_S, lambda: engine.observe(request.workload))
                now = started_twice(now, later)
        except ActionTimedOut:
            now = None
        except (SourceDown, SourceAbsent, WorkloadGone) as error:
            self._settle(action, engine, before, error)
            return
        if now is None:
            self._run_out(action, engine, before)
        else:
            self._end_as_observed(action, before, now)

    def _delegate(self, action: Action, engine: EngineActions) -> None:
        """Have another host do it; if the connection breaks in between, look what has become of it."""
        request = action.request
        assert isinstance(engine, ActsElsewhere)  # noqa: S101  # the caller looked
        self.tell(self._event(action, "asked", request.verb.value))
        try:
            changed = partial(self._change, action)
            self._finish(action, engine.carry_out(request, words_elsewhere(request), changed))
        except SourceAbsent as error:
            self._end(action, Result.FAILED, f"not done: {error.reason}", error.remedy)
        except SourceDown as error:
            if request.seen is None:  # with nothing to compare with, what is seen later proves nothing
                self._end(action, Result.UNKNOWN, f"outcome unknown: {error.reason}", error.remedy)
            else:
                self._settle(action, engine, request.seen, error)

    def _run_out(self, action: Action, engine: EngineActions, before: Observed) -> None:
        """Do what the request chose for a workload that did not follow in time."""
        request = action.request
        if request.verb not in CAN_WAIT or request.after is AfterTimeout.LEAVE:
            self._end(action, Result.TIMED_OUT, left_words(request))
            return
        self._change(action, "forcing")
        try:
            call_with_timeout(_GRACE_S, lambda: engine.force(request))
            now = self._await(engine, request, before, time.monotonic() + _GRACE_S)
        except (SourceDown, SourceAbsent, WorkloadGone) as error:
            self._settle(action, engine, before, error)
            return
        if now is None:
            self._end(action, Result.FAILED, "was forced, without effect")
        else:
            self._end(action, Result.DONE, done_words(request, is_forced=True))

    def _await(self, engine: EngineActions, request: Request, before: Observed, deadline: float) -> Observed | None:
        """Observe until the action has taken effect; return `None` if it has not by the deadline."""
        pause_s = _POLL_S
        while True:
            try:
                now = call_with_timeout(ANSWER_S, lambda: engine.observe(request.workload))
            except WorkloadGone:
                if not VERBS[request.verb].may_be_gone:
                    raise
                return Observed(before.name, State.STOPPED)
            if has_taken_effect(request.verb, before, now, engine.restart_is_a_new_run):
                return now
            if has_paused_again(request.verb, now):
                return now
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return None
            time.sleep(min(pause_s, left_s))
            pause_s = min(1.25 * pause_s, _POLL_MOST_S)

    def _settle(self, action: Action, engine: EngineActions, before: Observed, error: SourceError) -> None:
        """Find out how an action ended whose engine was lost in the middle."""
        request = action.request
        deadline = time.monotonic() + _SETTLE_S
        if not isinstance(error, WorkloadGone):
            self._change(action, "outcome unknown")
        while not isinstance(error, WorkloadGone) and time.monotonic() < deadline:
            time.sleep(_POLL_LOST_S)
            try:
                now = self._await(engine, request, before, time.monotonic() + _patience_s(action, engine))
            except SourceError as next_error:
                error = next_error
                continue
            if now is None and isinstance(engine, ActsElsewhere):  # the host may yet do it
                self._end(action, Result.UNKNOWN, f"outcome unknown: it has not happened so far ({error.reason})")
            elif now is None:
                self._end(action, Result.FAILED, f"not done: the connection to the engine was lost ({error.reason})")
            elif has_finished(request.verb, now):  # or was never started: only the lost answer would tell
                self._end(action, Result.UNKNOWN, f"outcome unknown: it does not run ({error.reason})")
            else:
                self._end(action, Result.DONE, f"{done_words(request)} (confirmed after the engine came back)")
            return
        if not isinstance(error, WorkloadGone):
            self._end(action, Result.UNKNOWN, f"outcome unknown: {error.reason}", error.remedy)
        elif VERBS[request.verb].may_be_gone:
            self._end(action, Result.DONE, f"{done_words(request)}, and is gone")
        else:
            self._end(action, Result.GONE, "disappeared during the action")

    def _end_as_observed(self, action: Action, before: Observed, now: Observed) -> None:
        """End an action that took effect; it failed if a started workload has ended again, or a resumed one paused."""
        request = action.request
        if has_paused_again(request.verb, now):
            remedy = "repair the cause first: resuming will fail again until then"
            self._end(action, Result.FAILED, f"was resumed but paused again: {now.detail}", remedy)
        elif has_ended_again(request.verb, now):
            self._end(action, Result.FAILED, f"was started but ended again: {now.detail}", "check its logs")
        elif has_finished(request.verb, now):
            self._end(action, Result.DONE, "was started and has finished")
        else:
            self._end(action, Result.DONE, done_words(request, is_restored=Note.SAVED in before.notes))

    def _end(self, action: Action, result: Result, sentence: str, remedy: str = "") -> None:
        self._finish(action, Outcome(result, f"{action.name} {sentence}", remedy))

    def _finish(self, action: Action, outcome: Outcome) -> None:
        with self._lock:
            if action.outcome is not None:
                return
            action.outcome = outcome._replace(seconds=time.monotonic() - action.began)
            action.phase = ""
        request = action.request
        command = "; ".join(equivalent(request))
        self.record(request.workload, request.verb, command, action.outcome, action.began_wall)
        self._change(action, "")

    def record(self, workload: Workload, verb: str, command: str, outcome: Outcome, began_wall: float) -> None:
        """Log what was done to a workload, and announce it as an event.

        Args:
            workload: The workload.
            verb: What was done.
            command: The command line that did it, or would have done.
            outcome: How it ended.
            began_wall: When it began, in seconds since 1970.
        """
        self.log.write(
            Entry(
                time=began_wall,
                who=self.who,
                verb=verb,
                kind=workload.kind,
                name=workload.name,
                engine=workload.id.engine,
                id=workload.id.id,
                host=workload.id.host,
                command=command,
                result=outcome.result,
                sentence=outcome.sentence,
                seconds=round(outcome.seconds, 3),
            )
        )
        self.tell(Event(time.time(), workload.id, "action", f"{verb} by {self.who}: {outcome.result}", workload.name))

    def _event(self, action: Action, what: str, detail: str) -> Event:
        return Event(time.time(), action.id, what, detail, action.name)

    def _change(self, action: Action, phase: str) -> None:
        action.phase = phase
        for listener in self._listeners:
            listener(action)


def _patience_s(action: Action, engine: EngineActions) -> float:
    """Return how long an effect is waited for: another host goes on with what it was asked, connected or not."""
    if not isinstance(engine, ActsElsewhere):
        return _EFFECT_S
    return max(_EFFECT_S, action.request.timeout_s + _GRACE_S - action.seconds())
