"""What a workload is and where it is reached, as real engines say it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from collectors.engines.docker.source import DockerSource
from collectors.engines.libvirt.source import LibvirtSource
from collectors.kernel.neighbours import read_neighbours
from collectors.model.workloads import State, Workload
from tests.helpers.lab.docker_engine import IMAGE, DockerLab
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import wait_until

pytestmark = pytest.mark.lab


@contextmanager
def opened(lab: DockerLab) -> Iterator[DockerSource]:
    source = DockerSource(lab.url)
    source.open(lambda: None)
    try:
        yield source
    finally:
        source.close()


def until(source: DockerSource, container: str, holds: Callable[[Workload], bool]) -> Workload:
    """Read until a container's description is as asked, at most half a minute."""
    for _ in range(150):
        workloads = source.read().workloads
        workload = next((one for identity, one in workloads.items() if identity.id == container), None)
        if workload is not None and holds(workload):
            return workload
        time.sleep(0.2)
    raise AssertionError(f"never so: {workload}")


def test_a_port_on_a_loopback_address_does_not_look_like_a_public_one(docker_lab: DockerLab) -> None:
    bindings: dict[int | str, Any] = {80: ("127.0.0.1", 18080), 81: 18081, 9000: 19000, 9001: 19001}
    client = docker_lab.client
    host_config = client.create_host_config(network_mode="bridge", port_bindings=bindings)
    command = ["sleep", "1000"]
    container = client.create_container(IMAGE, command, name="ports", ports=[*bindings], host_config=host_config)["Id"]
    try:
        client.start(container)
        with opened(docker_lab) as source:
            workload = until(source, container, lambda one: bool(one.ports and one.addresses))
    finally:
        docker_lab.remove(container)
    assert workload.ports == "127.0.0.1:18080→80/tcp, *:18081→81/tcp, *:19000-19001→9000-9001/tcp"
    assert workload.addresses[0].count(".") == 3
    assert workload.restarts == 0


def test_restarts_by_the_engine_are_counted(docker_lab: DockerLab) -> None:
    policy = {"Name": "on-failure", "MaximumRetryCount": 3}
    container = docker_lab.run("failing", "sleep 0.3; exit 7", restart_policy=policy)
    with opened(docker_lab) as source:
        until(source, container, lambda one: bool(one.restarts))
        ended = until(source, container, lambda one: one.state is State.STOPPED)
    assert ended.exit_code == 7


def test_a_machine_has_the_address_at_which_this_host_met_it(
    libvirt_lab: LibvirtLab, linux_guests: tuple[str, str]
) -> None:
    guest = next(guest for guest in libvirt_lab.guests if guest.name == linux_guests[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_traffic:
        any_traffic.sendto(b"hello", (guest.address, 9))
    wait_until(lambda: guest.address in str(read_neighbours()), 10, "the guest's answer")
    source = LibvirtSource(libvirt_lab.uri)
    source.open(lambda: None)
    try:
        workloads = source.read().workloads.values()
    finally:
        source.close()
    assert next(one for one in workloads if one.name == guest.name).addresses == (guest.address,)
