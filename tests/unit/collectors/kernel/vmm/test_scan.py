"""VMM processes are found when they begin, and forgotten when they end, whatever pids are reused for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from collectors.kernel.vmm.scan import SCAN_EVERY_S, VmmScan, machine_of
from tests.helpers.process_tree import capture
from tests.helpers.vmm_commands import COMMANDS, QEMU, SANDBOX


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Host:
    """A procfs whose processes the test makes, and the scan over it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        self.scan = VmmScan(str(folder), self.clock, str(folder / "sys"))

    def start(self, pid: int, name: str, start: int = 500, executable: str = QEMU, parent: int = 1) -> None:
        self.end(pid)
        command = f"{executable}\0-name\0{name}\0".encode()
        folder = capture(self.folder, pid, "qemu", start=start, command=command, parent=parent)
        (folder / "exe").symlink_to(executable)

    def end(self, pid: int) -> None:
        shutil.rmtree(self.folder / str(pid), ignore_errors=True)

    def look(self, times: int = 1) -> dict[int, str]:
        for _ in range(times):
            self.clock.now += SCAN_EVERY_S
            self.scan.update()
        return {pid: process.name for pid, process in self.scan.processes.items()}


def test_a_machine_is_found_and_forgotten(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.start(42, "web")
    assert host.look() == {42: "web"}
    host.end(42)
    assert host.look() == {}


def test_a_scan_is_made_only_when_it_is_time(tmp_path: Path) -> None:
    host = Host(tmp_path)
    assert host.scan.update() == {}
    host.start(42, "web")
    assert host.scan.update() == {}
    assert host.look() == {42: "web"}
    assert host.scan.scans == 2


def test_a_shell_that_becomes_a_machine_just_after_its_start_is_found(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.start(42, "web", executable="/bin/sh")
    assert host.look() == {}
    host.start(42, "web")
    assert host.look() == {42: "web"}


def test_a_process_that_becomes_a_machine_later_is_found_within_a_minute(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.start(42, "web", executable="/bin/sh")
    host.look(5)
    host.start(42, "web")
    assert host.look(30) == {42: "web"}


def test_a_reused_pid_is_another_machine_once_the_old_one_was_seen_to_end(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.start(42, "old")
    host.look()
    host.start(42, "new", start=900)
    host.scan.forget(42)
    assert host.look() == {42: "new"}
    assert host.scan.processes[42].own_id == "42-900"


def test_a_known_process_is_not_looked_at_in_every_scan(tmp_path: Path) -> None:
    host = Host(tmp_path)
    for pid in range(100, 160):
        host.start(pid, f"vm{pid}")
    host.look(3)
    for pid in range(100, 160):
        host.start(pid, "changed")
    names = host.look().values()
    assert 0 < list(names).count("changed") <= 2


def test_without_a_procfs_there_are_no_machines(tmp_path: Path) -> None:
    assert Host(tmp_path / "missing").look() == {}


def test_a_machine_is_found_again_by_its_workload(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.start(42, "web")
    host.start(43, "db", start=700)
    found = machine_of("vmm", "43-700", str(tmp_path))
    assert found is not None
    assert found.name == "db"
    assert machine_of("vmm", "43-500", str(tmp_path)) is None
    assert machine_of("proxmox", "43-700", str(tmp_path)) is None


def test_a_process_that_a_vmm_starts_as_a_copy_of_itself_is_no_machine(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.start(42, "web")
    host.start(43, "web", start=501, parent=42)
    host.start(44, "nested", start=502, parent=42)
    assert host.look() == {42: "web", 44: "nested"}


def test_an_unknown_program_that_runs_a_machine_with_kvm_is_a_machine(tmp_path: Path) -> None:
    host = Host(tmp_path)
    for name in ("42-11", "43-12", "44-9", "vcpu_stats", "99-1"):
        (tmp_path / "sys/kernel/debug/kvm" / name).mkdir(parents=True)
    host.start(42, "", executable="/opt/own/hypervisor")
    host.start(43, "known")
    assert host.look() == {42: "hypervisor", 43: "known"}
    assert machine_of("vmm", "42-500", str(tmp_path), str(tmp_path / "sys")) is not None


def test_the_machine_of_a_pod_has_the_name_of_the_pod(tmp_path: Path) -> None:
    host = Host(tmp_path)
    command = COMMANDS["Kata with QEMU"]
    shim = capture(tmp_path, 41, "containerd-shim", command=b"/usr/bin/containerd-shim-kata-v2\0-namespace\0k8s.io\0")
    bundle = tmp_path / "bundles" / SANDBOX
    bundle.mkdir(parents=True)
    (shim / "cwd").symlink_to(bundle)
    annotations = {"container-type": "sandbox", "sandbox-namespace": "shop", "sandbox-name": "web-0"}
    config = {"annotations": {f"io.kubernetes.cri.{key}": value for key, value in annotations.items()}}
    (bundle / "config.json").write_text(json.dumps(config))
    folder = capture(tmp_path, 42, "qemu", command="".join(f"{word}\0" for word in command.words).encode(), parent=41)
    (folder / "exe").symlink_to(command.program)
    assert host.look() == {42: "web-0"}
    process = host.scan.processes[42]
    assert (process.id, process.name_is_known, process.facts.project) == (SANDBOX, True, "shop/web-0")
