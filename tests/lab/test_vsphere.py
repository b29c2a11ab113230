"""The vSphere source on govmomi's simulator: rows, numbers, events, and servers that are not as they should be."""

from __future__ import annotations

import hashlib
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest

from collectors.analysis.rates import Deriver, Moment, Reading
from collectors.engines.registry import load_source, specs_from
from collectors.engines.vsphere import bounded_stub
from collectors.engines.vsphere.access import VsphereAccess
from collectors.engines.vsphere.source import VsphereSource
from collectors.model.errors import AccessDenied, NotInTime, SourceDown, SourceError
from collectors.model.workloads import Event, Frame, Kind, State, Workload, WorkloadId
from collectors.sampling.sampler import Sampler
from collectors.sampling.source import SourceReading, SourceSpec
from tests.helpers.lab.process import wait_until
from tests.helpers.lab.vcsim import Simulator, front, silent_server, simulator, write_password

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("credentials")]
WEB = Workload(WorkloadId("vsphere", "5000"), Kind.VM, "web")
HOST_MHZ = 2294
"""Clock of the simulator's hosts."""


@contextmanager
def opened(url: str, wake: object = None) -> Iterator[VsphereSource]:
    source = VsphereSource(url)
    source.open(wake if callable(wake) else lambda: None)
    try:
        yield source
    finally:
        source.close()


def moment_of(*readings: SourceReading) -> Moment:
    """Return the moment after readings that follow each other; there is nothing else than them."""
    deriver = Deriver()
    for number, reading in enumerate(readings):
        moment = deriver.feed(
            Frame(
                number,
                0.0,
                0,
                Workload(WorkloadId("host", "h"), Kind.HOST, "h"),
                reading.workloads,
                reading.samples,
                (),
            )
        )
    return moment


def by_name(moment: Moment) -> dict[str, Reading]:
    return {reading.workload.name: reading for reading in moment.readings.values()}


def averages_in(body: bytes) -> dict[str, dict[int, int]]:
    """Return the newest value of each counter in an answer to QueryPerf, by machine."""
    found: dict[str, dict[int, int]] = {}
    for answer in ElementTree.fromstring(body).iterfind(".//{*}returnval"):  # noqa: S314  # our own server
        values = found.setdefault(answer.findtext("{*}entity") or "", {})
        for series in answer.iterfind("{*}value"):
            number = series.find("{*}id/{*}counterId")
            newest = series.find("{*}value")  # the simulator's samples begin with the newest
            if number is not None and newest is not None:  # it leaves out what it has no figures for
                values[int(number.text or "")] = int(newest.text or "")
    return found


def test_lists_the_machines_of_an_esxi_host_and_the_host(esxi: Simulator) -> None:
    with opened(esxi.url()) as source:
        reading = source.read()
    found = {workload.name: workload for workload in reading.workloads.values()}
    assert set(found) == {"ha-host_VM0", "ha-host_VM1", "ha-host_VM2", "localhost.localdomain"}
    machine, host = found["ha-host_VM1"], found["localhost.localdomain"]
    with esxi.machines() as machines:
        assert machine.id == WorkloadId("vsphere", machines["ha-host_VM1"].config.instanceUuid)
    assert (machine.kind, machine.state, machine.endpoint) == (Kind.VM, State.RUNNING, esxi.address)
    assert (host.kind, host.state, host.image) == (Kind.HOST, State.RUNNING, "VMware ESXi 6.5.0 build-5969303")
    assert machine.parent == host.id
    assert machine.project == host.name
    sample = reading.samples[machine.id][0]
    assert (sample.vcpus, sample.memory_limit_bytes) == (1, 32 << 20)
    assert reading.detail.startswith("VMware ESXi 6.5.0, 3/3 running, 1 host")


