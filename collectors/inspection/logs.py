"""Opens the logs of workloads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from collectors.engines.connections import EngineConnections
from collectors.inspection.merged_log import MOST_LOGS, MergedLog
from collectors.model.errors import SourceAbsent, SourceError
from collectors.model.logs import Log, LogLine
from collectors.model.workloads import Workload


def open_log(workload: Workload, connections: EngineConnections) -> Log:
    """Open the log of a workload: the engine's for a container, the console's for a domain, the journal for a service.

    Raises:
        SourceError: There is no log, or it cannot be read; with a remedy if there is one.
    """
    return connections.of(workload).open_log(workload)


def open_logs(workloads: Sequence[Workload], connections: EngineConnections) -> Log:
    """Open the log of one workload, or those of several merged by time. `LogLine.workload` is an index into them.

    Of several, those that cannot be read are empty, and `MergedLog.problems` has the reasons.

    Raises:
        SourceError: None of the logs can be read, or there are more than `MOST_LOGS`.
    """
    if len(workloads) == 1:
        return open_log(workloads[0], connections)
    if len(workloads) > MOST_LOGS:
        raise SourceAbsent(f"at most {MOST_LOGS} logs are merged: {len(workloads)} workloads are selected")
    logs: list[Log] = []
    for workload in workloads:
        try:
            logs.append(open_log(workload, connections))
        except SourceError as error:
            logs.append(UnreadableLog(error))
    failures = [log.error for log in logs if isinstance(log, UnreadableLog)]
    if len(failures) == len(logs):
        raise failures[0]
    return MergedLog(logs)


class UnreadableLog:
    """Stands for a log that cannot be read: it has no lines, and following it fails with the reason."""

    title = ""

    def __init__(self, error: SourceError) -> None:
        self.error = error

    def last(self, count: int) -> list[LogLine]:
        return []

    def first(self, count: int) -> list[LogLine]:
        return []

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        return []

    def after(self, line: LogLine, count: int) -> list[LogLine]:
        return []

    def until(self, wall: float, count: int) -> list[LogLine]:
        return []

    def written(self, line: LogLine | None = None) -> Iterator[LogLine]:
        return iter(())

    def interrupt(self) -> None:
        """Nothing is read."""

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        raise self.error

    def close(self) -> None:
        """Release nothing."""
