"""The processes of another host, read there and signalled there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from collectors.fleet.conversation import Conversation
from collectors.fleet.hosts import HostSpec
from collectors.fleet.questions import Ask, ProcessAnswer
from collectors.fleet.remote_actions import at_home
from collectors.model.actions import Outcome, Result
from collectors.model.errors import SourceDown, SourceError
from collectors.model.processes import (
    Process,
    ProcessDetails,
    ProcessId,
    ProcessPass,
    ProcessText,
    ProcessView,
    SignalLook,
)
from collectors.model.workloads import Workload

_MOST_TEXTS = 10_000


class RemoteProcesses:
    """Reads them; see `ReadsProcesses`.

    Args:
        conversation: Questions to the host.
        workload: Returns the workload as it is now.
    """

    def __init__(self, conversation: Conversation, workload: Callable[[], Workload | None]) -> None:
        self._conversation = conversation
        self._workload = workload
        self._newest: ProcessPass | None = None
        self._texts: dict[ProcessId, ProcessText] = {}

    def read(
        self,
        is_due: bool,
        wanted: Callable[[ProcessPass], Iterable[Process]],
        subject: Callable[[ProcessPass], tuple[Process | None, bool]],
    ) -> ProcessView:
        """Read what a page shows: a pass if one is due, and what is needed of the processes of the newest one."""
        workload = self._workload()
        if workload is None:
            raise SourceError("the workload is gone")
        newest = self._newest
        if newest is None or is_due:
            newest = self._conversation.ask(ProcessAnswer, Ask.PROCESSES, workload=at_home(workload)).newest
        if newest is None:
            raise SourceError("the host has not listed its processes")
        self._newest = newest
        shown = tuple(wanted(newest))
        process, is_vm = subject(newest)
        details = self._complete(workload, shown, process, is_vm)
        return ProcessView(newest, {one.id: self._texts[one.id] for one in shown if one.id in self._texts}, details)

    def _complete(
        self, workload: Workload, shown: tuple[Process, ...], process: Process | None, is_vm: bool
    ) -> ProcessDetails | None:
        """Read the texts that are not known yet, and one process in full."""
        missing = tuple(one for one in shown if one.id not in self._texts)
        if not missing and process is None:
            return None
        answer = self._conversation.ask(
            ProcessAnswer,
            Ask.PROCESSES,
            workload=at_home(workload),
            is_due=False,
            processes=missing,
            subject=process,
            is_vm=is_vm,
        )
        if len(self._texts) > _MOST_TEXTS:
            self._texts.clear()
        self._texts.update(answer.texts)
        return answer.details


class RemoteSignals:
    """Signals processes of a host; see `SignalsElsewhere`.

    Args:
        host: The host.
        conversation: Questions to it.
    """

    def __init__(self, host: HostSpec, conversation: Conversation) -> None:
        self.login = host.target.command
        self._host = host
        self._conversation = conversation

    def look(self, process: Process, signal: str, workload: Workload | None) -> SignalLook:
        """Ask what a signal would meet."""
        home = workload and at_home(workload)
        return self._conversation.ask(SignalLook, Ask.SIGNAL_LOOK, workload=home, subject=process, signal=signal)

    def send(self, process: Process, signal: str, command: str, workload: Workload | None) -> Outcome:
        """Have it sent; if the connection breaks, it is unknown whether it was."""
        home = workload and at_home(workload)
        try:
            outcome = self._conversation.send_once(
                Outcome, Ask.SIGNAL, workload=home, subject=process, signal=signal, command=command
            )
        except SourceDown as error:
            words = f"{process.name} ({process.pid}): outcome unknown: {error.reason}"
            outcome = Outcome(Result.UNKNOWN, words, error.remedy)
        return outcome._replace(sentence=f"{self._host.name}: {outcome.sentence}")
