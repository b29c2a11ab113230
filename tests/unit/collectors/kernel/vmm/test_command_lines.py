"""A machine is described by its VMM's command line, which anyone can write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.kernel.vmm.families import FAMILIES, family_of
from collectors.kernel.vmm.options import cpu_count, parts, size_bytes
from collectors.kernel.vmm.process import VmmProcess, find
from tests.helpers.process_tree import capture
from tests.helpers.vmm_commands import COMMANDS, NO_MACHINES, QEMU, SANDBOX, UUID, VmmCommand

_WORDS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["-name", "-uuid", "-m", "-smp", "-drive", "-blockdev", "-qmp", "-mon", "-chardev", "-id", "run", "--disk",
         "{", "guest=", "file=,,", "id=a,path=/x", "unix:", "chardev:a", "--startvm", "x.vmx", "--api-socket", "[[[["]
    ),
)  # fmt: skip


def _process(tmp_path: Path, words: list[str], executable: str, cgroup: str = "/", uid: int = 0) -> VmmProcess | None:
    command = b"".join(os.fsencode(word) + b"\0" for word in words)
    name = words[0].rpartition("/")[2][:15] if words else ""
    folder = capture(tmp_path, 42, name, command=command, cgroup=cgroup)
    (folder / "status").write_text(f"Name:\t{name}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")
    (folder / "exe").symlink_to(executable)
    return find(42, str(tmp_path))


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_machine_is_described_as_its_manager_started_it(tmp_path: Path, command: VmmCommand) -> None:
    found = _process(tmp_path, command.words, command.program)
    assert found is not None
    assert (found.engine, found.id, found.name) == (command.engine, command.id, command.name)
    assert (found.vcpus, found.memory_bytes, found.disks) == (command.vcpus, command.memory_bytes, command.disks)
    assert (found.control_socket, found.config_path) == (command.control_socket, command.config_path)


@pytest.mark.parametrize(("program", "arguments"), NO_MACHINES)
def test_a_program_that_runs_no_machine_is_none(tmp_path: Path, program: str, arguments: str) -> None:
    assert _process(tmp_path, [program, *arguments.split()], program) is None


def test_the_executable_decides_and_not_what_a_process_calls_itself(tmp_path: Path) -> None:
    assert _process(tmp_path, ["qemu-system-x86_64", "-name", "fake"], "/usr/bin/sleep") is None


def test_a_replaced_executable_is_still_a_vmm(tmp_path: Path) -> None:
    found = _process(tmp_path, ["kvm", "-name", "old"], f"{QEMU} (deleted)")
    assert found is not None
    assert found.name == "old"


def test_a_user_cannot_claim_a_machine_of_a_system_manager(tmp_path: Path) -> None:
    words = COMMANDS["Proxmox VE"].words
    found = _process(tmp_path, words, QEMU, "/user.slice/user-1000.slice/session-4.scope", uid=1000)
    assert found is not None
    assert (found.engine, found.id) == ("vmm", UUID)


@pytest.mark.parametrize(("uid", "engine"), [(0, "proxmox"), (1000, "vmm")])
def test_outside_of_sessions_too_only_root_has_machines_whose_manager_is_roots(
    tmp_path: Path, uid: int, engine: str
) -> None:
    found = _process(tmp_path, COMMANDS["Proxmox VE"].words, QEMU, "/system.slice/cron.service", uid=uid)
    assert found is not None
    assert found.engine == engine


def test_a_path_in_a_jail_is_reached_through_the_process(tmp_path: Path) -> None:
    found = _process(tmp_path, COMMANDS["Firecracker in a jail"].words, "/firecracker")
    assert found is not None
    assert found.control_socket is not None
    assert found.root_path(found.control_socket) == "/proc/42/root/run/firecracker.socket"
    assert found.root_path("relative.sock") == "/proc/42/cwd/relative.sock"


def test_a_process_that_ends_while_it_is_read_is_none(tmp_path: Path) -> None:
    assert find(42, str(tmp_path)) is None
    _process(tmp_path, COMMANDS["plain QEMU"].words, QEMU)
    (tmp_path / "42/stat").unlink()
    assert find(42, str(tmp_path)) is None


def test_a_zombie_runs_no_machine(tmp_path: Path) -> None:
    _process(tmp_path, COMMANDS["plain QEMU"].words, QEMU)
    capture(tmp_path, 42, "qemu", state="Z", command=b"qemu\0")
    assert find(42, str(tmp_path)) is None


@given(st.lists(_WORDS, max_size=12))
def test_no_command_line_breaks_a_reader(words: list[str]) -> None:
    for family in FAMILIES:
        facts = family.read(["program", *words])
        assert facts is None or facts.vcpus is None or facts.vcpus > 0
        assert facts is None or facts.memory_bytes is None or facts.memory_bytes > 0


@given(st.text())
def test_no_text_breaks_the_pieces(text: str) -> None:
    assert isinstance(parts(text), dict)
    assert (size_bytes(text) or 1) > 0
    assert (cpu_count(text) or 1) > 0
    family_of(text)


@given(st.text(alphabet="ab,=", max_size=12))
def test_a_doubled_comma_belongs_to_the_value(value: str) -> None:
    assert parts("id=x,file=" + value.replace(",", ",,"))["file"] == value


@pytest.mark.parametrize(
    ("text", "unit", "size"),
    [("1024", "m", 1 << 30), ("4194304k", "m", 4 << 30), ("1G", "", 1 << 30), ("512MiB", "", 512 << 20),
     ("4096", "", 4096), ("0", "", None), ("", "", None), ("-1", "", None), ("9" * 20, "", None), ("1x", "", None)],
)  # fmt: skip
def test_sizes(text: str, unit: str, size: int | None) -> None:
    assert size_bytes(text, unit) == size


def test_a_sandbox_has_a_name_only_of_its_pod(tmp_path: Path) -> None:
    found = _process(tmp_path, COMMANDS["Kata with QEMU"].words, QEMU)
    assert found is not None
    assert found.id == SANDBOX
    assert not found.name_is_known
