"""Who answers at an address, by the headers of one cheap request."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from requests import ReadTimeout

from collectors.engines.docker.connection.endpoint import Endpoint
from collectors.engines.docker.connection.greeting import Greeting
from collectors.engines.podman.client import PodmanClient
from collectors.engines.podman.source import PodmanSource
from collectors.model.errors import SourceDown
from tests.unit.collectors.engines.docker.test_source import VERSION, engine, response


def ping(**headers: str) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return response(b"OK").replace(b"\r\n\r\n", f"\r\n{lines}\r\n".encode(), 1)


NEW = json.dumps({"ApiVersion": "1.60", "MinAPIVersion": "1.53"}).encode()


@pytest.mark.parametrize(
    ("answers", "greeting", "asked"),
    [
        ({"/_ping": ping(Api_Version="1.41", Server="Docker/20.10")}, Greeting("docker", "1.41"), ["/_ping"]),
        (
            {"/_ping": ping(Api_Version="1.41", Libpod_Api_Version="5.3.0-dev", Server="Libpod/5.3.0-dev")},
            Greeting("podman", "1.41", "5.3.0"),
            ["/_ping"],
        ),
        ({"/_ping": ping(Api_Version="1.60"), "/version": NEW}, Greeting("docker", "1.53"), ["/_ping", "/version"]),
        ({"/_ping": ping(), "/version": VERSION}, Greeting("docker", "1.41"), ["/_ping", "/version"]),
        ({"/version": VERSION}, Greeting("docker", "1.41"), ["/_ping", "/version"]),
    ],
    ids=["Docker", "Podman", "newer than vmtop", "a proxy without headers", "no ping"],
)
def test_one_request_tells_the_engine_and_a_second_only_what_its_headers_lack(
    tmp_path: Path, answers: dict[str, bytes], greeting: Greeting, asked: list[str]
) -> None:
    seen: list[str] = []

    def answer(path: str) -> bytes:
        seen.append(path)
        found = answers.get(path)
        return response(b"", "403 Forbidden") if found is None else found if path == "/_ping" else response(found)

    with engine(tmp_path, answer):
        assert Endpoint(f"unix://{tmp_path}/s").greet() == greeting
    assert seen == asked


def test_a_version_of_podman_that_leads_elsewhere_is_not_put_into_a_path(tmp_path: Path) -> None:
    hostile = ping(Api_Version="1.41", Libpod_Api_Version="../../x")
    with engine(tmp_path, lambda path: hostile), pytest.raises(ValueError, match="not a version"):
        Endpoint(f"unix://{tmp_path}/s").greet()


def test_an_engine_that_does_not_answer_is_not_waited_for_without_end(tmp_path: Path) -> None:
    ended = threading.Event()

    def answer(_path: str) -> bytes:
        ended.wait(20)
        return b""

    with engine(tmp_path, answer):
        endpoint = Endpoint(f"unix://{tmp_path}/s")
        with pytest.raises(TimeoutError):
            endpoint.greet(0.05)
        client = endpoint.connect(Greeting("podman", "1.41", "4.3.1"), 0.05)
        assert isinstance(client, PodmanClient)
        with pytest.raises(ReadTimeout):
            client.containers()
        client.close()
        ended.set()


def test_docker_at_an_address_of_podman_is_named_with_the_option_that_reads_it(tmp_path: Path) -> None:
    with engine(tmp_path, lambda _path: ping(Api_Version="1.41")):
        address = f"unix://{tmp_path}/s"
        with pytest.raises(SourceDown, match=r"Docker answers at .*, not Podman") as caught:
            PodmanSource(address).open(lambda: None)
    assert caught.value.remedy == f"vmtop --docker {address}"
