"""Firecracker and Cloud Hypervisor with stand-ins that write down what they are asked."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from collectors.engines.access import EngineAccess
from collectors.engines.cloud_hypervisor.engine import CloudHypervisorEngine
from collectors.engines.firecracker.engine import FirecrackerEngine
from collectors.engines.registry import owner
from collectors.engines.vmm.api_engine import ApiEngine
from collectors.engines.vmm.running import running_machines
from collectors.kernel.vmm.process import VmmProcess
from collectors.model.actions import Request, Verb
from collectors.model.errors import SourceDown, SourceError
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tests.helpers.vmm_stand_ins import HTTP, stand_in


def firecracker(path: Path) -> list[str]:
    return ["--id", f"vm-{os.getpid()}", "--api-sock", str(path)]


def cloud_hypervisor(path: Path) -> list[str]:
    return ["--api-socket", f"path={path}", "--cpus", "boot=2"]


VMMS = [
    (FirecrackerEngine(), "firecracker", firecracker),
    (CloudHypervisorEngine(), "cloud-hypervisor", cloud_hypervisor),
]
each = pytest.mark.parametrize(("engine", "program", "options"), VMMS, ids=["firecracker", "cloud-hypervisor"])


def workload(process: VmmProcess) -> Workload:
    return Workload(WorkloadId(process.engine, process.id), Kind.VM, process.name, State.RUNNING)


def access(engine: ApiEngine) -> EngineAccess:
    return engine.connect([])


@each
def test_a_stand_in_gets_the_requests_of_its_api(
    tmp_path: Path, engine: ApiEngine, program: str, options: Callable[[Path], list[str]]
) -> None:
    path = tmp_path / "api.sock"
    with stand_in(tmp_path, program, HTTP, path, options(path)) as process:
        machine = workload(process)
        assert owner(machine).name == engine.name
        (tmp_path / "api.sock.answer").write_text('{"state": "Paused", "memory": {"size": 1024}}')
        actions = access(engine).actions(machine)
        assert actions.observe(machine).state is State.PAUSED
        for verb in engine.verbs:
            actions.perform(Request(Verb(verb), machine))
            assert str(path) in engine.commands(Request(Verb(verb), machine))[0]
        facts = [fact for table in access(engine).details()(machine) for fact in table.facts]
        assert ("memory size", 1024) in {fact[:2] for fact in facts}
    asked = (tmp_path / "api.sock.asked").read_text().splitlines()
    assert len([line for line in asked if not line.startswith("GET")]) == len(engine.verbs)
    assert {f"GET {call.path} " for call in (engine.api.info, *engine.api.more)} <= set(asked)
    expected = {
        "firecracker": ['PUT /actions {"action_type": "SendCtrlAltDel"}', 'PATCH /vm {"state": "Paused"}'],
        "cloud-hypervisor": ["PUT /api/v1/vm.power-button ", "PUT /api/v1/vm.pause "],
    }
    assert set(expected[engine.name]) <= set(asked)


@each
def test_a_paused_machine_is_seen_and_one_that_has_ended_is_not_listed(
    tmp_path: Path, engine: ApiEngine, program: str, options: Callable[[Path], list[str]]
) -> None:
    path = tmp_path / "api.sock"
    source = engine.load_source()()
    with stand_in(tmp_path, program, HTTP, path, options(path)) as process:
        (tmp_path / "api.sock.answer").write_text('{"state": "Paused"}')
        running_machines(is_due=True)
        source.open(lambda: None)
        listed = source.read().workloads
        identity = WorkloadId(process.engine, process.id)
        assert (listed[identity].state, listed[identity].name) == (State.PAUSED, process.name)
    assert identity not in source.read().workloads


@each
@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ('400\n{"fault_message": "not \\u001b[31mstarted"}', SourceError, "refused: not"),
        ('500\n["the VM is not booted"]', SourceError, "the VM is not booted"),
        ("500\n", SourceError, "status 500"),
        ("{", SourceDown, "invalid answer"),
        ("[" * 100_000, SourceDown, "invalid answer"),
    ],
)
def test_what_it_refuses_is_a_sentence(
    tmp_path: Path,
    engine: ApiEngine,
    program: str,
    options: Callable[[Path], list[str]],
    answer: str,
    error: type[SourceError],
    words: str,
) -> None:
    path = tmp_path / "api.sock"
    with stand_in(tmp_path, program, HTTP, path, options(path)) as process:
        (tmp_path / "api.sock.answer").write_text(answer)
        with pytest.raises(error, match=words) as refused:
            access(engine).actions(workload(process)).perform(Request(Verb.PAUSE, workload(process)))
        assert "\x1b" not in refused.value.reason
