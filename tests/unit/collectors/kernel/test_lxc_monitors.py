"""Who runs a container of LXC, by its monitor, and what machines of nspawn are called."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.kernel.cgroup.discovery import Role, classify_path
from collectors.kernel.container_names import Names
from collectors.kernel.lxc_monitors import LxcOwner, Monitor, monitor_of, owner_of, parse_title
from collectors.kernel.nspawn_supervisors import machine_directories, machine_name, supervisor_of
from collectors.model.workloads import Kind


def process(proc: Path, pid: int, parent: int, command_line: bytes, user: int = 0) -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "cmdline").write_bytes(command_line)
    (folder / "stat").write_text(f"{pid} (x) S {parent} " + " ".join(["1"] * 30))
    (folder / "status").write_text(f"Name:\tx\nUid:\t{user}\t{user}\t{user}\t{user}\n")


@pytest.mark.parametrize(
    ("folder", "name", "user", "owner"),
    [
        ("/var/lib/lxc", "web", 0, LxcOwner("lxc", "web", "web")),
        ("/srv/lxc", "web", 0, LxcOwner("lxc", "/srv/lxc/web", "web")),
        ("/var/lib/lxd/containers", "web", 0, LxcOwner("lxd", "default/web", "web")),
        ("/var/lib/lxd/containers", "shop_web", 0, LxcOwner("lxd", "shop/web", "web", "shop")),
        ("/var/lib/lxd/containers", "my_shop_web", 0, LxcOwner("lxd", "my_shop/web", "web", "my_shop")),
        ("/var/snap/lxd/common/lxd/containers", "web", 0, LxcOwner("lxd", "default/web", "web")),
        ("/var/lib/incus/containers", "web", 0, LxcOwner("incus", "default/web", "web")),
        ("/my/incus-home/containers", "web", 0, LxcOwner("incus", "default/web", "web")),
        ("/var/lib/incus/containers", "web", 1000, LxcOwner("lxc", "/var/lib/incus/containers/web", "web")),
        ("/srv/containers", "web", 0, LxcOwner("lxc", "/srv/containers/web", "web")),
        ("/home/me/.local/share/lxc", "web", 1000, LxcOwner("lxc", "/home/me/.local/share/lxc/web", "web")),
    ],
)
def test_the_folder_of_a_monitor_says_whose_container_it_is(
    folder: str, name: str, user: int, owner: LxcOwner, tmp_path: Path
) -> None:
    monitor = Monitor(folder, name, user)
    assert owner_of(monitor, {"INCUS_DIR": "/my/incus-home"}, str(tmp_path / "none")) == owner


def test_a_number_is_a_guest_of_proxmox_only_on_a_node_of_it(tmp_path: Path) -> None:
    monitor = Monitor("/var/lib/lxc", "103", 0)
    assert owner_of(monitor, {}, str(tmp_path)) == LxcOwner("proxmox", "103", "103")
    assert owner_of(monitor, {}, str(tmp_path / "none")) == LxcOwner("lxc", "103", "103")
    assert owner_of(monitor._replace(user=1000), {}, str(tmp_path)).engine == "lxc"


def test_the_host_name_of_a_guest_is_that_of_its_configuration_now(tmp_path: Path) -> None:
    (tmp_path / "lxc").mkdir()
    names = Names(proxmox=str(tmp_path))
    assert names.proxmox_hostname("103") is None
    configuration = tmp_path / "lxc" / "103.conf"
    configuration.write_text("arch: amd64\nhostname: web.example\n\n[before]\nhostname: old\n")
    assert names.proxmox_hostname("103") == "web.example"
    configuration.write_text("arch: amd64\n\n[before]\nhostname: old\n")
    assert names.proxmox_hostname("103") is None
    configuration.unlink()
    configuration.symlink_to("/etc/hostname")
    assert names.proxmox_hostname("103") is None


@pytest.mark.parametrize(
    ("command_line", "title"),
    [
        (b"[lxc monitor] /var/lib/lxc web\0", ("/var/lib/lxc", "web")),
        (b"[lxc monitor] /srv/my lxc web", ("/srv/my lxc", "web")),
        (b"[lxc monitor] web\0", None),
        (b"lxc-start\0-n\0web\0", None),
        (b"", None),
    ],
)
def test_a_monitor_calls_itself_by_folder_and_name(command_line: bytes, title: tuple[str, str] | None) -> None:
    assert parse_title(command_line) == title


@given(st.binary())
def test_no_title_is_a_fault(text: bytes) -> None:
    parse_title(b"[lxc monitor] " + text)


def test_the_monitor_is_the_parent_of_the_first_process(tmp_path: Path) -> None:
    process(tmp_path, 10, 1, b"[lxc monitor] /var/lib/lxc web\0", user=1000)
    process(tmp_path, 11, 10, b"/sbin/init\0")
    process(tmp_path, 12, 11, b"sh\0")
    assert monitor_of(str(tmp_path), 11) == Monitor("/var/lib/lxc", "web", 1000)
    assert monitor_of(str(tmp_path), 12) is None
    assert monitor_of(str(tmp_path), 99) is None


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("systemd-nspawn -M web -D /srv/x", "web"),
        ("systemd-nspawn --machine=web -bD /srv/x", "web"),
        ("systemd-nspawn -qbD /srv/x /sbin/init -M not", "x"),
        ("systemd-nspawn -D/srv/x/", "x"),
        ("systemd-nspawn --setenv A=B -i /img/deb.raw", "deb"),
        ("systemd-nspawn --image /img/deb.raw", "deb"),
        ("systemd-nspawn -D .", "here"),
        ("systemd-nspawn -b", "here"),
        ("systemd-nspawn -- -M not", "here"),
        ("systemd-nspawn -D", "here"),
    ],
)
def test_a_machine_is_called_what_nspawn_calls_it(words: str, name: str) -> None:
    assert machine_name(words.split(), "/home/me/here") == name


@given(st.lists(st.text()), st.text())
def test_no_arguments_are_a_fault(words: list[str], folder: str) -> None:
    assert "/" not in machine_name(["systemd-nspawn", *words], folder) or "M" in str(words) or "machine" in str(words)


def test_only_a_child_of_nspawn_is_a_machine(tmp_path: Path) -> None:
    process(tmp_path, 10, 1, b"/usr/bin/systemd-nspawn\0-D\0/srv/x\0")
    process(tmp_path, 11, 10, b"/sbin/init\0")
    process(tmp_path, 12, 1, b"sleep\0systemd-nspawn\0")
    process(tmp_path, 13, 12, b"sh\0")
    assert supervisor_of(str(tmp_path), 11) == 10
    assert supervisor_of(str(tmp_path), 13) is None


@pytest.mark.parametrize("path", ["/payload", "/system.slice/mine.service/payload", "/user.slice/x.scope/payload"])
def test_a_payload_is_a_machine_that_its_processes_have_to_confirm(path: str) -> None:
    cgroup = classify_path(path)
    assert cgroup.is_payload
    assert cgroup.workload is not None
    assert (cgroup.workload.engine, cgroup.workload.kind, cgroup.workload.is_ambiguous) == (
        "nspawn",
        Kind.CONTAINER,
        True,
    )
    assert cgroup.encloser == (None if path == "/payload" else path.removesuffix("/payload"))


def test_the_supervisor_beside_it_has_no_row() -> None:
    assert classify_path("/supervisor").role is Role.SKIP
    assert classify_path("/system.slice/mine.service/supervisor").role is Role.SKIP


def test_the_processes_of_a_machine_are_apart_from_those_of_nspawn(tmp_path: Path) -> None:
    """Entering the namespaces of nspawn itself would be entering the host's."""
    unit = tmp_path / "systemd-nspawn@web.service"
    unit.mkdir()
    assert machine_directories([str(unit)]) == [str(unit)]
    (unit / "payload").mkdir()
    assert machine_directories([str(unit), str(tmp_path)]) == [f"{unit}/payload"]