def test_every_number_is_the_average_that_the_server_answered(esxi: Simulator) -> None:
    bodies: list[bytes] = []

    def note(body: bytes) -> bytes:
        bodies.extend([body] if b"QueryPerfResponse" in body else [])
        return body

    with front(esxi.address, note) as between, opened(esxi.url(address=between.address)) as source:
        moment = moment_of(source.read(), source.read())
    with esxi.truth() as content, esxi.machines() as machines:
        numbers = {
            f"{info.groupInfo.key}.{info.nameInfo.key}.{info.rollupType}": int(info.key)
            for info in content.perfManager.perfCounter
        }
        key = machines["ha-host_VM2"]._moId
    truth = averages_in(bodies[0])[key]
    reading = by_name(moment)["ha-host_VM2"]

    def said(counter: str) -> int:
        return truth[numbers[counter]]

    expected = {
        "cpu_percent": said("cpu.usagemhz.average") / HOST_MHZ * 100,
        "cpu_steal_percent": said("cpu.ready.summation") / 20_000 * 100,
        "cpu_wait_percent": said("cpu.ready.summation") / 20_000 * 100,
        "memory_host_bytes": said("mem.consumed.average") * 1024,
        "disk_read_bytes_per_second": said("disk.read.average") * 1024,
        "disk_write_bytes_per_second": said("disk.write.average") * 1024,
        "net_rx_bytes_per_second": said("net.received.average") * 1024,
        "net_tx_bytes_per_second": said("net.transmitted.average") * 1024,
    }
    assert {name: reading.value(name) for name in expected} == pytest.approx(expected, rel=1e-6)
    assert reading.value("cpu_seconds") is None, "the time since its start is not known"


def test_a_beat_is_one_property_read_and_one_query_for_three_hundred_machines(lab_root: Path) -> None:
    with (
        simulator(lab_root, "many", "-vm", "150") as many,
        front(many.address) as between,
        opened(many.url(address=between.address)) as source,
    ):
        first = source.read()
        before = [name for name in between.methods if name != "WaitForUpdatesEx"]
        source._queried = 0.0  # as after a beat
        moment = moment_of(first, source.read())
        asked = [name for name in between.methods if name != "WaitForUpdatesEx"][len(before) :]
    machines = [reading for reading in moment.readings.values() if reading.workload.kind is Kind.VM]
    assert len(machines) == 300
    assert [reading.pairs for reading in machines if reading.value("cpu_percent") is None] == []
    assert asked == ["RetrievePropertiesEx", "QueryPerf"]


def test_remote_machines_and_hosts_are_no_part_of_this_hosts_ledger(vcenter: Simulator) -> None:
    moments: list[Moment] = []
    deriver = Deriver()
    sampler = Sampler([SourceSpec("host"), SourceSpec("vsphere", {"url": vcenter.url()})], load_source, 0.2)
    sampler.on_frame(lambda frame: moments.append(deriver.feed(frame)))
    sampler.start()
    try:
        wait_until(lambda: bool(moments) and _has_rates(moments[-1]), 20, "rates of the machines")
    finally:
        sampler.stop()
    ledger = moments[-1].ledger
    assert ledger.cpu_cores is not None
    assert ledger.memory_bytes is not None
    assert (ledger.cpu_cores.vm, ledger.memory_bytes.vm) == (0.0, 0.0)
    assert len([one for one in moments[-1].readings.values() if one.workload.kind is Kind.HOST]) == 4


def _has_rates(moment: Moment) -> bool:
    values = [one.value("cpu_percent") for one in moment.readings.values() if one.workload.state is State.RUNNING]
    return bool(values) and None not in values


