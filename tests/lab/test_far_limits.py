"""Limits of workloads on other hosts: set there from a command and from the screen, seen there and nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from collectors.actions.limits.setter import Setter
from collectors.actions.log import ActionLog
from collectors.actions.look import Looker
from collectors.actions.protection import Protection
from collectors.actions.runner import Runner
from collectors.engines.connections import EngineConnections
from collectors.fleet.access import accesses
from collectors.fleet.hosts import HostSpec
from collectors.fleet.specs import specs_of
from collectors.model.actions import Result
from collectors.model.limit_changes.outcomes import Applied
from collectors.model.limits import LimitKey
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tests.helpers.lab.far_hosts import FarHosts
from tests.helpers.lab.limit_keys import open_limits, press_enter, screen_of, set_limit, take_back, type_limit
from tests.helpers.lab.process import cgroups_named, wait_until
from tests.lab.test_limits_from_the_keyboard import INSIDE

pytestmark = pytest.mark.lab
MIB = 1 << 20
HOSTS = ("hv01", "hv02", "hv03")
OPTIONS = [word for name in HOSTS for word in ("--host", name)]


@pytest.fixture
def webs(far_lab: FarHosts) -> Iterator[dict[str, str]]:
    """Give the ids of a container of the same name on each host."""
    with far_lab.as_client():
        yield {name: far_lab.hosts[name].run("limited") for name in HOSTS}
    for name in HOSTS:
        far_lab.hosts[name].inside("docker", "rm", "-f", "limited")


@pytest.fixture
def domain(far_lab: FarHosts) -> Iterator[str]:
    """Give the name of a domain on hv01."""
    name = f"far-limited-{os.getpid()}"
    far_lab.hosts["hv01"].start_domain(name, str(uuid.uuid4()))
    with far_lab.as_client():
        yield name
    far_lab.hosts["hv01"].stop_domain(name)


def memory(far_lab: FarHosts) -> dict[str, tuple[str, str]]:
    """Return by host what the container itself sees as its limit, and what the engine says."""
    found = {}
    for name in HOSTS:
        host = far_lab.hosts[name]
        said = host.inside("docker", "inspect", "-f", "{{.HostConfig.Memory}}", "limited").strip()
        found[name] = (host.inside("docker", "exec", "limited", "sh", "-c", f"({INSIDE}) 2>/dev/null").strip(), said)
    return found


def is_free(far_lab: FarHosts, name: str) -> bool:
    """Return whether the container of a host has no limit of memory, or one that no host reaches."""
    text, _ = memory(far_lab)[name]
    return text == "max" or int(text) >= 1 << 62


def vmtop(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "HOME": str(home), "XDG_STATE_HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}
    program = str(Path(sys.executable).with_name("vmtop"))
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=180, env=environ)


def quota(far_lab: FarHosts, domain: str) -> tuple[str, str]:
    """Return the quota of a domain's first virtual CPU: the kernel's, and virsh's."""
    text = far_lab.hosts["hv01"].inside("virsh", "-c", "qemu:///system", "schedinfo", domain, "--live")
    pairs = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}
    groups = cgroups_named(f"vmtop-far-{os.getpid()}-hv01")  # of that host only: elsewhere groups come and go
    files = ("cpu.cfs_quota_us", "cpu.max")
    paths = [path for group in groups for file in files for path in group.glob(f"**/*{domain}*/**/vcpu0/{file}")]
    return paths[0].read_text().split()[0], pairs["vcpu_quota"]


@pytest.mark.usefixtures("webs")
def test_a_container_of_another_host_is_set_from_the_command_line_and_its_namesakes_are_not(
    far_lab: FarHosts, tmp_path: Path
) -> None:
    before = memory(far_lab)
    done = vmtop(tmp_path, "set", "hv03/limited", "memory=64M", "pids=50", "--yes", "--json", *OPTIONS)
    assert done.returncode == 0, done.stderr
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["host"], first["result"], first["after"]) == ("hv03", "done", 64 * MIB)
    assert first["sentence"] == "hv03: limited: memory is 64MiB, was none"
    assert first["commands"][0].startswith("ssh hv03 docker update ")
    assert (second["limit"], second["after"]) == ("pids", 50)
    assert memory(far_lab) == {**before, "hv03": (str(64 * MIB), str(64 * MIB))}
    log = far_lab.ssh("hv03", "cat", ".local/state/vmtop/actions.log").stdout
    assert "set memory=64MiB (was none)" in log
    shown = vmtop(tmp_path, "set", "hv03/limited", *OPTIONS)
    assert "memory           64MiB" in shown.stdout
    back = vmtop(tmp_path, "set", "hv03/limited", "memory=none", "--yes", *OPTIONS)
    assert back.returncode == 0, back.stderr
    assert is_free(far_lab, "hv03")


