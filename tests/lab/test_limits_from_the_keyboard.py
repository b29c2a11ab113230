"""Limits set, refused and taken back by keys on the real screen, seen in the kernel and by the engines' own tools."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.model.limits import LimitKey
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.limit_keys import (
    lock,
    open_limits,
    open_menu,
    press_enter,
    screen_of,
    set_limit,
    show_stopped,
    take_back,
    type_limit,
)
from tests.helpers.lab.limits import MIB, LimitsLab, group_file
from tests.helpers.lab.lxc import LxcLab, lxc_containers
from tests.helpers.lab.podman_engine import PodmanLab
from tests.helpers.lab.process import wait_until
from tests.helpers.lab.systemd_units import units
from tests.helpers.lab.uml import UmlLab
from tests.helpers.lab.uml_systemd import run_under_systemd
from tests.lab.test_limits_docker import host_config_of
from tests.lab.test_limits_libvirt import vcpu_file, virsh
from tests.lab.test_limits_podman import FILES
from tests.lab.test_limits_systemd import show, text

INSIDE = "cat /sys/fs/cgroup/memory.max || cat /sys/fs/cgroup/memory/memory.limit_in_bytes"
"""What a container sees itself: Podman's own description keeps the limit that it was made with."""
OWN = f"vmtop-keys-{os.getpid()}"


@pytest.mark.lab
def test_a_docker_container_gets_limits_and_loses_them(docker_lab: DockerLab, tmp_path: Path) -> None:
    identity = docker_lab.run("keys-docker", "sleep 1000")
    web = LimitsLab(SourceSpec("docker", {"url": docker_lab.url})).find("keys-docker")
    before = {key: group_file(web, *FILES[key]) for key in (LimitKey.MEMORY, LimitKey.PIDS)}
    with screen_of(tmp_path, "--docker", docker_lab.url) as terminal:
        open_limits(terminal, "keys-docker")
        type_limit(terminal, LimitKey.MEMORY, "64M")
        type_limit(terminal, LimitKey.PIDS, "50")
        terminal.wait_for(lambda: "docker -H" in terminal.text(), 30, "the same by hand")
        press_enter(terminal, "memory is 64MiB, was none")
        terminal.wait_for(lambda: "pids is 50, was none" in terminal.text(), 30, "the other limit")
        config = host_config_of(docker_lab, identity)
        assert (config["Memory"], config["PidsLimit"]) == (64 * MIB, 50)
        assert group_file(web, *FILES[LimitKey.MEMORY]) == str(64 * MIB)
        assert group_file(web, *FILES[LimitKey.PIDS]) == "50"
        take_back(terminal, "memory is none, was 64MiB")
    assert {key: group_file(web, *FILES[key]) for key in before} == before
    assert host_config_of(docker_lab, identity)["Memory"] in (0, 1 << 62), "an engine on cgroup v1 has no word for none"
    log = (tmp_path / "vmtop" / "actions.log").read_text()
    assert log.count('"result":"done"') == len(before) * 2, log
    docker_lab.remove(identity)


@pytest.mark.lab
def test_what_kills_is_set_at_the_second_enter_only(docker_lab: DockerLab, tmp_path: Path) -> None:
    identity = docker_lab.run_memory_hog("keys-hog", held_mib=48, limit_mib=128)
    with screen_of(tmp_path, "--docker", docker_lab.url) as terminal:
        open_limits(terminal, "keys-hog")
        type_limit(terminal, LimitKey.MEMORY, "40M")
        press_enter(terminal, "Enter again sets it all the same.")
        assert "it may be killed at once" in terminal.text()
        assert host_config_of(docker_lab, identity)["Memory"] == 128 * MIB
        press_enter(terminal, "keys-hog: memory ")
        is_refused = "the engine refused" in terminal.text()  # as cgroup v1 does, where nothing can be reclaimed
    assert host_config_of(docker_lab, identity)["Memory"] == (128 if is_refused else 40) * MIB
    docker_lab.remove(identity)


@pytest.mark.lab
def test_while_actions_are_locked_limits_can_be_read_only(docker_lab: DockerLab, tmp_path: Path) -> None:
    identity = docker_lab.run("keys-locked", "sleep 1000", pids_limit=77)
    with screen_of(tmp_path, "--docker", docker_lab.url) as terminal:
        lock(terminal)
        open_limits(terminal, "keys-locked", "actions are locked; L unlocks them")
        assert any(line.split()[1:3] == ["pids", "77"] for line in terminal.text().splitlines() if "pids" in line)
        terminal.press("5\r\x1b[13~5\r")
        terminal.read(2)
        assert "Enter sets it" not in terminal.text()
    assert host_config_of(docker_lab, identity)["PidsLimit"] == 77
    docker_lab.remove(identity)


@pytest.mark.lab
def test_a_stopped_container_is_refused_with_a_sentence(docker_lab: DockerLab, tmp_path: Path) -> None:
    identity = docker_lab.run("keys-stopped", "true")
    wait_until(lambda: not docker_lab.client.inspect_container(identity)["State"]["Running"], 20, "its end")
    with screen_of(tmp_path, "--docker", docker_lab.url) as terminal:
        show_stopped(terminal)
        open_menu(terminal, "keys-stopped")
        assert "m limits     it is stopped" in terminal.text()
        terminal.press("m")
        terminal.read(1)
        assert "Limits of" not in terminal.text()
    docker_lab.remove(identity)


@pytest.mark.lab
def test_a_domain_gets_a_quota_and_is_freed(libvirt_lab: LibvirtLab, tmp_path: Path) -> None:
    name = libvirt_lab.start_tiny("keys", BootSector.IDLE)
    try:
        with screen_of(tmp_path, "--libvirt", libvirt_lab.uri) as terminal:
            open_limits(terminal, name)
            set_limit(terminal, LimitKey.CPU, "0.5", "cpu is 0.5, was none")
            assert vcpu_file(name, "cpu.cfs_quota_us", "cpu.max") in ("50000", "50000 100000")
            assert virsh(libvirt_lab, "schedinfo", name, "--live")["vcpu_quota"] == "50000"
            assert virsh(libvirt_lab, "schedinfo", name, "--config")["vcpu_quota"] == "0"
            take_back(terminal, "cpu is none, was 0.5")
            assert vcpu_file(name, "cpu.cfs_quota_us", "cpu.max") in ("-1", "max 100000")
            terminal.press("\x1b")
            open_limits(terminal, name)
            terminal.press("\x1bOQ")  # F2
            set_limit(terminal, LimitKey.CPU_WEIGHT, "200", "cpu_weight is 200")
        for scope in ("--live", "--config"):
            assert virsh(libvirt_lab, "schedinfo", name, scope)["cpu_shares"] == "2048"
    finally:
        libvirt_lab.remove(name)


@pytest.mark.lab
def test_podman_gets_limits_of_the_run_and_is_refused_those_of_the_next(podman_lab: PodmanLab, tmp_path: Path) -> None:
    podman_lab.run("keys-podman", "sleep 1000")
    web = LimitsLab(SourceSpec("podman", {"url": podman_lab.url})).find("keys-podman")
    before = group_file(web, *FILES[LimitKey.MEMORY])
    with screen_of(tmp_path, "--podman", podman_lab.url) as terminal:
        open_limits(terminal, "keys-podman", image="localhost/busybox:lab")
        terminal.press("\x1bOQ")  # F2
        type_limit(terminal, LimitKey.MEMORY, "64M")
        terminal.wait_for(lambda: "Podman forgets it" in terminal.text(), 30, "the refusal")
        press_enter(terminal, "Nothing was set")
        assert group_file(web, *FILES[LimitKey.MEMORY]) == before
        terminal.press("\x1bOQ")
        terminal.wait_for(lambda: "memory=64MiB (was none)" in terminal.text(), 30, "the plan")
        press_enter(terminal, "memory is 64MiB, was none")
        assert group_file(web, *FILES[LimitKey.MEMORY]) == str(64 * MIB)
        assert podman_lab.podman("exec", web.id.id, "sh", "-c", INSIDE) == str(64 * MIB)
        take_back(terminal, "memory is none, was 64MiB")
    assert group_file(web, *FILES[LimitKey.MEMORY]) == before
    podman_lab.remove()


@pytest.fixture
def lxc(lab_root: Path) -> Iterator[LxcLab]:
    with skip_or_fail(), lxc_containers(lab_root / "lxc-keys") as lab:
        yield lab


@pytest.mark.lab
def test_an_lxc_container_gets_a_limit_and_loses_it(lxc: LxcLab, tmp_path: Path) -> None:
    lxc.start(OWN)
    web = LimitsLab(SourceSpec("lxc")).find(OWN)
    before = group_file(web, *FILES[LimitKey.PIDS])
    with screen_of(tmp_path) as terminal:
        open_limits(terminal, OWN)
        set_limit(terminal, LimitKey.PIDS, "50", "pids is 50, was ")
        assert group_file(web, *FILES[LimitKey.PIDS]) == "50"
        assert lxc.run("lxc-cgroup", OWN, "pids.max").strip() == "50"
        take_back(terminal, ", was 50")
    assert group_file(web, *FILES[LimitKey.PIDS]) == before


@pytest.mark.lab
def test_a_service_gets_limits_on_the_screen_below_a_real_systemd(uml_lab: UmlLab) -> None:
    argv = [sys.executable, "-m", "pytest", "-m", "uml", "-q", "-p", "no:cacheprovider", __file__]
    environment = {"TMPDIR": "/run/lab/tmp", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8", "VMTOP_INSIDE_UML": "1"}
    finished = run_under_systemd(uml_lab.folder / "limit-keys", argv, units(), environment, 500)
    assert finished.returncode == 0, finished.stdout
    assert "skipped" not in finished.stdout, finished.stdout


@pytest.mark.uml
def test_a_service_gets_limits_and_loses_them(tmp_path: Path) -> None:
    subprocess.run(["systemctl", "start", "calm.service"], check=True)
    calm = LimitsLab(SourceSpec("systemd")).find("calm.service")
    before = {name: text(calm, name) for name in ("memory.max", "pids.max")}
    with screen_of(tmp_path) as terminal:
        open_limits(terminal, "calm.service")
        type_limit(terminal, LimitKey.MEMORY, "64M")
        set_limit(terminal, LimitKey.PIDS, "50", "pids is 50, was ")
        assert (text(calm, "memory.max"), show("calm.service", "MemoryMax")) == (str(64 * MIB), str(64 * MIB))
        assert (text(calm, "pids.max"), show("calm.service", "TasksMax")) == ("50", "50")
        take_back(terminal, ", was 50")
    assert {name: text(calm, name) for name in before} == before
