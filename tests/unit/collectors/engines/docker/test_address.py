"""Where the engine is: options, variables and contexts, and addresses that cannot be meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collectors.engines.docker.connection.address import resolve
from collectors.engines.docker.source import DockerSource
from collectors.model.errors import AccessDenied, SourceAbsent, SourceDown
from tests.unit.collectors.engines.docker.test_source import VERSION, engine, response


def test_a_remote_address_without_tls_is_refused_unless_insecure() -> None:
    for address in ("tcp://198.51.100.7:2375", "http://198.51.100.7:2375", "198.51.100.7:2375"):
        with pytest.raises(AccessDenied, match="not protected by TLS"):
            resolve(address, environ={})
    assert resolve("tcp://198.51.100.7:2375", insecure=True, environ={}).shown == "198.51.100.7:2375"
    for address in ("tcp://127.0.0.1:2375", "tcp://localhost:2375", "tcp://[::1]:2375", "ssh://me@198.51.100.7"):
        assert resolve(address, environ={}).url == address


def test_docker_host_counts_when_no_address_is_given(tmp_path: Path) -> None:
    with pytest.raises(SourceAbsent, match=f"no Docker socket at {tmp_path}/d.sock"):
        resolve(None, environ={"DOCKER_HOST": f"unix://{tmp_path}/d.sock"})


def test_a_missing_socket_is_absence_and_a_file_is_no_socket(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("missing", "file", "file/below"):
        with pytest.raises(SourceAbsent, match="no Docker socket at"):
            DockerSource(f"unix://{tmp_path}/{name}").open(lambda: None)


@pytest.mark.parametrize(
    ("address", "reason", "remedy"),
    [
        (
            "/var/run/docker.sock",
            "the scheme is missing in DOCKER_HOST: /var/run/docker.sock",
            "export DOCKER_HOST=unix:///var/run/docker.sock",
        ),
        ("localhost", "the scheme is missing in DOCKER_HOST: localhost", "tcp://HOST:PORT"),
        ("podman://x", "DOCKER_HOST has an unknown scheme: podman://x", "unix://PATH"),
        ("unix:///run/docker.sock\u200b", r"cannot be seen: unix:///run/docker.sock\u200b", ""),
        ("unix:///run/\x1b[31mdocker.sock", r"cannot be seen: unix:///run/\x1b[31mdocker.sock", ""),
        ("ssh://host/run/docker.sock", "has no path", ""),
    ],
)
def test_an_address_that_cannot_be_meant_is_named_with_the_one_that_is(address: str, reason: str, remedy: str) -> None:
    with pytest.raises(SourceDown) as caught:
        resolve(None, environ={"DOCKER_HOST": address})
    assert reason in caught.value.reason
    assert remedy in caught.value.remedy
    assert caught.value.reason.isprintable()


def test_a_path_given_to_the_option_is_named_with_the_option() -> None:
    with pytest.raises(SourceDown) as caught:
        resolve("/run/docker.sock", environ={})
    assert caught.value.remedy == "--docker unix:///run/docker.sock"


@pytest.mark.parametrize("around", ["{} ", " {}", "{}\n", "\t{}\r\n"])
def test_blanks_around_an_address_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, around: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", around.format(f"unix://{tmp_path}/s"))
    with engine(tmp_path, lambda path: response(VERSION if path == "/version" else b"[]")):
        source = DockerSource()
        source.open(lambda: None)
        assert source.read().workloads == {}
        source.close()


@pytest.mark.parametrize("blank", ["", " "])
def test_a_variable_with_nothing_in_it_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, blank: str) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with engine(tmp_path, lambda _: b""):
        (tmp_path / "s").rename(tmp_path / "docker.sock")
        monkeypatch.setattr("os.path.exists", lambda path: path == f"{tmp_path}/docker.sock")
        environ = {"DOCKER_HOST": blank, "XDG_RUNTIME_DIR": str(tmp_path)}
        assert resolve(None, environ=environ).url == f"unix://{tmp_path}/docker.sock"


@pytest.mark.parametrize("environ", [{}, {"DOCKER_CONTEXT": "prod"}])
def test_a_context_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": "prod"}))
    with pytest.raises(SourceAbsent, match="there is no Docker context prod") as caught:
        resolve(None, environ=environ)
    assert caught.value.remedy == "docker context ls"
