"""The libvirt source: captured records, libvirt's own in-memory driver for the fallbacks, and real guests."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from collectors.analysis.rates import Pair, Reading
from collectors.engines.libvirt import uri as uri_module
from collectors.engines.libvirt.connection import LibvirtDaemon
from collectors.engines.libvirt.domains import Description, parse_xml, to_sample, to_workload
from collectors.engines.libvirt.events import name_event
from collectors.engines.libvirt.source import LibvirtSource, pace, translate
from collectors.engines.libvirt.states import to_state
from collectors.engines.libvirt.uri import connection_uri, endpoint_of
from collectors.model.errors import SourceAbsent, SourceDown
from collectors.model.unmeasured import Cause
from collectors.model.workloads import Availability, Kind, Sample, State, WorkloadId
from tests.helpers.distribution import pretend
from tests.helpers.strategies import workload

UUID = "9b7a4f59-73a5-4dc6-8f6c-d70321a2d316"

RUNNING: dict[str, Any] = {
    **{"state.state": 1, "state.reason": 1, "cpu.time": 5112701000, "cpu.user": 3980674000, "cpu.system": 1132026000},
    **{"cpu.cache.monitor.count": 0, "cpu.haltpoll.success.time": 0, "cpu.haltpoll.fail.time": 0},
    **{"balloon.current": 196608, "balloon.maximum": 262144, "balloon.unused": 128804, "balloon.available": 158076},
    **{"balloon.usable": 133160, "balloon.last-update": 1795434195, "balloon.rss": 241740},
    **{"vcpu.current": 2, "vcpu.maximum": 4, "vcpu.0.state": 1, "vcpu.0.time": 4660000000, "vcpu.0.wait": 0},
    **{"vcpu.0.delay": 13827807170, "vcpu.1.state": 1, "vcpu.1.time": 40000000, "vcpu.1.wait": 0, "vcpu.1.delay": 30},
    **{"net.count": 2, "net.0.name": "vnet3", "net.0.rx.bytes": 109726, "net.0.rx.pkts": 95, "net.0.rx.errs": 0},
    **{"net.0.rx.drop": 2, "net.0.tx.bytes": 108820, "net.0.tx.pkts": 84, "net.0.tx.errs": 0, "net.0.tx.drop": 1},
    **{"net.1.name": "macvtap0", "block.count": 2, "block.0.name": "vda", "block.0.path": "/x/d.img"},
    **{"block.0.backingIndex": 1, "block.0.rd.reqs": 51, "block.0.rd.bytes": 3215872, "block.0.rd.times": 13363778},
    **{"block.0.wr.reqs": 64, "block.0.wr.bytes": 4194304, "block.0.wr.times": 46020515, "block.0.fl.reqs": 0},
    **{"block.0.capacity": 16777216, "block.1.name": "sda"},
}
"""libvirt 9.0, QEMU 7.2: a second interface without counters, an empty CD-ROM drive."""


def sample_of(**changes: Any) -> Sample:
    return to_sample({**RUNNING, **changes}, "7", 1, 1795434200.5)


def test_a_record_becomes_a_sample() -> None:
    sample = sample_of()
    assert (sample.source, sample.epoch, sample.at_ns) == ("libvirt", "7", 1)
    assert (sample.cpu_total_ns, sample.vcpu_total_ns, sample.steal_total_ns) == (5112701000, 4700000000, 13827807200)
    assert (sample.vcpus, sample.cpu_limit_cores) == (2, 2.0)
    assert (sample.memory_limit_bytes, sample.memory_maximum_bytes) == (196608 << 10, 262144 << 10)
    assert (sample.memory_rss_bytes, sample.memory_available_bytes) == (241740 << 10, 158076 << 10)
    assert (sample.memory_usable_bytes, sample.memory_report_age_s) == (133160 << 10, 5.5)
    assert (sample.net_rx_total_bytes, sample.net_tx_packets_total, sample.net_drops_total) == (109726, 84, 3)
    assert (sample.guest_disk_read_total_bytes, sample.guest_disk_writes_total) == (3215872, 64)
    assert (sample.guest_disk_read_time_total_ns, sample.guest_disk_write_time_total_ns) == (13363778, 46020515)


def test_what_a_record_lacks_is_absent() -> None:
    assert to_sample({"state.state": 1}, "7", 1, 0.0) == Sample("libvirt", 1, "7")
    assert sample_of(**{"cpu.time": 0}).cpu_total_ns is None  # the driver does not count


def test_a_guest_that_never_reported_has_no_inside() -> None:
    sample = sample_of(**{"balloon.last-update": 0})
    assert sample.memory_available_bytes is sample.memory_usable_bytes is sample.memory_report_age_s is None
    assert sample.memory_limit_bytes == 196608 << 10


@pytest.mark.parametrize(
    ("backing", "hugetlb_kib"),
    [
        ("<memoryBacking><hugepages/></memoryBacking>", 262144),
        ("<memoryBacking><hugepages><page size='1' unit='G'/></hugepages></memoryBacking>", 262144),
        ("<memoryBacking><hugepages><page size='2048' nodeset='0'/></hugepages></memoryBacking>", None),
        ("<memoryBacking><source type='memfd'/></memoryBacking>", None),
        ("", None),
    ],
)
def test_a_guest_on_hugepages_holds_them_in_addition_to_the_resident_size(
    backing: str, hugetlb_kib: int | None
) -> None:
    """QEMU takes them all at its start, and a smaller balloon gives none back."""
    description = parse_xml(f"<domain>{backing}</domain>")
    sample = to_sample(RUNNING, "7", 1, 0.0, description)
    assert sample.memory_hugetlb_bytes == (None if hugetlb_kib is None else hugetlb_kib << 10)
    host = Reading(workload("vm", Kind.VM), (Pair(None, sample),)).value("memory_host_bytes")
    assert host == (241740 + (hugetlb_kib or 0)) << 10


@pytest.mark.parametrize(
    ("cputune", "cores"),
    [
        ("<quota>10000</quota>", 0.2),
        ("<period>50000</period><quota>10000</quota>", 0.4),
        ("<quota>500000</quota>", 2.0),
        ("<quota>10000</quota><global_period>100000</global_period><global_quota>5000</global_quota>", 0.05),
        ("<global_quota>900000</global_quota>", 2.0),
        ("<quota>-1</quota>", 2.0),
        ("<quota>17592186044415</quota>", 2.0),
        ("<emulator_quota>1000</emulator_quota>", 2.0),
        ("<quota>many</quota>", 2.0),
    ],
)
def test_a_domain_whose_cgroup_cannot_be_read_has_the_quotas_of_its_definition(cputune: str, cores: float) -> None:
    description = parse_xml(f"<domain><cputune>{cputune}</cputune></domain>")
    assert to_sample(RUNNING, "7", 1, 0.0, description).cpu_limit_cores == pytest.approx(cores)


def test_backing_files_are_not_counted_and_a_later_libvirts_fields_neither() -> None:
    assert sample_of(**{"block.2.name": "vda", "block.2.rd.bytes": 1 << 40}) == sample_of()
    later = {"block.0.limits.rd.bytes": 5, "net.0.rx.bytes.peak": 5, "vcpu.0.delay.max": 5, "vcpu.0.timer": 5}
    assert sample_of(**later) == sample_of()
    assert sample_of(**{"block.1.rd.bytes": 1}).guest_disk_read_total_bytes == 3215873


@pytest.mark.parametrize(
    ("state", "reason", "named"),
    [
        (1, 1, State.RUNNING),
        (2, 0, State.BLOCKED),
        (3, 1, State.PAUSED),
        (3, 11, State.STARTING),
        (4, 1, State.STOPPING),
        (5, 1, State.STOPPED),
        (5, 3, State.CRASHED),
        (6, 0, State.CRASHED),
        (7, 0, State.SUSPENDED),
        (0, 0, State.UNKNOWN),
        (99, 0, State.UNKNOWN),
        (None, None, State.UNKNOWN),
    ],
)
def test_states(state: object, reason: object, named: State) -> None:
    assert to_state(state, reason) is named


def test_the_xml_gives_title_machine_and_devices() -> None:
    found = parse_xml(
        "<domain><title>mail \u202e</title><description>two\n lines</description>"
        "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os><devices>"
        "<disk><target dev='vda'/></disk><disk/><interface type='user'><target dev='vnet0'/></interface>"
        "</devices></domain>"
    )
    assert found == Description(
        "mail \ufffd",
        "two lines",
        "hvm/pc-q35-7.2",
        ("vda",),
        ("vnet0",),
        interface_types=("user",),
        balloon_gap=Cause.NO_BALLOON,
    )


@pytest.mark.parametrize("xml", ["", "<domain>", "<!DOCTYPE d [<!ENTITY a 'b'>]><domain><title>&a;</title></domain>"])
def test_xml_that_is_broken_or_has_entities_tells_nothing(xml: str) -> None:
    assert parse_xml(xml) == Description()


def test_a_workload_shows_its_title_or_else_its_machine() -> None:
    identity = WorkloadId("qemu", UUID)
    found = to_workload(identity, "-rf\x9b", RUNNING, Description(machine="hvm/pc"), "host")
    assert (found.kind, found.name, found.image, found.endpoint) == (Kind.VM, "-rf\ufffd", "hvm/pc", "host")
    assert to_workload(identity, "a", RUNNING, Description(title="mail", machine="hvm/pc")).image == "mail"
    assert to_workload(WorkloadId("lxc", UUID), "a", RUNNING, Description()).kind is Kind.CONTAINER


def test_events_are_named() -> None:
    assert name_event(2, 0) == ("start", "")
    assert name_event(5, 1) == ("stop", "destroyed")
    assert name_event(5, 2) == ("die", "crashed")
    assert name_event(3, 2) == ("pause", "disk error")
    assert name_event(99, 0) is None


def test_only_a_host_in_the_uri_is_an_endpoint_and_ssh_never_asks_on_the_terminal() -> None:
    assert [
        endpoint_of(uri) for uri in ("qemu:///system", "qemu+unix:///system?socket=/x", "qemu+ssh://me@h/system")
    ] == [
        "",
        "",
        "h",
    ]
    assert connection_uri("qemu+ssh://me@h/system") == "qemu+ssh://me@h/system?no_tty=1"
    assert connection_uri("qemu+ssh://h/system?keyfile=/k") == "qemu+ssh://h/system?keyfile=/k&no_tty=1"
    assert connection_uri("qemu:///system") == "qemu:///system"


def test_no_socket_and_no_bindings_are_absences(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.delenv("LIBVIRT_DEFAULT_URI", raising=False)
    monkeypatch.setattr(uri_module, "_SOCKET_FOLDERS", (str(tmp_path),))
    with pytest.raises(SourceAbsent, match="no libvirt on this host"):
        LibvirtSource().open(lambda: None)
    (tmp_path / "libvirt-sock").touch()
    monkeypatch.setitem(sys.modules, "libvirt", None)
    with pytest.raises(SourceAbsent, match="bindings are not installed") as absent:
        LibvirtSource().open(lambda: None)
    assert "install" in absent.value.remedy
    assert "libvirt-python" in absent.value.remedy


class Refusal:
    """The part of a libvirtError that is looked at."""

    def __init__(self, code: int, said: str) -> None:
        self.code, self.said = code, said

    def get_error_code(self) -> int:
        return self.code

    def get_error_message(self) -> str:
        return self.said


def test_errors_say_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    pretend(monkeypatch, tmp_path, {"libvirt": ()}, ("libvirtd.service",))
    denied = translate(Refusal(38, "Failed to connect socket to '/x': Permission denied"), "qemu:///system")
    assert denied.availability is Availability.DENIED
    assert "usermod -aG libvirt" in denied.remedy
    down = translate(Refusal(38, "Failed to connect socket to '/x': Connection refused"), "qemu:///system")
    assert (down.availability, down.remedy) == (Availability.DOWN, "sudo systemctl start libvirtd.service")
    assert translate(Refusal(38, "x: Connection refused"), "qemu+tcp://h/system").remedy == ""


@pytest.mark.parametrize(
    ("message", "reason", "remedy"),
    [
        ("Host key verification failed.", "ssh does not know the host key of hv", "ssh -p 2299 me@hv, once"),
        ("me@hv: Permission denied (publickey).", "hv accepts no key of this user", "ssh-copy-id -p 2299 me@hv"),
        (
            "ssh: Could not resolve hostname hv: Name or service not known",
            "the host name hv cannot be resolved",
            "check the name, or give it a HostName in ~/.ssh/config",
        ),
    ],
)
def test_what_ssh_says_is_a_sentence_with_the_remedy_for_ssh(message: str, reason: str, remedy: str) -> None:
    said = f"Cannot recv data: {message}: Connection reset by peer"
    found = translate(Refusal(38, said), "qemu+ssh://me@hv:2299/system?no_tty=1")
    assert found.reason == reason
    assert found.remedy.startswith(remedy)
    assert bool(found.remedy) == bool(remedy)


def test_blanks_around_an_address_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", " test:///default\n")
    source = LibvirtSource()
    source.open(lambda: None)
    assert source.read().workloads
    source.close()
    with LibvirtDaemon().connection() as connection:
        assert connection.getType() == "TEST"


@pytest.mark.parametrize(
    ("uri", "reason", "remedy"),
    [
        ("/run/libvirt/libvirt-sock", "path without a driver", "qemu+unix:///system?socket=/run/libvirt/libvirt-sock"),
        ("qemu:///system\u200b", r"qemu:///system\u200b", ""),
        ("qemu+ssh://-oProxyCommand=id/system", "cannot be a host", ""),
    ],
)
def test_an_address_that_cannot_be_meant_is_named_before_it_is_used(uri: str, reason: str, remedy: str) -> None:
    with pytest.raises(SourceDown) as at_source:
        LibvirtSource(uri).open(lambda: None)
    with pytest.raises(SourceDown) as at_daemon, LibvirtDaemon(uri).connection():
        pass
    for caught in (at_source, at_daemon):
        assert reason in caught.value.reason
        assert remedy in caught.value.remedy


@contextmanager
def opened(uri: str, wake: Callable[[], None] = lambda: None) -> Iterator[LibvirtSource]:
    source = LibvirtSource(uri)
    source.open(wake)
    try:
        yield source
    finally:
        source.close()


def test_a_driver_without_bulk_statistics_is_asked_call_by_call() -> None:
    pytest.importorskip("libvirt")
    with opened("test:///default") as source:
        first, second = source.read(), source.read()
    (found,) = first.workloads.values()
    assert (found.id.engine, found.name, found.state, found.kind) == ("test", "test", State.RUNNING, Kind.VM)
    (sample,) = first.samples[found.id]
    (later,) = second.samples[found.id]
    assert sample.cpu_total_ns is not None
    assert later.cpu_total_ns is not None
    assert later.cpu_total_ns > sample.cpu_total_ns
    assert (sample.vcpus, sample.memory_limit_bytes, sample.memory_maximum_bytes) == (2, 2 << 30, 8 << 30)
    assert sample.vcpu_total_ns is not None


def test_a_uri_that_leads_nowhere_is_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    pytest.importorskip("libvirt")
    pretend(monkeypatch, tmp_path, {}, ("libvirtd.service",))
    with pytest.raises(SourceDown) as down:
        LibvirtSource(f"qemu+unix:///system?socket={tmp_path}/none").open(lambda: None)
    assert f"{tmp_path}/none" in down.value.reason
    assert "systemctl start libvirtd" in down.value.remedy


def test_a_host_with_many_domains_is_asked_less_often() -> None:
    assert pace(10_000_000) == 2.0
    assert pace(60_000_000) == pytest.approx(3.0)
    assert pace(2_000_000_000) == 5.0
