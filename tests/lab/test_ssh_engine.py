"""A real engine through a real SSH server: the client's configuration counts, and streams can be ended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.engines.docker.access import DockerAccess
from collectors.engines.docker.console import DockerConsole
from collectors.engines.docker.logs import DockerLog
from collectors.engines.docker.source import DockerSource
from collectors.engines.libvirt.source import LibvirtSource
from collectors.model.errors import AccessDenied, SourceDown
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.helpers.frame_watch import threads_named
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.process import find_program, wait_until
from tests.helpers.lab.ssh_server import ssh_server
from tests.terminal.test_consoles import listen
from tests.unit.collectors.inspection.test_logs import Follower

pytestmark = pytest.mark.lab
_CONFIG = """Host mybox
  HostName 127.0.0.1
  Port {port}
  User root
  IdentityFile {key}
  UserKnownHostsFile {folder}/known_hosts
Host stranger
  HostName 127.0.0.1
  Port {port}
  UserKnownHostsFile /dev/null
Host keyless
  HostName 127.0.0.1
  Port {port}
  IdentityFile /dev/null
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
Host inner
  ProxyJump mybox
  HostName 127.0.0.1
  Port {port}
  IdentityFile {key}
  UserKnownHostsFile {folder}/known_hosts
Host closed
  HostName 127.0.0.1
  Port 1
"""


@pytest.fixture(scope="module")
def aliases(docker_lab: DockerLab, lab_root: Path) -> Iterator[None]:
    """A server whose users reach the lab's engine, and a client configuration with an alias for each situation."""
    folder = lab_root / "ssh-engine"
    with (
        skip_or_fail(),
        ssh_server(folder, f"DOCKER_HOST={docker_lab.url}") as words,
        pytest.MonkeyPatch.context() as patch,
    ):
        find_program("docker")
        port, key = words[words.index("-p") + 1], words[words.index("-i") + 1]
        (folder / "config").write_text(_CONFIG.format(port=port, key=key, folder=folder))
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
        program = folder / "bin" / "ssh"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {find_program("ssh")} -F {folder}/config "$@"\n')
        program.chmod(0o755)
        patch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        yield


@pytest.mark.usefixtures("aliases")
class TestAliases:
    @pytest.mark.parametrize("alias", ["mybox", "inner"])
    def test_port_user_key_and_jump_host_of_an_alias_count(self, docker_lab: DockerLab, alias: str) -> None:
        identity = docker_lab.run("far", "while :; do echo hi; sleep 0.2; done")
        source = DockerSource(f"ssh://{alias}")
        try:
            source.open(lambda: None)
            reading = source.read()
            assert reading.workloads[WorkloadId("docker", identity)].name == "far"
            assert reading.workloads[WorkloadId("docker", identity)].endpoint == alias
            wait_until(lambda: WorkloadId("docker", identity) in source.read().samples, 20, "the engine's statistics")
        finally:
            source.close()
            docker_lab.remove(identity)
        wait_until(lambda: not threads_named("ssh"), 20, "the end of every client")

    def test_a_log_is_followed_and_a_shell_opens_and_both_end_when_they_are_told_to(
        self, docker_lab: DockerLab
    ) -> None:
        identity = docker_lab.run("far-log", "while :; do echo hi; sleep 0.2; done")
        there = DockerAccess([SourceSpec("docker", {"url": "ssh://mybox"})])
        workload = Workload(WorkloadId("docker", identity), Kind.CONTAINER, "far-log", State.RUNNING, endpoint="mybox")
        try:
            log = DockerLog(workload, there)
            follower = Follower(log, None)
            wait_until(lambda: len(follower.lines) > 2, 20, "lines")
            log.close()
            follower.thread.join(20)
            assert not follower.thread.is_alive()
            console = DockerConsole(workload, there)
            heard = listen(console)
            console.write(b"echo $((6 * 7))\r")
            wait_until(lambda: b"42" in heard, 20, "the answer")
            console.close()
        finally:
            docker_lab.remove(identity)
        wait_until(lambda: not threads_named("ssh"), 20, "the end of every client")

    def test_a_host_that_is_not_known_and_a_key_that_is_not_accepted_are_sentences_with_the_remedy(self) -> None:
        with pytest.raises(AccessDenied) as caught:
            DockerSource("ssh://stranger").open(lambda: None)
        assert caught.value.reason == "ssh does not know the host key of stranger"
        assert caught.value.remedy.startswith("ssh stranger, once")
        with pytest.raises(AccessDenied) as caught:
            DockerSource("ssh://me@keyless").open(lambda: None)
        assert caught.value.reason == "keyless accepts no key of this user"
        assert caught.value.remedy.startswith("ssh-copy-id me@keyless")
        with pytest.raises(SourceDown, match="nothing listens for ssh at closed"):
            DockerSource("ssh://closed").open(lambda: None)

    def test_libvirt_says_the_same_of_the_same_hosts(self) -> None:
        for address, reason, remedy in (
            ("stranger", "ssh does not know the host key of stranger", "ssh stranger, once"),
            ("me@keyless", "keyless accepts no key of this user", "ssh-copy-id me@keyless"),
        ):
            with pytest.raises(AccessDenied) as caught:
                LibvirtSource(f"qemu+ssh://{address}/system").open(lambda: None)
            assert caught.value.reason == reason
            assert caught.value.remedy.startswith(remedy)
        with pytest.raises(SourceDown, match="nothing listens for ssh at closed"):
            LibvirtSource("qemu+ssh://closed/system").open(lambda: None)
