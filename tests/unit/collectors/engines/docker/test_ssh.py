"""An engine behind ssh://: what the client is called with, and what its messages become."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from collectors.engines.docker.connection import ssh
from collectors.engines.docker.connection.address import resolve
from collectors.engines.docker.source import DockerSource
from collectors.engines.ssh_target import SshTarget, ssh_target
from collectors.model.errors import AccessDenied, SourceDown, SourceError
from tests.helpers.frame_watch import threads_named
from tests.helpers.lab.process import wait_until
from tests.helpers.process_identity import start_of, wait_until_reaped
from tests.unit.collectors.engines.docker.test_source import VERSION, engine, response

BRIDGE = """#!{python}
import os, select, socket, sys
open("{folder}/words", "a").write(repr(sys.argv[1:]) + "\\n")
line = socket.socket(socket.AF_UNIX)
line.connect("{folder}/s")
while True:
    for ready in select.select([0, line], [], [])[0]:
        data = os.read(0, 65536) if ready == 0 else line.recv(65536)
        if not data:
            sys.exit(0)
        line.sendall(data) if ready == 0 else os.write(1, data)
"""


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program called ssh in front; the test writes it."""
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return program


def fails(client: Path, message: str, code: int = 255) -> None:
    client.with_name("message").write_text(message)
    client.write_text(f"#!/bin/sh\ncat {client.with_name('message')} >&2\nexit {code}\n")


def test_the_client_is_called_as_the_docker_command_calls_it_and_asks_for_nothing(tmp_path: Path, client: Path) -> None:
    client.write_text(BRIDGE.format(python=sys.executable, folder=tmp_path))
    with engine(tmp_path, lambda path: response(VERSION if path == "/version" else b"[]")):
        source = DockerSource("ssh://me@mybox:2299")
        source.open(lambda: None)
        assert source.read().workloads == {}
        source.close()
    words = (tmp_path / "words").read_text().splitlines()[0]
    assert words.endswith("'-p', '2299', '--', 'me@mybox', 'docker system dial-stdio']")
    for option in ("BatchMode=yes", "ForwardAgent=no", "RequestTTY=no"):
        assert f"'-o', '{option}'" in words
    wait_until(lambda: not threads_named("ssh"), 10, "the end of every client")


def test_the_login_has_more_time_than_a_request_and_no_request_has_none(
    tmp_path: Path, client: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.write_text(BRIDGE.format(python=sys.executable, folder=tmp_path))
    connection = ssh.SshConnection(SshTarget("mybox"), 0.001)
    with engine(tmp_path, lambda _: response(b"{}").replace(b"Connection: close\r\n", b"")):
        connection.request("GET", "/version")
        assert connection.getresponse().status == 200
        assert connection.sock.gettimeout() == 0.001
        connection.close()
    monkeypatch.setattr(ssh, "_LOGIN_S", 0.1)
    client.write_text("#!/bin/sh\nexec sleep 100\n")
    endless = ssh.SshConnection(SshTarget("mybox"), 1.0)
    endless.request("GET", "/events")
    endless.timeout = None  # as for a stream
    with pytest.raises(TimeoutError):
        endless.getresponse()
    endless.close()


@pytest.mark.parametrize(
    ("message", "failure", "reason", "remedy"),
    [
        (
            "Host key verification failed.\r\n",
            AccessDenied,
            "ssh does not know the host key of mybox",
            "ssh mybox, once",
        ),
        (
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
            AccessDenied,
            "another host may be answering",
            "ssh mybox",
        ),
        ("me@mybox: Permission denied (publickey).", AccessDenied, "mybox accepts no key", "ssh-copy-id mybox"),
        (
            "ssh: Could not resolve hostname mybox: Name or service not known",
            SourceDown,
            "the host name mybox cannot be resolved",
            "check the name, or give it a HostName in ~/.ssh/config",
        ),
        (
            "ssh: connect to host mybox port 22: Connection refused",
            SourceDown,
            "nothing listens for ssh at mybox",
            "start sshd there, or name its port in ~/.ssh/config",
        ),
        ("bash: line 1: docker: command not found", SourceDown, "mybox has no docker command", ""),
        (
            "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: ...",
            AccessDenied,
            "has no permission to use Docker there",
            "usermod -aG docker",
        ),
        (
            "a banner\nkex: \x1b[31mno match\n",
            SourceDown,
            "ssh to mybox: kex: \N{REPLACEMENT CHARACTER}[31mno match",
            "",
        ),
        ("", SourceDown, "ssh to mybox: the connection ended", ""),
    ],
)
def test_what_the_client_says_becomes_a_sentence_with_the_remedy(
    client: Path, message: str, failure: type[SourceError], reason: str, remedy: str
) -> None:
    fails(client, message)
    with pytest.raises(failure) as caught:
        DockerSource("ssh://mybox").open(lambda: None)
    assert reason in caught.value.reason
    assert remedy in caught.value.remedy
    assert bool(remedy) == bool(caught.value.remedy)


def test_the_remedy_has_the_user_and_the_port_of_the_address() -> None:
    assert (
        SshTarget("mybox", "me", "2299")
        .explain("Host key verification failed.")
        .remedy.startswith("ssh -p 2299 me@mybox, once")
    )


@pytest.mark.parametrize(
    "address",
    [
        "ssh://-oProxyCommand=id",
        "ssh://me@-x",
        "ssh://-x@host",
        "ssh://a b",
        "ssh://$(id)",
        "ssh://me:secret@host",
        "ssh://",
    ],
)
def test_what_could_be_an_option_or_a_password_starts_no_client(tmp_path: Path, client: Path, address: str) -> None:
    client.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    with pytest.raises(SourceDown) as caught:
        DockerSource(address).open(lambda: None)
    assert "secret" not in caught.value.reason
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    "address",
    [
        "ssh://box",
        "ssh://me@box_1.lan",
        "ssh://[fe80::1%eth0]:22",
        "ssh://MyBox",
        r"ssh://AD\me@box",
        "ssh://me@ad.lan@box",
    ],
)
def test_an_alias_is_passed_on_as_it_is_written(address: str) -> None:
    assert ssh_target(address).arguments[-1] in address.replace("[", "").replace("]", "")


def test_without_the_client_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SourceDown) as caught:
        resolve("ssh://mybox", environ={})
    assert "openssh-client" in caught.value.remedy


def test_a_host_that_says_nothing_is_given_up_and_its_client_ends(
    client: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ssh, "_LOGIN_S", 0.2)
    client.write_text(f"#!/bin/sh\necho $$ >{tmp_path}/pid; exec sleep 100\n")
    connection = ssh.SshConnection(SshTarget("mybox"), 0.1)
    connection.request("GET", "/version")
    wait_until(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()), 10, "the client")
    pid = (tmp_path / "pid").read_text().strip()
    started = start_of(pid)
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    wait_until(lambda: not threads_named("ssh"), 10, "the end of the client")
    wait_until_reaped(pid, started)


def test_a_client_that_pours_errors_is_remembered_in_bounded_memory(client: Path) -> None:
    client.write_text("#!/bin/sh\nyes | head -c 1000000 >&2\nexit 255\n")
    connection = ssh.SshConnection(SshTarget("mybox"), 10.0)
    connection.request("GET", "/version")
    with pytest.raises(OSError, match="y\ny") as caught:
        connection.getresponse()
    assert len(str(caught.value)) <= 4096
    connection.close()
