"""The images: loaded by Docker and by Podman as they are, and used as the documentation says."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import tarfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.dist.conftest import artefact, shows_the_demo
from tests.helpers.checkout import DOCS
from tests.helpers.fresh_root import FreshRoot
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.podman_engine import PodmanLab
from tests.helpers.lab.process import find_program, wait_until

pytestmark = [pytest.mark.dist, pytest.mark.lab]
_IMAGES = pytest.mark.parametrize("name", ["vmtop", "vmtop-libvirt"])
_SEEING = ("--pid=host", "--cgroupns=host", "--network=host", "--volume=/sys/fs/cgroup:/sys/fs/cgroup:ro")


def file_of(name: str) -> Path:
    return artefact("vmtop-*-image-libvirt.tar" if name.endswith("libvirt") else "vmtop-*-image.tar")


def tag_of(name: str) -> str:
    return f"{name}:{file_of(name).name.split('-')[1]}"


@_IMAGES
def test_its_blobs_are_what_their_names_say(name: str, record_property: Callable[[str, object], None]) -> None:
    record_property("artefact", file_of(name).name)
    record_property("system", "OCI layout")
    with tarfile.open(file_of(name)) as archive:
        files = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        content = {path: stream.read() for path, stream in files.items() if stream is not None}
    for path, data in content.items():
        if path.startswith("blobs/"):
            assert hashlib.sha256(data).hexdigest() == path.rpartition("/")[2]
    (listed,) = json.loads(content["index.json"])["manifests"]
    manifest = json.loads(content[f"blobs/{listed['digest'].replace(':', '/')}"])
    assert {f"blobs/{layer['digest'].replace(':', '/')}" for layer in manifest["layers"]} <= set(content)


@_IMAGES
def test_docker_loads_and_runs_it(
    name: str, docker_lab: DockerLab, record_property: Callable[[str, object], None]
) -> None:
    record_property("artefact", file_of(name).name)
    record_property("system", "Docker")
    docker = [find_program("docker"), "-H", docker_lab.url]
    _run([*docker, "load", "--input", str(file_of(name))])
    volume = f"--volume={docker_lab.url.removeprefix('unix://')}:/var/run/docker.sock"
    docker_lab.run(name + "-sees", "sleep 600")
    words = [*docker, "run", "--rm", *_SEEING, volume]
    assert name + "-sees" in _run([*words, tag_of(name), "list", "--quiet", "--wait", "20"]).split()
    assert "its own" in _run([*words, tag_of(name), "doctor"], codes=(0, 1))
    shows_the_demo([*words, "--interactive", "--tty", tag_of(name), "demo"])


@_IMAGES
def test_podman_loads_it(name: str, podman_lab: PodmanLab, record_property: Callable[[str, object], None]) -> None:
    record_property("artefact", file_of(name).name)
    record_property("system", "Podman")
    podman_lab.podman("load", "--input", str(file_of(name)))
    names = podman_lab.podman("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    assert [one for one in names if one.endswith(f"/{tag_of(name)}")]


def test_the_one_with_libvirt_asks_libvirt(
    docker_lab: DockerLab, record_property: Callable[[str, object], None]
) -> None:
    name = "vmtop-libvirt"
    record_property("artefact", file_of(name).name)
    record_property("system", "Docker")
    docker = [find_program("docker"), "-H", docker_lab.url]
    _run([*docker, "load", "--input", str(file_of(name))])
    words = [*docker, "run", "--rm", *_SEEING, tag_of(name), "list", "--quiet", "--only", "vm"]
    assert "test" in _run([*words, "--libvirt", "test:///default"]).split()


def test_the_compose_file_serves_the_names_of_the_host(
    docker_lab: DockerLab,
    new_root: Callable[[str], FreshRoot],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    record_property("artefact", "docs/compose.yaml")
    record_property("system", "Docker Compose")
    docker_lab.run("composed-sees", "sleep 600")
    _run([find_program("docker"), "-H", docker_lab.url, "load", "--input", str(file_of("vmtop"))])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    root, engine = new_root("trixie"), docker_lab.url.removeprefix("unix://")
    root.run("apt-get", "update")
    root.run("apt-get", "install", "--yes", "--no-install-recommends", "docker-cli", "docker-compose")
    text = (DOCS / "compose.yaml").read_text()
    for ours, here in ((":9922", f":{port}"), ("- /var/run/docker.sock:", f"- {engine}:")):
        assert ours in text
        text = text.replace(ours, here)
    (tmp_path / "compose.yaml").write_text(text)
    root.put(tmp_path / "compose.yaml", "/srv/compose.yaml")
    host = f"unix:///proc/{os.getpid()}/root{engine}"  # the fresh system sees this one's processes, not its files
    settings = ("env", f"DOCKER_HOST={host}", f"VMTOP_VERSION={tag_of('vmtop').partition(':')[2]}")
    compose = (*settings, "docker", "compose", "--file", "/srv/compose.yaml")
    root.run(*compose, "up", "--detach")
    try:
        wait_until(lambda: _scraped(port), 30, "an answer to a scrape")
        page = _get(port)
        names = root.run(*compose, "exec", "-T", "vmtop", "/usr/bin/vmtop", "list", "--quiet", "--wait", "20").split()
        shows_the_demo(root.command(*compose, "exec", "vmtop", "/usr/bin/vmtop", "demo"))
    finally:
        root.run(*compose, "down")
    assert 'vmtop_source_up{source="cgroup"} 1' in page
    assert 'name="composed-sees"' in page
    assert "composed-sees" in names


def _scraped(port: int) -> bool:
    with suppress(OSError):
        return "vmtop_source_up" in _get(port)
    return False


def _get(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:  # noqa: S310  # this very address
        return str(answer.read().decode())


def _run(words: list[str], codes: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=600)
    assert done.returncode in codes, f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout
