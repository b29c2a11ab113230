"""Who must not fall to a slip: what vmtop hangs on, what people log in through, what others own."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from collectors.actions.protection import Protection
from collectors.model.actions import Observed
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.safety.permissions import own_containers
from tests.unit.collectors.actions.test_actions import container, domain, service


def test_the_container_around_vmtop_is_found_by_its_mounts(tmp_path: Path) -> None:
    own, other = "a" * 64, "b" * 64
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text("0::/\n")
    (tmp_path / "self" / "mountinfo").write_text(
        f"1 2 0:3 /var/lib/docker/containers/{own}/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n"
        f"4 2 0:5 /var/lib/docker/containers/{other}/mounts/shm /dev/shm rw - tmpfs shm rw\n"
        f"6 2 0:7 / /var/lib/docker/containers/{other}/mounts/shm rw - tmpfs shm rw\n"
    )
    assert own_containers(tmp_path) == {own}
    protection = Protection((), tmp_path, tmp_path)
    inside = Workload(WorkloadId("docker", own), Kind.CONTAINER, "me", State.RUNNING)
    assert "vmtop itself" in protection.reason(inside)
    assert protection.reason(msgspec.structs.replace(inside, id=WorkloadId("docker", other))) == ""


def test_the_machine_around_vmtop_is_found_by_its_firmware(tmp_path: Path) -> None:
    (tmp_path / "product_uuid").write_text(f"{domain().id.id.upper()}\n")
    assert "vmtop itself" in Protection((), tmp_path, tmp_path).reason(domain())


def test_the_service_around_vmtop_is_protected(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text("0::/system.slice/agent.service/child\n")
    around = msgspec.structs.replace(service("agent.service"), cgroup="/system.slice/agent.service")
    assert "vmtop itself" in Protection((), tmp_path, tmp_path).reason(around)


def test_a_group_whose_path_only_begins_like_vmtops_own_is_not_around_it(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text("0::/docker/ab\n")
    protection = Protection((), tmp_path, tmp_path)
    assert "vmtop itself" in protection.reason(container(cgroup="/docker/ab"))
    assert protection.reason(container(cgroup="/docker/a")) == ""
    assert protection.reason(container(cgroup="/docker/abc")) == ""


def test_a_kubelets_containers_and_the_engines_services_are_protected() -> None:
    protection = Protection()
    owned = container(labels=(("io.kubernetes.pod.name", "x"),))
    assert "kubelet" in protection.reason(owned)
    assert "kubelet" in protection.reason(container(cgroup="/kubepods/burstable/podx/y"))
    assert protection.reason(service("docker.service"))
    assert protection.reason(service("libvirtd.service"))
    assert protection.reason(container(labels=(("vmtop.protect", "true"),)))
    assert protection.reason(service("nginx.service")) == ""


@pytest.mark.parametrize("named", ["docker.service", "service:docker.service", "/system.slice/docker.service"])
def test_the_configuration_names_exceptions(named: str) -> None:
    assert Protection((named,)).reason(service("docker.service")) == ""


@pytest.mark.parametrize(
    ("unit", "why"),
    [
        ("ssh.service", "remote access"),
        ("sshd.service", "remote access"),
        ("sshd@3-10.0.0.1:22-10.0.0.2:5000.service", "remote access"),
        ("dropbear.service", "remote access"),
        ("tailscaled.service", "remote access"),
        ("wg-quick@wg0.service", "remote access"),
        ("openvpn-server@home.service", "remote access"),
        ("NetworkManager.service", "network"),
        ("systemd-networkd.service", "network"),
        ("systemd-resolved.service", "network"),
        ("networking.service", "network"),
        ("ifup@eth0.service", "network"),
        ("dhcpcd.service", "network"),
        ("wickedd-dhcp4.service", "network"),
        ("wpa_supplicant@wlan0.service", "network"),
        ("polkit.service", "may log in"),
        ("sssd.service", "may log in"),
        ("systemd-homed.service", "may log in"),
        ("systemd-userdbd.service", "may log in"),
        ("systemd-logind.service", "may log in"),
        ("user@1000.service", "sessions"),
        ("user-runtime-dir@1000.service", "sessions"),
        ("getty@tty1.service", "sessions"),
        ("serial-getty@ttyS0.service", "sessions"),
        ("gdm.service", "sessions"),
        ("dbus.service", "other services"),
        ("virtqemud.service", "workloads"),
        ("docker.service", "workloads"),
        ("libvirt-guests.service", "workloads"),
    ],
)
def test_what_a_login_hangs_on_is_protected_with_its_own_reason(unit: str, why: str) -> None:
    assert why in Protection().reason(service(unit))


@pytest.mark.parametrize(
    "unit", ["nginx.service", "sshguard.service", "user.service", "mysshd.service", "web@1.service"]
)
def test_what_is_only_called_alike_is_not_protected(unit: str) -> None:
    assert Protection().reason(service(unit)) == ""


def test_an_alias_does_not_slip_past() -> None:
    alias = service("dbus-org.freedesktop.login1.service")
    assert "may log in" in Protection().reason(alias, Observed("systemd-logind.service", State.RUNNING))


def process(proc: Path, pid: str, parent: int, group: str) -> None:
    """Make what the kernel tells of a process."""
    (proc / pid).mkdir()
    (proc / pid / "status").write_text(f"Name:\tx\nPid:\t1\nPPid:\t{parent}\n")
    (proc / pid / "cgroup").write_text(f"0::{group}\n")


def test_whatever_vmtop_was_started_from_is_protected_up_to_the_first_process(tmp_path: Path) -> None:
    """A vmtop in a tmux that a service started, reached by ssh through a container."""
    process(tmp_path, "self", 30, "/user.slice/user-1000.slice/user@1000.service/app.slice/run-7.scope")
    process(tmp_path, "30", 20, "/work.slice/mux.service")
    process(tmp_path, "20", 10, "/custom.slice/jump.slice/docker-abc.scope")
    process(tmp_path, "10", 0, "/init.scope")
    protection = Protection((), tmp_path, tmp_path)
    assert "vmtop itself" in protection.reason(service("user@1000.service"))  # in no list, so without a group
    assert "that started vmtop" in protection.reason(
        msgspec.structs.replace(service("mux.service"), cgroup="/work.slice/mux.service")
    )
    assert "that started vmtop" in protection.reason(container(cgroup="/custom.slice/jump.slice/docker-abc.scope"))
    assert protection.reason(container(cgroup="/custom.slice/jump.slice/docker-abd.scope")) == ""
    assert protection.reason(service("other.service")) == ""


def test_a_users_unit_of_the_same_name_protects_no_service(tmp_path: Path) -> None:
    process(tmp_path, "self", 0, "/user.slice/user-1000.slice/user@1000.service/app.slice/agent.service")
    assert Protection((), tmp_path, tmp_path).reason(service("agent.service")) == ""


def test_processes_that_form_a_ring_hold_no_one_up(tmp_path: Path) -> None:
    process(tmp_path, "self", 30, "/a")
    process(tmp_path, "30", 31, "/b")
    process(tmp_path, "31", 30, "/c")
    assert "that started vmtop" in Protection((), tmp_path, tmp_path).reason(container(cgroup="/c"))
