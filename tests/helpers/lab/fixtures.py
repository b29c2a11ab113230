"""The lab as pytest fixtures, started when the first test asks and stopped at the end of the run.

Where the machine cannot run a part, its tests skip with the reason; with VMTOP_REQUIRE_LAB=1 they fail instead.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.lab.cri import CriLab, cri_engine
from tests.helpers.lab.docker_engine import DockerLab, docker_engine
from tests.helpers.lab.far_hosts import FarHosts, far_hosts
from tests.helpers.lab.leftovers import watched_over
from tests.helpers.lab.libvirt_daemon import LibvirtLab, libvirt_daemon
from tests.helpers.lab.podman_engine import PodmanLab, podman_engine
from tests.helpers.lab.process import LabUnavailable, lab_folder
from tests.helpers.lab.uml import UmlLab, uml_kernel


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run here, and have tests that share a lab run one after the other, in one process.

    Left out are the tests for the inside of the user-mode kernel outside of it, and those that only `make lab` or
    `make dist-test` runs.
    """
    for item in items:
        if item.get_closest_marker("lab"):
            is_far = "far_lab" in getattr(item, "fixturenames", ())
            item.add_marker(pytest.mark.xdist_group("far" if is_far else item.path.stem))
    wanted = {
        "uml": "VMTOP_INSIDE_UML" in os.environ,
        "long_lab": os.environ.get("VMTOP_LONG_LAB") == "1",
        "dist": os.environ.get("VMTOP_DIST") == "1",
    }
    absent = [marker for marker, is_wanted in wanted.items() if not is_wanted]
    left_out = [item for item in items if any(item.get_closest_marker(marker) for marker in absent)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def lab_root() -> Iterator[Path]:
    """Give the folder of this run, with a path short enough for sockets."""
    with _ending_in_order(), lab_folder() as folder, watched_over(folder):
        yield folder


@pytest.fixture(scope="session")
def docker_lab(lab_root: Path) -> Iterator[DockerLab]:
    """Give a Docker engine of our own; inside the user-mode kernel, the one that runs there."""
    with skip_or_fail(), docker_engine(lab_root / "docker") as lab:
        yield lab


@pytest.fixture(autouse=True)
def _no_container_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Remove the Docker containers that a test by itself has started: what goes on takes CPU from all later tests."""
    if "docker_lab" not in request.fixturenames:
        yield
        return
    lab: DockerLab = request.getfixturevalue("docker_lab")
    before = lab.started
    yield
    for name in lab.started - before:
        lab.remove_named(name)


@pytest.fixture(scope="session")
def cri_lab(lab_root: Path) -> Iterator[CriLab]:
    """Give a containerd of our own with its CRI."""
    with skip_or_fail(), cri_engine(lab_root / "cri") as lab:
        yield lab


@pytest.fixture(scope="session")
def podman_lab(lab_root: Path) -> Iterator[PodmanLab]:
    """Give a Podman of our own, with a service that runs all the time."""
    with skip_or_fail(), podman_engine(lab_root / "podman") as lab:
        yield lab


@pytest.fixture(scope="session")
def libvirt_lab(lab_root: Path) -> Iterator[LibvirtLab]:
    """Give a libvirt daemon of our own, whose two Linux guests are still booting."""
    with skip_or_fail(), libvirt_daemon(lab_root / "libvirt") as lab:
        yield lab


@pytest.fixture(scope="session")
def linux_guests(libvirt_lab: LibvirtLab) -> tuple[str, str]:
    """Give the names of the two Linux guests, once both are up."""
    return libvirt_lab.wait_ready()


@pytest.fixture(scope="session")
def far_lab(lab_root: Path) -> Iterator[FarHosts]:
    """Give hosts that are reached by SSH, each with a Docker engine: hv01, hv02, and hv03 behind hv02.

    hv01 and hv02 have libvirt too. A test may add others, and leaves these as they are.
    """
    with skip_or_fail(), far_hosts(lab_root / "far") as lab:
        lab.add("hv01", has_libvirt=True)
        lab.add("hv03", behind=lab.add("hv02", has_libvirt=True))
        lab.wait_ready()
        yield lab


@pytest.fixture(scope="session")
def uml_lab(lab_root: Path) -> UmlLab:
    """Give the user-mode kernel; each `run` boots a fresh one."""
    with skip_or_fail():
        return uml_kernel(lab_root / "uml")


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the run as Ctrl-C does: by default nothing would be undone."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def skip_or_fail() -> Iterator[None]:
    """Skip what needs a part of the lab that this machine cannot run; fail where the lab is required."""
    try:
        yield
    except LabUnavailable as reason:
        if os.environ.get("VMTOP_REQUIRE_LAB") == "1":
            pytest.fail(f"the lab is required: {reason}", pytrace=False)
        pytest.skip(str(reason))
