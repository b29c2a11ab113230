"""The processes of a workload on another host, read there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from collectors.fleet.conversation import Conversation
from collectors.fleet.questions import Ask, ProcessAnswer
from collectors.fleet.remote_actions import at_home
from collectors.model.errors import SourceError
from collectors.model.processes import Process, ProcessDetails, ProcessId, ProcessPass, ProcessText, ProcessView
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
