"""Bare metal, virtual machines and containers as classes: each value measured, or a reason why not."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from collectors.analysis.startup_times import Startup
from collectors.comparison import isolation_summary
from collectors.comparison.overhead import EngineProcesses, ProcessUsage, cpu_of, find_shim, memory_of
from collectors.comparison.window_statistics import fill
from collectors.comparison.workload_classes import CLASSES, classify, measured, rows_of, started
from collectors.engines.libvirt import facts, guest_agent
from collectors.engines.libvirt.connection import LibvirtDaemon
from collectors.engines.systemd import unit
from collectors.model.facts import ROWS, Fact, unknown
from collectors.model.workloads import Kind
from tests.unit.collectors.session.test_session_file import fleet_frames, write
from tests.unit.tui.cli.test_main import fleet, run
from tui.presenters.comparison.class_table import ROW_TYPES
from tui.presenters.comparison.classes import as_text, document

__all__ = ["fleet"]

WAITING_POINTS = 12.0
"""Of waiting, in percent: the readings and the second authority are of seconds that only overlap."""
VMTOP = str(Path(sys.executable).parent / "vmtop")
XML = """<domain type='kvm'><os><type machine='pc-q35-7.2'>hvm</type></os>
<seclabel model='dac'/><seclabel model='selinux'/>
<metadata><l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'>
<l:os id='http://debian.org/debian/12'/></l:libosinfo></metadata></domain>"""


# --- pure ------------------------------------------------------------------------------------------------------------


def test_a_definition_tells_how_a_machine_is_kept_apart_and_what_it_runs() -> None:
    root = ElementTree.fromstring(XML)  # noqa: S314  # the test's own
    assert facts.isolation(root).value == "hardware (kvm, type 2), pc-q35-7.2, dac + selinux"
    assert facts.system(root).value == "debian 12, its own kernel"
    bare = ElementTree.fromstring("<domain type='qemu'><launchSecurity type='sev'/></domain>")  # noqa: S314
    assert facts.isolation(bare).value == "emulated (tcg, type 2), no label, confidential: sev"
    assert facts.system(bare).value is None
    assert "guest agent" in facts.system(bare).how
    silent = unknown("its guest agent has not answered for 3 s")
    assert facts.system(root, silent).how.endswith(silent.how), "why there is nothing better than the claim"
    asked = Fact("Debian 13, kernel 6.12", "its guest agent, asked at 10:00:00")
    assert facts.system(root, asked) == asked
    assert facts.isolation(None).value is None


def test_a_unit_tells_its_activation_its_user_and_what_shuts_it_in() -> None:
    took = unit.activation({"InactiveExitTimestampMonotonic": 5_000_000, "ActiveEnterTimestampMonotonic": 6_250_000})
    assert took["startup_running_seconds"].value == 1.25
    never = unit.activation({"InactiveExitTimestampMonotonic": 0, "ActiveEnterTimestampMonotonic": 0})
    assert never["startup_running_seconds"].value is None
    told = unit.sandbox(
        {"User": "web", "PrivateTmp": True, "ProtectSystem": "strict", "ProtectHome": "no", "RestrictNamespaces": 0}
    )
    assert (told["user"].value, told["sandbox"].value) == ("web", "PrivateTmp RestrictNamespaces ProtectSystem=strict")
    open_wide = unit.sandbox({"RestrictNamespaces": (1 << 64) - 1, "ProtectSystem": "no"})
    assert (open_wide["user"].value, open_wide["sandbox"].value) == ("root", "")
    shown = isolation_summary.of_service(None, told)
    assert shown.value == "user web, 3 sandbox settings"
    assert "ProtectSystem=strict" in shown.how
    assert isolation_summary.of_service(None, open_wide).value == "user root, no sandbox settings"
    assert isolation_summary.of_service(None, {}).value is None


def test_an_agent_is_asked_only_where_libvirt_says_that_one_listens() -> None:
    def domain(attributes: str) -> ElementTree.Element:
        target = f"<target type='virtio' name='org.qemu.guest_agent.0' {attributes}/>"
        return ElementTree.fromstring(f"<domain><devices><channel>{target}</channel></devices></domain>")  # noqa: S314

    assert guest_agent.is_connected(domain("state='connected'"))
    assert not guest_agent.is_connected(domain("state='disconnected'"))
    assert not guest_agent.is_connected(domain(""))
    assert not guest_agent.is_connected(None)


def test_what_a_guest_says_of_itself_is_inert_text() -> None:
    told = guest_agent.system_of({"os.pretty-name": "Evil\x1b[2J 1", "os.kernel-release": "6.1"}, "10:00:00")
    assert told.value == "Evil\ufffd[2J 1, kernel 6.1"
    assert "10:00:00" in told.how
    assert guest_agent.system_of({}, "10:00:00").value is None


def test_an_agent_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    going = threading.Event()
    monkeypatch.setattr(guest_agent, "_ask", lambda reach, uuid: going.wait(20))
    told = guest_agent.ask_system(LibvirtDaemon(), "no-uuid", 0.05)
    going.set()
    assert told.value is None
    assert "its guest agent has not answered" in told.how


def test_backing_files_count_once(tmp_path: Path) -> None:
    base = tmp_path / "base.img"
    base.write_bytes(b"x" * 100_000)
    store = f"<backingStore><source file='{base}'/></backingStore>"
    deep = f"<backingStore><source file='{tmp_path}/none'/>{store}</backingStore>"
    disks = f"<disk>{store}</disk><disk>{deep}</disk><disk><backingStore/></disk>"
    xml = ElementTree.fromstring(f"<domain><devices>{disks}</devices></domain>")  # noqa: S314  # the test's own
    assert facts.backing_bytes(xml) == base.stat().st_blocks * 512
    assert facts.backing_bytes(None) == 0


def test_a_window_gives_means_and_what_it_lacks_a_reason() -> None:
    frames = fleet_frames(60, 12)
    identities = list(frames[0].workloads)
    window = fill(frames, identities, 0.0)
    for identity in identities:
        past = window.past(identity)
        assert past is not None
        told = measured(past)
        known = [value for value in past.values["memory_host_bytes"] if value is not None]
        if known:
            assert told["memory_host_bytes"].value == pytest.approx(sum(known) / len(known))
            assert f"{len(known)} readings" in told["memory_host_bytes"].how
        guest = told["disk_guest_bytes_per_second"]
        assert (guest.value is None) == (past.workload.kind is not Kind.VM)
        assert all(one.how for one in told.values())


def test_only_witnessed_starts_have_a_time() -> None:
    none = started(None)
    assert all(told.value is None and "was observed" in told.how for told in none.values())
    seen = started(Startup(1.0, "create event", 0.4, 2.5, "first network packet"))
    assert seen["startup_running_seconds"].value == 0.4
    assert seen["startup_ready_seconds"] == Fact(2.5, "from create event to ready, by its first network packet")
    half = started(Startup(1.0, "start event"))
    assert [told.value for told in half.values()] == [None, None]


def table() -> Any:
    frames = fleet_frames(30, 12)
    window = fill(frames, list(frames[0].workloads), 0.0)
    pasts = [past for identity in frames[0].workloads if (past := window.past(identity)) is not None]
    facts = {past.workload.id: {"isolation": unknown("\x1b no")} for past in pasts}
    return classify(pasts, facts, {}, frames[-1])


def test_every_row_has_a_value_or_a_reason_for_every_workload() -> None:
    classes = table()
    for row, values in rows_of(classes):
        assert set(values) == set(CLASSES)
        for kind, told in values.items():
            assert len(told) == classes.density[kind].total, row.key
            assert all(one.value is not None or one.how for _, one in told)


def test_the_text_fits_80_columns_and_the_document_has_every_row() -> None:
    classes = table()
    lines = as_text(classes).splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert "Not measured here:" in lines
    for row_type in ROW_TYPES:
        assert any(line.startswith(f"  {row_type.name}") for line in lines), row_type.name
    told = json.loads(json.dumps(document(classes, 30.0)))
    assert [row["key"] for row in told["rows"]] == [row.key for row in ROWS]
    for row in told["rows"]:
        for values in row["classes"].values():
            assert all(("how" in value) != ("why_not" in value) for value in values)


def test_what_was_given_is_added_up_without_those_that_have_no_limit() -> None:
    frames = fleet_frames(5, 30)
    window = fill(frames, list(frames[0].workloads), 0.0)
    pasts = [past for identity in frames[0].workloads if (past := window.past(identity)) is not None]
    density = classify(pasts, {}, {}, frames[-1]).density[Kind.CONTAINER]
    limits = [
        samples[0].memory_limit_bytes
        for identity, samples in frames[-1].samples.items()
        if identity in frames[-1].workloads and frames[-1].workloads[identity].kind is Kind.CONTAINER
    ]
    known = [limit for limit in limits if limit is not None and limit < frames[0].memory_bytes]
    assert (density.memory_bytes, density.memory_of) == (sum(known), len(known))


def test_a_process_without_a_shim_says_so() -> None:
    assert find_shim(os.getpid()) is None
    assert find_shim(None) is None
    nothing = (None, EngineProcesses((), 0))
    assert cpu_of(nothing, nothing).value is None
    assert memory_of(*nothing).value is None


def test_a_container_pays_its_shim_and_its_share_of_the_engine() -> None:
    def at(second: float, shim_s: float, engine_s: float) -> tuple[ProcessUsage, EngineProcesses]:
        engine = ProcessUsage(7, "dockerd", engine_s, 80 << 20, second)
        return ProcessUsage(9, "containerd-shim", shim_s, 10 << 20, second), EngineProcesses((engine,), 4)

    assert memory_of(*at(0.0, 0.0, 0.0)).value == 30 << 20
    told = cpu_of(at(0.0, 1.0, 10.0), at(10.0, 1.5, 12.0))
    assert told.value == pytest.approx((0.5 + 2.0 / 4) / 10 * 100)
    assert "4 containers" in told.how
    again = at(10.0, 1.5, 12.0)
    restarted = again[0], EngineProcesses((again[1].processes[0]._replace(pid=8),), 4)
    told = cpu_of(at(0.0, 1.0, 10.0), restarted)
    assert told.value == pytest.approx(5.0), "of an engine that was not there before nothing is known"


def test_a_process_that_was_given_the_pid_of_a_shim_or_an_engine_is_another_one() -> None:
    shim = ProcessUsage(9, "containerd-shim", 1.0, 10 << 20, 0.0, started_at=100.0)
    engine = ProcessUsage(7, "dockerd", 10.0, 80 << 20, 0.0, started_at=100.0)
    before = (shim, EngineProcesses((engine,), 1))
    later = shim._replace(cpu_s=1.5, at=10.0)
    reused = engine._replace(cpu_s=90.0, at=10.0, started_at=200.0)
    assert cpu_of(before, (later, EngineProcesses((reused,), 1))).value == pytest.approx(5.0)
    assert cpu_of(before, (later._replace(started_at=200.0), EngineProcesses((engine,), 1))).value is None


@pytest.mark.usefixtures("fleet")
def test_the_command_prints_the_classes_of_this_host() -> None:
    told = run("compare", "--window", "1s")
    assert told.exit_code == 0
    assert told.stdout.splitlines()[0].split() == ["PER", "WORKLOAD", "BARE", "METAL", "MACHINES", "CONTAINERS", "BEST"]
    assert all(len(line) <= 80 for line in told.stdout.splitlines())
    assert run("compare", "--session", "none.gz").exit_code == 1
    assert run("compare", "--stat", "max").exit_code == 2


def test_a_session_has_the_classes_that_were_measured_then(tmp_path: Path) -> None:
    path = write(tmp_path / "a.vmtop.gz", fleet_frames(60, 20))
    told = json.loads(run("compare", "--session", str(path), "--json").stdout)
    rows = {row["key"]: row["classes"] for row in told["rows"]}
    assert all(one["value"] is None for one in rows["isolation"]["vm"])
    assert "session" in rows["isolation"]["vm"][0]["why_not"]
    assert any(one["value"] for one in rows["memory_host_bytes"]["container"])
    assert told["window_seconds"] == 59
    shown = run("compare", "--session", str(path), "--window", "10s").stdout
    assert all(len(line) <= 80 for line in shown.splitlines())
