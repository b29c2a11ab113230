"""The libvirt source on a real daemon with real guests."""

from __future__ import annotations

import time

import pytest

from collectors.engines.libvirt.source import LibvirtSource
from collectors.model.errors import NotInTime
from collectors.model.workloads import State, WorkloadId
from collectors.sampling.source import SourceReading
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.unit.collectors.engines.libvirt.test_source import opened

pytestmark = pytest.mark.lab


def test_lists_running_and_shut_off_domains(libvirt_lab: LibvirtLab, linux_guests: tuple[str, str]) -> None:
    with opened(libvirt_lab.uri) as source:
        reading = source.read()
    found = {one.name: one for one in reading.workloads.values()}
    for name in linux_guests:
        assert (found[name].state, found[name].endpoint) == (State.RUNNING, "")
        assert (found[name].image or "").startswith("hvm/pc")
    assert found[libvirt_lab.shut_off].state is State.STOPPED
    assert found[libvirt_lab.shut_off].id not in reading.samples
    assert {one.id.engine for one in found.values()} == {"qemu"}


def test_agrees_with_domstats(libvirt_lab: LibvirtLab, linux_guests: tuple[str, str]) -> None:
    name = linux_guests[0]
    identity = WorkloadId("qemu", libvirt_lab.connection.lookupByName(name).UUIDString())
    with opened(libvirt_lab.uri) as source:
        before = domstats(libvirt_lab.uri, name)
        (sample,) = source.read().samples[identity]
        after = domstats(libvirt_lab.uri, name)
    between = {
        "cpu_total_ns": "cpu.time",
        "vcpu_total_ns": "vcpu.0.time",
        "steal_total_ns": "vcpu.0.delay",
        "guest_disk_read_total_bytes": "block.0.rd.bytes",
        "guest_disk_write_total_bytes": "block.0.wr.bytes",
        "guest_disk_write_time_total_ns": "block.0.wr.times",
        "net_rx_total_bytes": "net.0.rx.bytes",
        "net_tx_total_bytes": "net.0.tx.bytes",
    }
    for ours, theirs in between.items():
        assert before[theirs] <= getattr(sample, ours) <= after[theirs], ours
        assert getattr(sample, ours) > 0, ours
    assert sample.memory_limit_bytes == after["balloon.current"] << 10
    assert sample.memory_available_bytes == after["balloon.available"] << 10
    assert sample.memory_rss_bytes == pytest.approx(after["balloon.rss"] << 10, rel=0.1)
    assert sample.memory_usable_bytes is not None
    assert sample.memory_usable_bytes < sample.memory_available_bytes
    assert sample.memory_report_age_s is not None
    assert sample.memory_report_age_s < 10
    assert (sample.vcpus, sample.cpu_limit_cores) == (1, 1.0)


def test_tells_the_life_of_a_domain(libvirt_lab: LibvirtLab) -> None:
    wakes: list[float] = []
    with opened(libvirt_lab.uri, lambda: wakes.append(time.monotonic())) as source:
        source.read()
        name = libvirt_lab.start_tiny("life")
        domain = libvirt_lab.connection.lookupByName(name)
        identity = WorkloadId("qemu", domain.UUIDString())
        domain.suspend()
        paused = source.read()
        domain.resume()
        libvirt_lab.remove(name)
        events = list(paused.events)
        deadline = time.monotonic() + 120
        while not any(event.what == "remove" for event in events) and time.monotonic() < deadline:
            time.sleep(0.1)
            last: SourceReading = source.read()
            events += last.events
    assert paused.workloads[identity].state is State.PAUSED
    assert identity not in last.workloads
    told = [event.what for event in events if event.workload == identity]
    assert told == ["create", "start", "pause", "resume", "shutdown", "stop", "remove"]
    assert wakes


def test_a_frozen_daemon_fails_the_call_and_does_not_hold_up_the_close(libvirt_lab: LibvirtLab) -> None:
    source = LibvirtSource(libvirt_lab.uri)
    source.open(lambda: None)
    source.read()
    libvirt_lab.daemon.freeze()
    try:
        started = time.monotonic()
        with pytest.raises(NotInTime, match="keepalive timeout"):
            source.read()
        source.close()
        assert time.monotonic() - started < 60
    finally:
        libvirt_lab.daemon.thaw()
    with opened(libvirt_lab.uri) as fresh:
        assert fresh.read().workloads


def domstats(uri: str, name: str) -> dict[str, int]:
    """Return the numbers of `virsh domstats`, the second authority."""
    import subprocess

    printed = subprocess.run(["virsh", "-r", "-c", uri, "domstats", name], capture_output=True, text=True, check=True)
    pairs = (line.strip().split("=", 1) for line in printed.stdout.splitlines() if "=" in line)
    return {key: int(value) for key, value in pairs if value.isdigit()}
