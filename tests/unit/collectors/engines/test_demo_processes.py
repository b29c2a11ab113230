"""The processes of the demo add up to their workloads, and stay the same from one moment to the next."""

from __future__ import annotations

import pytest

from collectors.analysis.tracker import MomentTracker
from collectors.engines.demo.processes import SimulatedProcesses, programs_of
from collectors.inspection.processes import Owners
from collectors.model.workloads import Kind
from tests.helpers.demo_fleet import Fleet


def test_the_processes_of_a_workload_add_up_to_its_cpu_and_memory_and_belong_to_it() -> None:
    fleet, tracker = Fleet(30), MomentTracker()
    tracker.feed(fleet.frame())
    moment = tracker.feed(fleet.frame())
    reader = SimulatedProcesses(lambda: moment, lambda: None)
    view = reader.read(True, lambda newest: newest.processes, lambda newest: (newest.processes[0], True))
    owners = Owners(moment.frame.workloads.values())
    assert len({process.id for process in view.newest.processes}) == len(view.newest.processes)
    assert view.texts.keys() == {process.id for process in view.newest.processes}
    for reading in moment.readings.values():
        own = [process for process in view.newest.processes if owners.of(process) is reading.workload]
        cpu = reading.value("cpu_percent")
        if reading.workload.state.is_active and cpu is not None:
            assert sum(process.cpu_percent or 0 for process in own) == pytest.approx(cpu)


def test_a_machine_has_a_thread_for_each_vcpu() -> None:
    fleet, tracker = Fleet(30), MomentTracker()
    tracker.feed(fleet.frame())
    moment = tracker.feed(fleet.frame())
    machine = next(r.workload for r in moment.readings.values() if r.workload.kind is Kind.VM and r.gauge("vcpus"))
    reader = SimulatedProcesses(lambda: moment, lambda: machine)
    view = reader.read(True, lambda newest: (), lambda newest: (newest.processes[0], True))
    assert view.details is not None
    roles = [thread.role for thread in view.details.threads]
    assert roles == [
        "emulator",
        *(f"vCPU {number}" for number in range(int(moment.readings[machine.id].gauge("vcpus") or 0))),
    ]
    again = reader.read(True, lambda newest: (), lambda newest: (None, False))
    assert [process.id for process in again.newest.processes] == [process.id for process in view.newest.processes]


def test_the_shares_of_the_programs_of_a_workload_are_all_of_it() -> None:
    for workload in Fleet(40).frame().workloads.values():
        assert sum(program.share for program in programs_of(workload)) == pytest.approx(1.0)