def test_the_life_of_a_machine_is_told_within_seconds(vcenter: Simulator) -> None:
    from pyVmomi import vim

    woken = threading.Event()
    events: list[Event] = []

    def told(source: VsphereSource, *what: str) -> bool:
        events.extend(source.read().events if woken.is_set() else ())
        return [event.what for event in events] == list(what)

    with vcenter.machines() as machines, opened(vcenter.url(), woken.set) as source:
        wait_until(lambda: bool(source._events and source._events._known), 10, "the state before")
        machine = machines["DC0_C0_RP0_VM0"]
        machine.PowerOffVM_Task()
        wait_until(lambda: told(source, "stop"), 10, "the stop")
        assert _state(source, "DC0_C0_RP0_VM0") is State.STOPPED
        machine.Rename_Task("renamed")
        machine.PowerOnVM_Task()
        wait_until(lambda: "start" in [event.what for event in events] or told(source, ""), 10, "the start")
        machine.Rename_Task("DC0_C0_RP0_VM0")
        placed = vim.vm.CloneSpec(location=vim.vm.RelocateSpec(), powerOn=False, template=False)
        machine.CloneVM_Task(machine.parent, "clone", placed)
        wait_until(lambda: "create" in [event.what for event in events] or told(source, ""), 10, "the creation")
        assert _state(source, "clone") is State.STOPPED
        other = machines["DC0_C0_RP0_VM2"]
        other.PowerOffVM_Task()
        other.Destroy_Task()
        wait_until(lambda: "remove" in [event.what for event in events] or told(source, ""), 10, "the removal")
        assert "DC0_C0_RP0_VM2" not in {one.name for one in source.read().workloads.values()}
    assert {event.workload.engine for event in events} == {"vsphere"}


def _state(source: VsphereSource, name: str) -> State:
    return next(one.state for one in source.read().workloads.values() if one.name == name)


def test_a_vpx_uri_shows_the_machines_of_its_host_alone(vcenter: Simulator) -> None:
    uri = vcenter.url(scheme="vpx").replace("/?", "/DC0/DC0_H0?")
    with opened(uri) as source:
        workloads = source.read().workloads.values()
    assert {workload.project for workload in workloads} == {"DC0_H0"}
    assert [workload.name for workload in workloads if workload.kind is Kind.HOST] == ["DC0_H0"]


def test_templates_are_counted_but_not_listed(vcenter: Simulator) -> None:
    with vcenter.machines() as machines, opened(vcenter.url()) as source:
        machine = machines["DC0_H0_VM2"]
        machine.PowerOffVM_Task()
        machine.MarkAsTemplate()
        reading = source.read()
    assert "DC0_H0_VM2" not in {workload.name for workload in reading.workloads.values()}
    assert reading.detail.endswith(", 1 template")


def test_a_hostile_name_cannot_steer_the_terminal(esxi: Simulator) -> None:
    from pyVmomi import vim

    with esxi.machines() as machines, opened(esxi.url()) as source:
        machine = machines["ha-host_VM0"]
        machine.ReconfigVM_Task(vim.vm.ConfigSpec(name="a\u202eb\u200bc" + "x" * 5000))
        names = {workload.name for workload in source.read().workloads.values()}
        machine.ReconfigVM_Task(vim.vm.ConfigSpec(name="ha-host_VM0"))
    hostile = next(name for name in names if name.startswith("a"))
    assert hostile.isprintable()
    assert len(hostile) <= 256


def test_closing_ends_the_thread_of_events(esxi: Simulator) -> None:
    with opened(esxi.url()) as source:
        assert source._events is not None
        thread = source._events._thread
        wait_until(lambda: bool(source._events and source._events._known), 10, "the waiting call")
    wait_until(lambda: not thread.is_alive(), 5, "the end of the thread")


