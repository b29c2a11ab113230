"""The hosts of the lab are apart: engines, names, files and clocks of their own, and power that can be cut."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.helpers.lab.far_hosts import FarHosts
from tests.helpers.lab.far_kernel import add_kernel
from tests.helpers.lab.fixtures import skip_or_fail

pytestmark = pytest.mark.lab
HOUR = 3600


@pytest.fixture(scope="module")
def ahead(far_lab: FarHosts) -> Iterator[None]:
    """A host with a kernel of its own, two hours ahead."""
    with skip_or_fail():
        host = add_kernel(far_lab, "hv04", 2 * HOUR)
        host.wait_ready()
    yield
    far_lab.remove("hv04")


def test_each_host_has_a_name_and_an_engine_of_its_own(far_lab: FarHosts) -> None:
    names = [far_lab.ssh(name, "hostname").stdout.strip() for name in ("hv01", "hv02", "hv03")]
    assert names == ["hv01", "hv02", "hv03"]
    far_lab.hosts["hv01"].run("only-here")
    assert "only-here" in far_lab.hosts["hv01"].container_names()
    assert "only-here" not in far_lab.hosts["hv02"].container_names()
    far_lab.hosts["hv01"].inside("docker", "rm", "-f", "only-here")


def test_one_is_reached_through_the_jump_host_alone(far_lab: FarHosts) -> None:
    there = far_lab.hosts["hv03"]
    assert far_lab.ssh("hv03", "hostname").returncode == 0
    greeting = b""
    with suppress(OSError), socket.create_connection((there.address, 22), timeout=1) as straight:
        greeting = straight.recv(100)  # of a gateway that takes calls for every address
    assert not greeting.startswith(b"SSH")


def test_vmtop_over_there_sees_what_runs_over_there(far_lab: FarHosts) -> None:
    far_lab.hosts["hv02"].run("lab-web")
    assert "lab-web" in far_lab.ssh("hv02", "vmtop", "list", "--all").stdout
    assert "lab-web" not in far_lab.ssh("hv01", "vmtop", "list", "--all").stdout
    far_lab.hosts["hv02"].inside("docker", "rm", "-f", "lab-web")


def test_a_host_without_power_says_nothing_and_comes_back_with_its_keys(far_lab: FarHosts) -> None:
    host = far_lab.add("hv05", has_docker=False)
    host.wait_ready()
    assert far_lab.ssh("hv05", "true").returncode == 0
    host.kill()
    assert far_lab.ssh("hv05", "true", timeout_s=30).returncode == 255
    host.start()
    host.wait_ready()
    assert far_lab.ssh("hv05", "true").returncode == 0
    far_lab.remove("hv05")


@pytest.mark.usefixtures("ahead")
def test_one_has_a_clock_that_is_two_hours_ahead(far_lab: FarHosts) -> None:
    there = float(far_lab.ssh("hv04", "date", "+%s").stdout)
    assert there - time.time() == pytest.approx(2 * HOUR, abs=60)
