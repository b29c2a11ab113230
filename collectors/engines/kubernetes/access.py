"""Access to single containers of this host's pods."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence

from collectors.engines.access import EngineAccess
from collectors.engines.kubernetes.engine import kubectl, pod_of
from collectors.model.actions import EngineActions
from collectors.model.console import Console, RunningCommand
from collectors.model.details import RawDescription, Table
from collectors.model.errors import SourceAbsent
from collectors.model.logs import Log
from collectors.model.workloads import Kind, Workload
from collectors.sampling.source import SourceSpec


class KubernetesAccess(EngineAccess):
    """Everything that can be done with a container of a pod on demand."""

    def __init__(self, specs: Sequence[SourceSpec]) -> None:
        urls = [spec.options.get("url") for spec in specs if spec.name == "kubernetes"]
        self._url = next((str(url) for url in urls if url), None)

    def actions(self, workload: Workload) -> EngineActions:
        command = kubectl("stop", workload) or "kubectl"
        raise SourceAbsent(f"a kubelet owns {workload.name}, and would undo what is done to it", command)

    def details(self) -> Callable[[Workload], list[Table]]:
        from collectors.engines.kubernetes.details import PodDetails

        return PodDetails(self._url).tables

    def raw_description(self, workload: Workload) -> RawDescription | None:
        from collectors.engines.kubernetes.details import PodDetails

        return PodDetails(self._url).raw(workload)

    def open_log(self, workload: Workload) -> Log:
        _refuse_machine(workload, "logs")
        from collectors.engines.kubernetes.cri_log import CriLog
        from collectors.engines.kubernetes.log_folder import log_folder

        return CriLog(log_folder(workload))

    def open_console(self, workload: Workload, command: Sequence[str] = ()) -> Console:
        _refuse_machine(workload, "exec -it")
        from collectors.engines.container_entry import open_console

        return open_console(workload, command)

    def run_command(self, workload: Workload, command: Sequence[str]) -> RunningCommand:
        _refuse_machine(workload, "exec")
        from collectors.engines.container_entry import run_command

        return run_command(workload, command)


def _refuse_machine(workload: Workload, subcommand: str) -> None:
    """Refuse what goes to one container of a pod in a machine of Kata: on this host there is only its VMM.

    Raises:
        SourceAbsent: It is a machine; with the kubectl command, where its pod is known.
    """
    if workload.kind is Kind.VM:
        pod = pod_of(workload)
        command = f"kubectl {subcommand} -n {shlex.quote(pod[0])} {shlex.quote(pod[1])} -c CONTAINER" if pod else ""
        raise SourceAbsent(f"the containers of {workload.name} are inside its virtual machine", command)