def test_a_server_that_hangs_fails_the_call_and_does_not_hold_up_the_close(
    lab_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_stub, "CALL_S", 1.0)
    with simulator(lab_root, "hanging", "-esx", "-vm", "1") as hanging, opened(hanging.url()) as source:
        source.read()
        hanging.daemon.freeze()
        with pytest.raises(SourceDown, match=f"vSphere at {hanging.address} has not answered in time"):
            source.read()
        began = time.monotonic()
        source.close()
        hanging.daemon.thaw()
    assert time.monotonic() - began < 5, "a call that hangs for ever would hold it up for ever"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [("silent", "has not answered in time"), ("refusing", "cannot be reached: Connection refused")],
)
def test_a_server_that_does_not_answer(answer: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_stub, "CALL_S", 0.3)
    with silent_server() as address:
        silent = address
    source = VsphereSource(f"vsphere://user@{silent}/?transport=http")
    if answer == "silent":
        with silent_server() as address, pytest.raises(NotInTime, match=sentence):
            VsphereSource(f"vsphere://user@{address}/?transport=http").open(lambda: None)
    else:
        with pytest.raises(SourceDown, match=sentence):
            source.open(lambda: None)


def test_a_wrong_password_is_tried_once_until_it_is_corrected(esxi: Simulator, credentials: Path) -> None:
    write_password(credentials, "wrong")
    with front(esxi.address) as between:
        source = VsphereSource(esxi.url(address=between.address))
        for _ in range(3):
            with pytest.raises(AccessDenied, match=r"refuses user user, or the password in .*auth\.conf"):
                source.open(lambda: None)
        access = VsphereAccess([SourceSpec("vsphere", {"url": esxi.url(address=between.address)})])
        with pytest.raises(AccessDenied), access.daemon(WEB).session():
            pass
        assert between.methods.count("Login") == 1, "a server locks the account after a few"
        write_password(credentials, "pass")
        source.open(lambda: None)
        source.close()


def test_a_password_that_others_can_read_is_not_used(esxi: Simulator, credentials: Path) -> None:
    credentials.chmod(0o644)
    with front(esxi.address) as between:
        with pytest.raises(AccessDenied, match=r"open to other users \(mode 0644\)") as refusal:
            VsphereSource(esxi.url(address=between.address)).open(lambda: None)
        assert between.methods == []
    assert refusal.value.remedy == f"chmod 600 {credentials}"


def test_only_a_trusted_or_pinned_certificate_gets_the_password(lab_root: Path) -> None:
    with simulator(lab_root, "secure", "-esx", "-tls", "-vm", "1") as secure:
        host, _, port = secure.address.partition(":")
        certificate = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((host, int(port))))
        digest = hashlib.sha256(certificate).hexdigest()
        with pytest.raises(SourceDown, match="a certificate that is not trusted") as refusal:
            VsphereSource(secure.url()).open(lambda: None)
        assert f"?thumbprint={digest}" in refusal.value.remedy
        with pytest.raises(SourceDown, match=f"another certificate .*{digest}"):
            VsphereSource(secure.url(f"thumbprint={'0' * 64}")).open(lambda: None)
        for parameter in (f"thumbprint={digest}", "no_verify=1"):
            with opened(secure.url(parameter)) as source:
                assert len(source.read().workloads) == 2


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"<a>" * 100_000, "its answer is longer than"),
        (b"<a>" * 20_000, "its answer is longer than"),
        (b"no XML", "its answer is not XML"),
        (b"<a xmlns='urn:vim25'><returnval/></a>", "does not answer as vSphere does"),
    ],
)
def test_an_answer_of_another_kind_is_refused(
    esxi: Simulator, body: bytes, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_stub.BoundedResponse, "_left", 100_000)
    monkeypatch.setattr(bounded_stub.BoundedResponse, "_tags_left", 10_000)
    with front(esxi.address, lambda _: body) as between, pytest.raises(SourceError, match=sentence):
        VsphereSource(esxi.url(address=between.address)).open(lambda: None)


def test_libvirts_uris_for_these_servers_lead_to_vsphere(esxi: Simulator) -> None:
    uri = esxi.url(scheme="esx")
    specs = {spec.name: spec for spec in specs_from({"libvirt": (uri,)})}
    assert specs["vsphere"].options == {"url": uri}
    assert specs["libvirt"].options == {"uri": None}, "this host's libvirt is read beside it"
    with opened(uri) as source:
        assert len(source.read().workloads) == 4