@pytest.mark.usefixtures("webs")
def test_a_name_on_several_hosts_sets_nothing_and_read_only_there_neither(far_lab: FarHosts, tmp_path: Path) -> None:
    before = memory(far_lab)
    assert vmtop(tmp_path, "set", "limited", "memory=64M", "--yes", *OPTIONS).returncode == 3
    config = far_lab.hosts["hv02"].home / ".config" / "vmtop" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("read_only = true\n")
    try:
        refused = vmtop(tmp_path, "set", "hv02/limited", "memory=64M", "--yes", *OPTIONS)
    finally:
        config.unlink()
    assert refused.returncode == 5, refused.stderr
    assert "read_only is set in the configuration there" in refused.stderr
    assert memory(far_lab) == before


def test_a_domain_of_another_host_gets_a_quota_and_is_freed(far_lab: FarHosts, domain: str, tmp_path: Path) -> None:
    before = quota(far_lab, domain)
    done = vmtop(tmp_path, "set", domain, "cpu=0.5", "--yes", "--host", "hv01")
    assert done.returncode == 0, done.stderr
    assert f"hv01: {domain}: cpu is 0.5, was none" in done.stdout
    assert quota(far_lab, domain) == ("50000", "50000")
    assert vmtop(tmp_path, "set", domain, "cpu=none", "--yes", "--host", "hv01").returncode == 0
    assert quota(far_lab, domain)[0] == before[0]


@pytest.mark.usefixtures("webs")
def test_the_form_sets_and_takes_back_what_is_on_another_host(far_lab: FarHosts, tmp_path: Path) -> None:
    before = memory(far_lab)
    with screen_of(tmp_path, "--host", "hv02") as terminal:
        open_limits(terminal, "limited")
        type_limit(terminal, LimitKey.MEMORY, "64M")
        terminal.wait_for(lambda: "ssh hv02 docker update" in terminal.text(), 60, "the same by hand")
        press_enter(terminal, "hv02: limited: memory is 64MiB, was none")
        assert memory(far_lab) == {**before, "hv02": (str(64 * MIB), str(64 * MIB))}
        take_back(terminal, "memory is none, was 64MiB")
    assert is_free(far_lab, "hv02")


def test_the_form_sets_a_domain_of_another_host(far_lab: FarHosts, domain: str, tmp_path: Path) -> None:
    before = quota(far_lab, domain)
    with screen_of(tmp_path, "--host", "hv01") as terminal:
        open_limits(terminal, domain)
        set_limit(terminal, LimitKey.CPU, "0.5", "cpu is 0.5, was none")
        assert quota(far_lab, domain) == ("50000", "50000")
        take_back(terminal, "cpu is none, was 0.5")
    assert quota(far_lab, domain)[0] == before[0]


def test_a_line_that_breaks_in_between_is_looked_at_and_the_host_goes_on(
    far_lab: FarHosts, webs: dict[str, str]
) -> None:
    specs = specs_of([HostSpec("hv01", "hv01")])
    connections = EngineConnections(specs, hosts=accesses(specs))
    runner = Runner(connections.actions, ActionLog(), "tester")
    setter = Setter(runner, Looker(runner, Protection()), connections.limits)
    web = Workload(WorkloadId("docker", webs["hv01"], "hv01"), Kind.CONTAINER, "limited", State.RUNNING)
    host, ended = far_lab.hosts["hv01"], list[Applied]()
    plan = setter.plan(web, {LimitKey.MEMORY: 64 * MIB})
    assert not plan.refusal
    below = psutil.Process().children(recursive=True)  # the hosts themselves, too
    lines = [one for one in below if one.name() == "ssh" and "answer" in " ".join(one.cmdline())]
    assert lines
    host.inside("sh", "-c", "kill -STOP $(pidof dockerd)")
    try:
        setting = threading.Thread(target=lambda: ended.append(setter.apply(plan)))
        setting.start()
        setting.join(3)  # for the question to get there
        for line in lines:
            line.kill()
        setting.join(3)
        assert setting.is_alive()
    finally:
        host.inside("sh", "-c", "kill -CONT $(pidof dockerd)")
    wait_until(lambda: bool(ended), 90, "the outcome")
    assert ended[0].result is Result.DONE, ended[0].outcomes
    assert ended[0].outcomes[0].sentence == "hv01: limited: memory is 64MiB, was none (confirmed by another look)"
    assert memory(far_lab)["hv01"] == (str(64 * MIB), str(64 * MIB))
    log = host.home / ".local" / "state" / "vmtop" / "actions.log"
    wait_until(lambda: "set memory=64MiB (was none)" in log.read_text(), 20, "the line in the log there")
