"""CPU/LIM: what a limit applies to, as a share of it."""

from __future__ import annotations

import pytest

from collectors.analysis.rates import Pair, Reading
from collectors.model.workloads import Kind, Sample
from tests.helpers.strategies import workload

SECOND = 10**9


def used(
    kind: Kind, seconds: float, *, cores: float, vcpus: int | None = None, guest_s: float | None = None
) -> Reading:
    """Return a reading over one second in which it used CPU time, and its vCPUs theirs."""
    samples = [
        Sample(
            "libvirt" if kind is Kind.VM else "cgroup",
            at_ns,
            cpu_total_ns=int(seconds * at_ns),
            cpu_limit_cores=cores,
            vcpus=vcpus,
            vcpu_total_ns=None if guest_s is None else int(guest_s * at_ns),
        )
        for at_ns in (SECOND, 2 * SECOND)
    ]
    return Reading(workload("db", kind, "qemu"), (Pair(samples[0], samples[1]),))


@pytest.mark.parametrize(
    ("reading", "percent"),
    [
        (used(Kind.VM, 2.04, cores=2, vcpus=2, guest_s=1.98), 99.0),  # its emulator runs beside the vCPUs
        (used(Kind.VM, 0.5, cores=0.5, vcpus=2, guest_s=0.4), 100.0),  # a quota holds for all of it
        (used(Kind.VM, 2.04, cores=2, vcpus=2), 100.0),  # nobody tells the vCPUs' share
        (used(Kind.VM, 1.0, cores=2), 50.0),
        (used(Kind.CONTAINER, 0.51, cores=0.5), 102.0),
    ],
)
def test_share_of_the_limit_is_that_of_what_it_limits(reading: Reading, percent: float) -> None:
    assert reading.value("cpu_of_limit_percent") == pytest.approx(percent)


def test_without_a_limit_there_is_no_share() -> None:
    assert used(Kind.VM, 1.0, cores=0).value("cpu_of_limit_percent") is None
