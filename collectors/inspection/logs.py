"""Opens the logs of workloads."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.engines.connections import EngineConnections
from collectors.inspection.merged_log import MOST_LOGS, MergedLog
from collectors.model.errors import SourceAbsent, SourceError
from collectors.model.logs import Log
from collectors.model.workloads import Workload


def open_log(workload: Workload, connections: EngineConnections) -> Log:
    """Open the log of a workload: the engine's for a container, the console's for a domain, the journal for a service.

    Raises:
        SourceError: There is no log, or it cannot be read; with a remedy if there is one.
    """
    return connections.of(workload).open_log(workload)


def open_logs(workloads: Sequence[Workload], connections: EngineConnections) -> Log:
    """Open the log of one workload, or those of several merged by time. `LogLine.workload` is an index into them.

    Raises:
        SourceError: One of the logs cannot be read, with its workload's name; or there are more than `MOST_LOGS`.
    """
    if len(workloads) == 1:
        return open_log(workloads[0], connections)
    if len(workloads) > MOST_LOGS:
        raise SourceAbsent(f"at most {MOST_LOGS} logs are merged: {len(workloads)} workloads are selected")
    logs: list[Log] = []
    try:
        for workload in workloads:
            logs.append(open_log(workload, connections))
    except SourceError as error:
        for log in logs:
            log.close()
        raise type(error)(f"{workload.name}: {error.reason}", error.remedy) from error
    return MergedLog(logs)
