"""Each built-in rule about machines begins by a real cause and ends with it; what looks like it is no alert."""

from __future__ import annotations

import time
from collections.abc import Iterator

import libvirt
import pytest

from collectors.alerts.rule import Level
from tests.helpers.lab.alert_recording import AlertRecording, alert_recording, shortened
from tests.helpers.lab.full_disk import on_a_full_disk
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import wait_until

pytestmark = pytest.mark.lab

RULES = shortened(
    ("steal", "steal > 10% for 5s", "steal < 5%"),
    ("balloon silent", "kind=vm state=running report > 15s for 5s", "report < 10s"),
)
FRAMES = 12
"""More than any rule has to hold for: what is no alert after them is none."""


@pytest.fixture(scope="module")
def recording(libvirt_lab: LibvirtLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlertRecording]:
    folder = tmp_path_factory.mktemp("alerts") / "libvirt"
    with alert_recording(folder, ["--libvirt", libvirt_lab.uri], RULES) as made:
        made.answered("libvirt")  # what happens before is nobody's alert
        yield made


def test_a_machine_that_its_disk_has_paused_is_at_fault_and_one_that_a_user_has_paused_is_not(
    libvirt_lab: LibvirtLab, recording: AlertRecording
) -> None:
    paused = libvirt_lab.start_tiny("alert-paused")
    libvirt_lab.connection.lookupByName(paused).suspend()
    try:
        with on_a_full_disk(libvirt_lab, "alert-full") as disk:
            alert = recording.begun("machine at fault", disk.name)
            assert alert.level is Level.CRITICAL
            assert alert.sentence == "a fault has paused it (state paused, reason I/O error)"
            disk.make_room()
            libvirt_lab.connection.lookupByName(disk.name).resume()
            assert recording.ended("machine at fault", disk.name).end == "over"
        assert recording.alerts(paused) == []
    finally:
        libvirt_lab.remove(paused)


def is_at_rest(lab: LibvirtLab, name: str) -> bool:
    """Return whether a domain uses hardly any CPU time for a second."""
    domain = lab.connection.lookupByName(name)
    before_ns = domain.info()[4]
    time.sleep(1.0)
    return bool(domain.info()[4] - before_ns < 20_000_000)


def test_machines_that_wait_for_one_cpu_have_steal_and_an_idle_one_there_has_not(
    libvirt_lab: LibvirtLab, recording: AlertRecording
) -> None:
    idle = libvirt_lab.start_tiny("alert-idle")
    wait_until(lambda: is_at_rest(libvirt_lab, idle), 60, "the end of its start, in which it waits for a CPU too")
    busy = [libvirt_lab.start_tiny(f"alert-steal{number}", BootSector.BUSY) for number in range(2)]
    try:
        for name in (*busy, idle):
            libvirt_lab.connection.lookupByName(name).pinVcpu(0, (True, False))
        for name in busy:
            assert recording.begun("steal", name).sentence.startswith("its vCPUs wait for a host CPU (steal ")
        recording.go_on(FRAMES)
        assert recording.of("steal", idle) == []
        libvirt_lab.remove(busy[1])
        assert recording.ended("steal", busy[1]).end == "it is gone"
    finally:
        for name in (busy[0], idle):
            libvirt_lab.remove(name)


def test_a_guest_whose_reports_stop_is_told_and_one_that_is_paused_or_never_reports_is_not(
    libvirt_lab: LibvirtLab, linux_guests: tuple[str, str], recording: AlertRecording
) -> None:
    silent, paused = linux_guests
    mute = libvirt_lab.start_tiny("alert-mute")
    domains = {name: libvirt_lab.connection.lookupByName(name) for name in linux_guests}
    for domain in domains.values():
        wait_until(lambda domain=domain: domain.memoryStats().get("last_update"), 60, "a report")  # type: ignore[misc]
    domains[paused].suspend()
    domains[silent].setMemoryStatsPeriod(0, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    try:
        alert = recording.begun("balloon silent", silent)
        assert alert.level is Level.INFO
        domains[silent].setMemoryStatsPeriod(2, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        assert recording.ended("balloon silent", silent).end == "over"
        assert [alert.name for alert in recording.alerts() if alert.rule == "balloon silent"] == [silent]
    finally:
        domains[paused].resume()
        domains[silent].setMemoryStatsPeriod(2, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        libvirt_lab.remove(mute)
