"""The devices of the demo add up to its totals."""

from __future__ import annotations

import pytest

from collectors.analysis.tracker import MomentTracker
from collectors.engines.demo.machine import simulated_machine
from tests.helpers.demo_fleet import Fleet


def test_cores_disks_and_interfaces_add_up_to_the_totals_of_the_moment() -> None:
    fleet, tracker = Fleet(30), MomentTracker()
    first = simulated_machine(tracker.feed(fleet.frame()))
    assert {core.busy_percent for core in first.cores} == {None}, "a first frame has no rates"
    for _ in range(20):
        moment = tracker.feed(fleet.frame())
        machine = simulated_machine(moment)
        value = moment.host.value
        assert len(machine.cores) == moment.frame.cpus
        assert sum(core.busy_percent or 0 for core in machine.cores) == pytest.approx(value("cpu_percent"))
        assert max(core.busy_percent or 0 for core in machine.cores) <= 100
        assert sum(disk.read_bps or 0 for disk in machine.disks) == pytest.approx(value("disk_read_bytes_per_second"))
        counted = [row for row in machine.interfaces if not row.role]
        assert sum(row.tx_bps or 0 for row in counted) == pytest.approx(value("net_tx_bytes_per_second"))
        assert machine == simulated_machine(moment)
