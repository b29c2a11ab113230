"""Where Podman is found, which addresses lead to it, and which of several has a container."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from collectors.engines.podman import sockets
from collectors.engines.podman.access import PodmanAccess
from collectors.engines.podman.address import resolve
from collectors.engines.podman.engine import PodmanEngine
from collectors.engines.podman.sockets import peer_of, place_of
from collectors.model.errors import SourceAbsent, SourceDown
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.safety.peers import Peer
from collectors.sampling.source import SourceSpec
from tests.helpers.checkout import ROOT as CHECKOUT

ME = os.geteuid()
ROOT, ALICE = "unix:///run/podman/podman.sock", "unix:///run/user/1000/podman/podman.sock"
SLICE = "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-a.scope"


@pytest.fixture
def listening() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def listen(stack: ExitStack, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    server = stack.enter_context(socket.socket(socket.AF_UNIX))
    server.bind(str(path))
    server.listen()
    return path


def found(tmp_path: Path, uid: int, environ: Mapping[str, str] | None = None) -> list[str]:
    paths = sockets.sockets(environ or {}, uid, f"{tmp_path}/")
    return [path.removeprefix(str(tmp_path)) for path in paths]


def test_root_finds_its_own_and_every_users_that_is_that_users(tmp_path: Path, listening: ExitStack) -> None:
    assert found(tmp_path, 0) == []
    listen(listening, tmp_path / "run/podman/podman.sock")
    alice = listen(listening, tmp_path / "run/user/1000/podman/podman.sock")
    os.chown(alice, 1000, 1000) if ME == 0 else pytest.skip("only root can give a socket to somebody")
    (tmp_path / "run/user/1001").mkdir()
    (tmp_path / "run/user/1001/podman").symlink_to(tmp_path / "run/podman")
    listen(listening, tmp_path / "run/user/1002/podman/podman.sock")
    (tmp_path / "run/user/lost+found").mkdir()
    assert found(tmp_path, 0) == ["/run/podman/podman.sock", "/run/user/1000/podman/podman.sock"]


def test_a_user_finds_the_one_in_the_runtime_folder(tmp_path: Path, listening: ExitStack) -> None:
    listen(listening, tmp_path / "mine/podman/podman.sock")
    assert found(tmp_path, 1000, {"XDG_RUNTIME_DIR": f"{tmp_path}/mine"}) == ["/mine/podman/podman.sock"]


def test_who_listens_is_known_and_a_user_may_describe_only_what_is_that_users(
    tmp_path: Path, listening: ExitStack
) -> None:
    path = listen(listening, tmp_path / "s")
    assert peer_of(str(path)) == Peer(os.getpid(), ME)
    assert place_of(Peer(1, ME)) == place_of(Peer(1, 0)) == ""
    assert place_of(Peer(1, 4711)) == "/user.slice/user-4711.slice/"


def test_the_option_counts_then_the_variable_then_the_users_own(tmp_path: Path) -> None:
    own = {"XDG_RUNTIME_DIR": str(tmp_path)}
    with pytest.raises(SourceAbsent, match=f"no Podman socket at {tmp_path}/podman/podman.sock"):
        resolve(None, environ=own, uid=1000)
    with pytest.raises(SourceAbsent, match="no Podman socket at /named"):
        resolve(None, environ={**own, "CONTAINER_HOST": "unix:///named"})
    with pytest.raises(SourceDown, match="the scheme is missing in --podman"):
        resolve("/run/podman.sock", environ=own)


def test_the_path_of_an_ssh_address_is_the_socket_there() -> None:
    endpoint = resolve("ssh://me@far:22/run/user/1000/podman/podman.sock", environ={})
    assert (endpoint.url, endpoint.shown) == ("ssh://me@far:22", "far:22")
    assert endpoint.product.dial == "podman --url unix:///run/user/1000/podman/podman.sock system dial-stdio"
    assert resolve("ssh://me@far", environ={}).product.dial == "podman system dial-stdio"
    for hostile in ("ssh://far/a b", "ssh://far/$(reboot)", "ssh://far/;x", "ssh://far/a'b"):
        with pytest.raises(SourceDown, match="does not pass on"):
            resolve(hostile, environ={})


@pytest.fixture
def two_sockets(tmp_path: Path, listening: ExitStack, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    paths = listen(listening, tmp_path / "root.sock"), listen(listening, tmp_path / "alice.sock")
    for name in ("CONTAINER_HOST", "DOCKER_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sockets, "sockets", lambda *_: [str(path) for path in paths])
    return paths


def urls(**values: object) -> list[object]:
    return [spec.options["url"] for spec in PodmanEngine().specs(values)]


def test_each_socket_is_a_source_unless_dockers_address_leads_to_it(
    tmp_path: Path, two_sockets: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (f"unix://{path}" for path in two_sockets)
    assert urls() == [first, second]
    link = tmp_path / "docker.sock"
    link.symlink_to(two_sockets[0])
    assert urls(docker=(f"unix://{link}",)) == [second]
    assert urls(podman=("ssh://far",)) == ["ssh://far"]
    monkeypatch.setenv("DOCKER_HOST", second)
    assert urls() == [first]
    monkeypatch.setenv("CONTAINER_HOST", "ssh://far")
    assert urls() == [None], "which the source reads itself"


def container(cgroup: str | None = None, endpoint: str = "") -> Workload:
    identity = WorkloadId("podman", "a" * 64)
    return Workload(identity, Kind.CONTAINER, "web", State.RUNNING, cgroup=cgroup, endpoint=endpoint, is_listed=True)


@pytest.mark.parametrize(
    ("addresses", "workload", "command"),
    [
        ([ROOT], container("/machine.slice/libpod-a.scope"), ""),
        ([ROOT, ALICE], container("/machine.slice/libpod-a.scope"), ""),
        ([ROOT, ALICE], container(SLICE), ALICE),
        ([ALICE], container(), ALICE),
        ([ROOT, ALICE], container(), ""),
        (["ssh://far", ROOT], container(endpoint="far"), "ssh://far"),
    ],
)
def test_the_equivalent_command_names_the_engine_that_is_not_ones_own(
    addresses: list[str], workload: Workload, command: str
) -> None:
    access = PodmanAccess([SourceSpec("podman", {"url": address}) for address in addresses])
    assert access.command_address(workload, {}, is_root=True) == command
    is_own = workload.cgroup is not None and workload.cgroup != SLICE
    assert access.needs_id(workload, {}, is_root=True) is not is_own


def test_a_users_engine_is_not_asked_about_containers_of_others() -> None:
    access = PodmanAccess([SourceSpec("podman", {"url": address}) for address in (ROOT, ALICE)])
    assert len(access.daemons(container("/machine.slice/libpod-a.scope"))) == 1
    assert len(access.daemons(container(SLICE))) == 2
    assert len(access.daemons(container())) == 2, "one without a group may be anybody's"


def run(code: str) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=CHECKOUT, env=environ)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_where_there_is_no_podman_its_library_is_not_loaded() -> None:
    code = """
import sys
from collectors.engines.podman.source import PodmanSource
from collectors.model.errors import SourceAbsent
try:
    PodmanSource("unix:///nowhere/podman.sock").open(lambda: None)
except SourceAbsent:
    print("docker" in sys.modules)
"""
    assert run(code) == "False"


def test_two_engines_that_are_opened_at_once_do_not_see_each_others_half_of_the_library() -> None:
    code = """
import sys, threading, time
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("docker."):
            time.sleep(0.01)
sys.meta_path.insert(0, Slow())
from collectors.engines.docker.source import DockerSource
from collectors.engines.podman.source import PodmanSource
from collectors.model.errors import SourceError
failed = []
def open_one(source):
    try:
        source.open(lambda: None)
    except SourceError:
        pass
    except BaseException as error:
        failed.append(error)
first = threading.Thread(target=open_one, args=(PodmanSource("tcp://127.0.0.1:1"),))
first.start()
while "docker" not in sys.modules:
    time.sleep(0.001)
open_one(DockerSource())
first.join()
print(failed)
"""
    assert run(code) == "[]"
