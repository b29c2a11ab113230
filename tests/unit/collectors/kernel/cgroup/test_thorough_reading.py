"""A measurement of rates can ask for what is otherwise read only every few readings."""

from __future__ import annotations

from pathlib import Path

from collectors.model.workloads import WorkloadId
from collectors.sampling.source import Layered
from tests.unit.collectors.kernel.cgroup.test_hugepages import machine, read, slow
from tests.unit.collectors.kernel.cgroup.test_source import UUID, opened


def test_the_next_reading_includes_all_and_the_one_after_it_does_not(tmp_path: Path) -> None:
    machine(tmp_path / "cgroup", tmp_path / "proc")
    source = opened(tmp_path / "cgroup", proc=str(tmp_path / "proc"))
    assert isinstance(source, Layered)
    identity = WorkloadId("qemu", UUID)
    instants = []
    for number in range(24):
        if number % 3 == 0:
            source.read_all_next()
        instants.append(slow(read(source, identity)).at_ns)
    source.close()
    new = [number for number in range(1, 24) if instants[number] != instants[number - 1]]
    assert {number for number in range(3, 24) if number % 3 == 0} <= set(new)
    assert len(new) < 16, "others come at their own pace"
