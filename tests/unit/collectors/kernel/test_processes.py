"""The processes of this host, and of a captured procfs."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collectors.inspection.processes import Owners, below
from collectors.kernel.processes import details
from collectors.kernel.processes.details import ProcessDetailsReader, role_of
from collectors.kernel.processes.listing import ProcessListing
from collectors.kernel.processes.texts import ProcessTexts, read_text
from collectors.kernel.vmm.families import FAMILIES
from collectors.kernel.vmm.machine_facts import MachineFacts
from collectors.kernel.vmm.process import VmmProcess
from collectors.model.processes import Process, ProcessId
from collectors.model.workloads import Kind, Workload, WorkloadId
from collectors.safety import permissions
from tests.helpers.process_tree import add_thread, capture

TICKS, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


def process(pid: int, name: str = "web", start: int = 500, cgroup: str = "/", parent: int = 1) -> Process:
    return Process(ProcessId(pid, start), parent, name, "S", None, 0.0, 0, 1, (cgroup,))


def test_this_process_is_listed_with_its_cpu_use_from_the_second_pass_on() -> None:
    reader = ProcessListing()
    (first,) = reader.read([os.getpid()]).processes
    assert first.cpu_percent is None, "a first pass has nothing to compare with"
    assert first.memory_bytes > 1 << 20
    text = read_text("/proc", first)
    assert text is not None
    assert text.user == getpass.getuser()
    assert "python" in text.command
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
    (second,) = reader.read([os.getpid()]).processes
    assert second.id == first.id
    assert second.cpu_percent is not None
    assert second.cpu_percent > 0


def test_all_processes_are_read_where_none_are_named() -> None:
    assert {os.getpid(), os.getppid()} <= {each.pid for each in ProcessListing().read().processes}


def test_a_process_that_has_ended_is_left_out() -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    assert ProcessListing().read([child.pid]).processes == ()


def test_a_captured_procfs_is_read_instead_of_this_hosts(tmp_path: Path) -> None:
    capture(tmp_path, 7, "web) S 3", command=b"web\0--password=hunter2\0\x1b[2J\0", cgroup="/box/inner")
    capture(tmp_path, 8, "kworker/0:1", "I", parent=2)
    capture(tmp_path, 9, "go\x1bne", "Z")
    web, thread, gone = ProcessListing(str(tmp_path)).read([7, 8, 9]).processes
    assert (web.name, web.state, web.threads, web.memory_bytes) == ("web) S 3", "S", 3, 25 * PAGE)
    assert web.cpu_seconds == 150 / TICKS
    assert web.cgroups == ("/box/inner",)
    assert thread.is_kernel_thread
    assert "\x1b" not in gone.name
    texts = ProcessTexts(str(tmp_path)).read([web, thread, gone])
    assert texts[web.id].user == "4000000000"
    assert "hunter2" not in texts[web.id].command
    assert "\x1b" not in texts[web.id].command
    assert texts[thread.id].command == "[kworker/0:1]"


def test_another_process_with_the_same_pid_is_compared_with_nothing(tmp_path: Path) -> None:
    reader = ProcessListing(str(tmp_path))
    for start in (500, 900):
        capture(tmp_path, 7, "web", start=start, command=b"web\0")
        (only,) = reader.read([7]).processes
        assert only.cpu_percent is None
    assert read_text(str(tmp_path), process(7, start=500)) is None, "the text would be another process's"


def test_cpu_use_is_growth_by_the_time_between_the_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = ProcessListing(str(tmp_path))
    clock = iter(range(0, 100_000_000_000, 500_000_000))
    monkeypatch.setattr("collectors.kernel.processes.listing.time.monotonic_ns", lambda: next(clock))
    capture(tmp_path, 7, "web", ticks=100)
    reader.read([7])
    capture(tmp_path, 7, "web", ticks=100 + TICKS)
    (only,) = reader.read([7]).processes
    assert only.cpu_percent == pytest.approx(100.0), "one second of CPU time in one second: the clock moved twice"


def test_a_changed_name_means_another_program_and_its_text_is_read_again(tmp_path: Path) -> None:
    texts = ProcessTexts(str(tmp_path))
    capture(tmp_path, 7, "sh", command=b"sh\0")
    assert texts.read([process(7, "sh")])[ProcessId(7, 500)].command == "sh"
    capture(tmp_path, 7, "web", command=b"web\0--port\00080\0")
    assert texts.read([process(7, "sh")])[ProcessId(7, 500)].command == "sh", "kept"
    assert texts.read([process(7, "web")])[ProcessId(7, 500)].command.startswith("web")


def test_hidden_processes_are_announced_with_what_helps(tmp_path: Path) -> None:
    capture(tmp_path, 7, "web")
    assert "hidepid" in ProcessListing(str(tmp_path)).read().note
    capture(tmp_path, 1, "init")
    assert ProcessListing(str(tmp_path)).read().note == ""


def test_the_pid_inside_a_container_is_the_innermost(tmp_path: Path) -> None:
    capture(tmp_path, 7, "web", command=b"web\0", status="NSpid:\t7\t31\t1\n")
    capture(tmp_path, 8, "top", command=b"top\0", status="NSpid:\t8\n")
    inside, outside = (read_text(str(tmp_path), process(pid)) for pid in (7, 8))
    assert inside is not None
    assert outside is not None
    assert (inside.inner_pid, outside.inner_pid) == (1, None)


def test_a_process_in_full_has_its_folders_limits_and_threads(tmp_path: Path) -> None:
    folder = capture(tmp_path, 7, "web", command=b"web\0", cgroup="/box/web")
    (folder / "cwd").symlink_to("/srv")
    (folder / "fd").mkdir()
    (folder / "limits").write_text(
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max open files            1024                 524288               files     \n"
    )
    add_thread(tmp_path, 7, 7, "web", ticks=30)
    add_thread(tmp_path, 7, 9, "worker", ticks=40)
    (subject,) = ProcessListing(str(tmp_path)).read([7]).processes
    found = ProcessDetailsReader(str(tmp_path)).read(subject)
    assert found is not None
    facts = {fact.label: fact.value for fact in found.facts}
    assert facts["working directory"] == "/srv"
    assert facts["cgroup"] == "/box/web"
    assert facts["limit: open files"] == "1024, at most 524288"
    assert facts["program"] is None
    assert [(thread.tid, thread.name, thread.last_cpu) for thread in found.threads] == [
        (7, "web", 1),
        (9, "worker", 1),
    ]


def test_a_vcpu_thread_has_its_number_and_the_time_it_waited_for_a_core(tmp_path: Path) -> None:
    capture(tmp_path, 7, "qemu-system-x86", command=b"qemu\0", cgroup="/machine/vm/libvirt/emulator")
    add_thread(tmp_path, 7, 9, "CPU 1/KVM", ticks=10, waited_ns=0, cgroup="/machine/vm/libvirt/vcpu1")
    reader = ProcessDetailsReader(str(tmp_path))
    reader.read(process(7), is_vm=True)
    add_thread(tmp_path, 7, 9, "CPU 1/KVM", ticks=10, waited_ns=10**15, cgroup="/machine/vm/libvirt/vcpu1")
    details = reader.read(process(7), is_vm=True)
    assert details is not None
    (thread,) = details.threads
    assert thread.role == "vCPU 1"
    assert thread.wait_percent == 100.0, "never more than all of the time"


@pytest.mark.parametrize(
    ("name", "group", "role"),
    [
        ("qemu-system-x86", "/machine/vm/vcpu12", "vCPU 12"),
        ("CPU 3/TCG", "/", "vCPU 3"),
        ("EMT-1", "/", "vCPU 1"),
        ("fc_vcpu 0", "/", "vCPU 0"),
        ("IO iothread1", "/machine/vm/libvirt/iothread1", "I/O thread 1"),
        ("IO mon_iothread", "/machine/vm/libvirt/emulator", "I/O mon_iothread"),
        ("worker", "/machine/vm/libvirt/emulator", "emulator"),
    ],
)
def test_the_role_of_a_thread_of_a_machine(name: str, group: str, role: str) -> None:
    assert role_of(name, (group,)) == role


def test_a_process_belongs_to_the_innermost_workload_around_it() -> None:
    outer = Workload(WorkloadId("docker", "a"), Kind.CONTAINER, "outer", cgroup="/box")
    inner = Workload(WorkloadId("docker", "b"), Kind.CONTAINER, "inner", cgroup="/box/nested")
    remote = Workload(WorkloadId("docker", "c"), Kind.CONTAINER, "far", cgroup="/far", endpoint="hv02")
    owners = Owners([outer, inner, remote])
    assert owners.of(process(1, cgroup="/box/nested/deep")) is inner
    assert owners.of(process(1, cgroup="/box")) is outer
    assert owners.of(process(1, cgroup="/boxes")) is None
    assert owners.of(process(1, cgroup="/far")) is None
    assert below(process(1, cgroup="/box/nested/deep"), inner) == "/deep"
    assert below(process(1, cgroup="/box"), outer) == ""


def test_the_process_of_a_machine_without_a_cgroup_belongs_to_the_machine() -> None:
    session = Workload(WorkloadId("systemd", "/s"), Kind.SERVICE, "session", cgroup="/s")
    machine = Workload(WorkloadId("vmm", "7-500"), Kind.VM, "web")
    vmm = VmmProcess(7, 500, 0, ("/s",), MachineFacts("vmm"), FAMILIES[0], None, 1)
    owners = Owners([session, machine], {7: vmm})
    assert owners.of(process(7, start=500, cgroup="/s")) is machine
    assert owners.of(process(7, start=900, cgroup="/s")) is session
    assert owners.of(process(8, cgroup="/s")) is session


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_what_another_users_process_hides_is_a_dash_with_what_helps() -> None:
    code = (
        "import os\n"
        "from collectors.kernel.processes.details import ProcessDetailsReader\n"
        "from collectors.kernel.processes.listing import ProcessListing\n"
        "os.setuid(65534)\n"
        f"(process,) = ProcessListing().read([{os.getpid()}]).processes\n"
        "details = ProcessDetailsReader().read(process)\n"
        "print([fact.value for fact in details.facts if fact.label == 'program'], details.problems)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "[None]" in answer
    assert "fix: " in answer


@pytest.mark.parametrize(
    ("user", "in_container", "whose", "fix"),
    [
        (1000, False, "of another user's process are", "; fix: sudo vmtop"),
        (0, False, "of a process with more capabilities than vmtop has are", ""),
        (0, True, "of a process with more capabilities than vmtop has are", "--cap-add=SYS_PTRACE"),
    ],
)
def test_root_is_not_told_to_use_sudo_where_a_process_hides_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, in_container: bool, whose: str, fix: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(details, "_is_refused", lambda _: True)
    monkeypatch.setattr(permissions, "_own_program", lambda: "vmtop")
    for module in (details, permissions):
        monkeypatch.setattr(module, "is_in_container", lambda: in_container)
    capture(tmp_path, 7, "web", command=b"web\0", cgroup="/box/web")
    (subject,) = ProcessListing(str(tmp_path)).read([7]).processes
    found = ProcessDetailsReader(str(tmp_path)).read(subject)
    assert found is not None
    (problem,) = found.problems
    assert whose in problem
    assert fix in problem
    assert ("fix:" in problem) is bool(fix)
