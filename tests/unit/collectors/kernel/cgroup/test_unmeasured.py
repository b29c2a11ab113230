"""What the kernel does not measure of a group is noted with its cause, on trees made of ordinary files."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.kernel.cgroup.hierarchy import UNIFIED, Hierarchy, Mode
from collectors.kernel.cgroup.identity import Identity
from collectors.kernel.cgroup.open_files import CgroupDirs
from collectors.kernel.cgroup.unmeasured import unmeasured_files, unmeasured_network
from collectors.kernel.procfs import Process
from collectors.model.unmeasured import Cause, Topic
from collectors.model.workloads import Kind, Unmeasured, WorkloadId
from tests.unit.collectors.kernel.cgroup.test_captured_tree import proc, tree, write
from tests.unit.collectors.kernel.cgroup.test_source import ID, opened

__all__ = ["proc", "tree"]
V2_FILES = ("memory.current", "io.stat", "pids.current", "cpu.max", "cpu.stat", "cpu.pressure")
V1_FILES = {
    "memory": ("memory.usage_in_bytes",),
    "blkio": ("blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_serviced_recursive"),
    "pids": ("pids.current",),
    "cpu": ("cpu.stat",),
    "cpuacct": ("cpuacct.usage",),
}


def v2_group(folder: Path, *missing: str) -> CgroupDirs:
    write(folder, dict.fromkeys((name for name in V2_FILES if name not in missing), ""))
    return CgroupDirs("/one", Hierarchy(Mode.V2), {UNIFIED: str(folder)})


def v1_group(folder: Path, *missing: str) -> CgroupDirs:
    places = {name: str(folder / name) for name in V1_FILES}
    for name, files in V1_FILES.items():
        write(folder / name, {} if name in missing else dict.fromkeys(files, ""))
    return CgroupDirs("/one", Hierarchy(Mode.V1, places), places)


def without_operations(notes: tuple[Unmeasured, ...]) -> tuple[Unmeasured, ...]:
    """Leave out disk operations, which are missing wherever disk traffic is."""
    topics = {note.topic for note in notes}
    assert (Topic.DISK in topics) is (Topic.DISK_OPERATIONS in topics)
    return tuple(note for note in notes if note.topic != Topic.DISK_OPERATIONS)


def host_with_psi(folder: Path) -> str:
    write(folder / "proc" / "pressure", {"cpu": ""})
    return str(folder / "proc")


@pytest.mark.parametrize(("missing", "note"), [
    ("memory.current", Unmeasured(Topic.MEMORY, Cause.NO_CONTROLLER, "memory")),
    ("io.stat", Unmeasured(Topic.DISK, Cause.NO_CONTROLLER, "io")),
    ("pids.current", Unmeasured(Topic.TASKS, Cause.NO_CONTROLLER, "pids")),
    ("cpu.max", Unmeasured(Topic.QUOTA, Cause.NO_CONTROLLER, "cpu")),
    ("cpu.pressure", Unmeasured(Topic.PRESSURE, Cause.NO_PSI)),
])  # fmt: skip
def test_a_controller_that_is_not_enabled_is_named(missing: str, note: Unmeasured, tmp_path: Path) -> None:
    notes = unmeasured_files(v2_group(tmp_path / "one", missing), False, None, host_with_psi(tmp_path))
    assert without_operations(notes) == (note,)


@pytest.mark.parametrize(("missing", "note"), [
    ("memory", Unmeasured(Topic.MEMORY, Cause.NO_CONTROLLER, "memory")),
    ("blkio", Unmeasured(Topic.DISK, Cause.NO_CONTROLLER, "blkio")),
    ("pids", Unmeasured(Topic.TASKS, Cause.NO_CONTROLLER, "pids")),
    ("cpu", Unmeasured(Topic.QUOTA, Cause.NO_CONTROLLER, "cpu")),
    ("cpuacct", Unmeasured(Topic.CPU, Cause.NO_CONTROLLER, "cpuacct")),
])  # fmt: skip
def test_v1_has_the_same_causes_and_never_pressure(missing: str, note: Unmeasured, tmp_path: Path) -> None:
    notes = unmeasured_files(v1_group(tmp_path / "one", missing), False, None, host_with_psi(tmp_path))
    assert set(without_operations(notes)) == {note, Unmeasured(Topic.PRESSURE, Cause.NO_PSI_ON_V1)}


def test_pressure_may_be_switched_off_for_a_group_or_missing_in_the_kernel(tmp_path: Path) -> None:
    group = v2_group(tmp_path / "one")
    assert unmeasured_files(group, False, None, host_with_psi(tmp_path)) == ()
    write(tmp_path / "one", {"cgroup.pressure": "0\n"})
    off = (Unmeasured(Topic.PRESSURE, Cause.PSI_OFF),)
    assert unmeasured_files(group, False, None, host_with_psi(tmp_path)) == off
    no_psi = (Unmeasured(Topic.PRESSURE, Cause.NO_PSI),)
    assert unmeasured_files(group, False, None, str(tmp_path / "none")) == no_psi


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group = v2_group(tmp_path / "one")
    monkeypatch.setattr("os.access", lambda path, mode: not path.endswith(("memory.current", "/7/io")))
    notes = unmeasured_files(group, False, None, host_with_psi(tmp_path))
    assert notes == (Unmeasured(Topic.MEMORY, Cause.NO_RIGHT, f"{tmp_path}/one/memory.current"),)


def test_disk_traffic_that_is_counted_per_process_needs_a_process_and_has_no_operations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, proc_root = v2_group(tmp_path / "one"), host_with_psi(tmp_path)
    operations = Unmeasured(Topic.DISK_OPERATIONS, Cause.ONLY_PROCESS_IO)
    monkeypatch.setattr("os.access", lambda path, mode: not path.endswith("/7/io"))
    hidden = Unmeasured(Topic.DISK, Cause.NO_PROCESS_IO)
    assert unmeasured_files(group, True, 7, proc_root) == (operations, hidden)
    assert unmeasured_files(group, True, None, proc_root) == (operations, Unmeasured(Topic.DISK, Cause.NO_PROCESS))
    assert unmeasured_files(group, True, 8, proc_root) == (operations,)


HOST, OWN = "net:[1]", "net:[2]"


@pytest.mark.parametrize(("kind", "namespace", "network", "owner", "cause"), [
    (Kind.CONTAINER, OWN, OWN, None, None),
    (Kind.CONTAINER, HOST, None, None, Cause.HOST_NETWORK),
    (Kind.SERVICE, HOST, None, None, Cause.HOST_NETWORK),
    (Kind.CONTAINER, OWN, OWN, "/docker/other", Cause.SHARED_NETWORK),
    (Kind.SERVICE, None, None, None, Cause.NO_RIGHT),
    (Kind.CONTAINER, None, "", None, Cause.NO_RIGHT),
    (Kind.VM, HOST, None, None, None),
])  # fmt: skip
def test_whose_network_it_is(
    kind: Kind, namespace: str | None, network: str | None, owner: str | None, cause: Cause | None, tmp_path: Path
) -> None:
    (tmp_path / "7" / "ns").mkdir(parents=True)
    if namespace is not None:
        (tmp_path / "7" / "ns" / "net").symlink_to(namespace)
    identity = Identity(WorkloadId("docker", "a"), "a", True, process=Process(7, 1), network=network)
    note = unmeasured_network(kind, identity, owner, HOST, str(tmp_path))
    assert (None if note is None else note.cause) == cause
    assert note is None or note.topic == Topic.NETWORK


def test_the_source_notes_it_in_the_workload_and_notices_a_change(tree: Path, proc: Path) -> None:
    write(proc / "pressure", {"cpu": ""})
    (tree / "docker" / ID / "pids.current").unlink()
    source = opened(tree, proc=str(proc))
    identity = WorkloadId("docker", ID)
    missing = Unmeasured(Topic.TASKS, Cause.NO_CONTROLLER, "pids")
    source.read()
    assert missing in source.read().workloads[identity].unmeasured
    first, second = (source.read().workloads[identity] for _ in range(2))
    assert first is second, "nothing changed"
    write(tree / "docker" / ID, {"pids.current": "3\n"})
    readings = [source.read().workloads[identity] for _ in range(70)]
    source.close()
    assert missing not in readings[-1].unmeasured
