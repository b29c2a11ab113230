"""Several daemons, daemons that fail, and sockets that may not be trusted; the daemons are stand-ins."""

from __future__ import annotations

import json
import os
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from collectors.engines.lxd import client as client_module
from collectors.engines.lxd import sockets
from collectors.engines.lxd.access import LxdAccess
from collectors.engines.lxd.client import LxdClient
from collectors.engines.lxd.source import LxdSource
from collectors.model.errors import AccessDenied, SourceAbsent, SourceDown, SourceError, WorkloadGone
from collectors.model.workloads import Kind, State, Workload, WorkloadId

INSTANCES: list[dict[str, Any]] = [
    {"name": "vm1", "project": "default", "type": "virtual-machine", "status": "Stopped", "expanded_config": {}},
    {"name": "web", "project": "shop", "type": "container", "status": "Frozen", "expanded_config": {}},
]


class StandIn:
    """A daemon on a socket that answers from a table."""

    def __init__(self, path: Path, server: str) -> None:
        self.answers: dict[str, Any] = {
            "/1.0": {"auth": "trusted", "environment": {"server": server, "server_version": "6.0"}},
            "/1.0/instances": INSTANCES,
        }
        self.raw: dict[str, bytes] = {}
        self.asked: list[str] = []
        daemon = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                where = self.path.partition("?")[0]
                daemon.asked.append(self.path)
                known = where in daemon.answers
                document = {"metadata": daemon.answers[where]} if known else {"error": "not found"}
                body = daemon.raw.get(where) or json.dumps(document).encode()
                self.send_response(200 if known else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def address_string(self) -> str:
                return "socket"

            def log_message(self, *_: object) -> None: ...

        self._server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def stand_in(path: Path, server: str) -> Iterator[StandIn]:
    path.parent.mkdir(exist_ok=True)
    daemon = StandIn(path, server)
    try:
        yield daemon
    finally:
        daemon.end()


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Return where the sockets of an LXD and an Incus are looked for."""
    for variable in ("LXD_DIR", "LXD_SOCKET", "INCUS_DIR", "INCUS_SOCKET"):
        monkeypatch.delenv(variable, raising=False)
    found = (tmp_path / "lxd" / "unix.socket", tmp_path / "incus" / "unix.socket")
    monkeypatch.setattr(sockets, "_SOCKETS", tuple(map(str, found)))
    return found


def opened() -> LxdSource:
    source = LxdSource()
    source.open(lambda: None)
    return source


def test_without_a_socket_there_is_nothing(places: tuple[Path, Path]) -> None:
    with pytest.raises(SourceAbsent):
        opened()


def test_two_daemons_are_one_source_and_their_instances_two_engines(places: tuple[Path, Path]) -> None:
    with stand_in(places[0], "lxd"), stand_in(places[1], "incus"):
        source = opened()
        reading = source.read()
        source.close()
    assert set(reading.workloads) == {
        WorkloadId(engine, identity) for engine in ("lxd", "incus") for identity in ("default/vm1", "shop/web")
    }
    machine = reading.workloads[WorkloadId("incus", "default/vm1")]
    assert (machine.kind, machine.state) == (Kind.VM, State.STOPPED)
    assert reading.workloads[WorkloadId("lxd", "shop/web")].state is State.PAUSED
    assert reading.engines == {"lxd", "incus"}
    assert reading.detail == "LXD 6.0, Incus 6.0, 4 instances"


def test_one_that_ends_leaves_the_other_and_is_back_when_it_is(places: tuple[Path, Path]) -> None:
    with stand_in(places[0], "lxd"):
        with stand_in(places[1], "incus"):
            source = opened()
            source.read()
        reading = source.read()
        assert reading.engines == {"lxd"}
        assert str(places[1]) in reading.unseen
        places[1].unlink()
        with stand_in(places[1], "incus"):
            engines = [source.read().engines for _ in range(7)]
        source.close()
    assert engines[-1] == {"lxd", "incus"}


def test_the_last_one_that_ends_is_a_fault_not_an_empty_list(places: tuple[Path, Path]) -> None:
    with stand_in(places[0], "lxd"):
        source = opened()
        source.read()
    with pytest.raises(SourceDown):
        source.read()
    source.close()


def test_a_daemon_that_does_not_trust_the_user_is_refused(places: tuple[Path, Path]) -> None:
    with stand_in(places[0], "lxd") as daemon:
        daemon.answers["/1.0"] = {"auth": "untrusted"}
        with pytest.raises(SourceError, match="trust"):
            opened()


def test_an_instance_is_asked_of_the_daemon_of_its_engine(places: tuple[Path, Path]) -> None:
    workload = Workload(WorkloadId("incus", "shop/web"), Kind.CONTAINER, "web", State.RUNNING)
    with stand_in(places[0], "lxd"):
        with pytest.raises(SourceAbsent, match="no daemon of incus"):
            LxdAccess().client(workload)
        with stand_in(places[1], "incus"):
            assert LxdAccess().client(workload).path == places[1]


def test_one_that_does_not_answer_is_never_a_workload_that_is_gone(places: tuple[Path, Path]) -> None:
    workload = Workload(WorkloadId("incus", "shop/web"), Kind.CONTAINER, "web", State.RUNNING)
    with stand_in(places[0], "lxd"):
        with stand_in(places[1], "incus"):
            pass
        with pytest.raises(SourceDown):
            LxdAccess().client(workload)


@pytest.mark.parametrize("raw", [b"not json", b"[" * 100000, b"[]", b"7"])
def test_an_invalid_answer_is_a_fault_of_the_daemon(places: tuple[Path, Path], raw: bytes) -> None:
    with stand_in(places[0], "lxd") as daemon:
        daemon.raw["/1.0"] = raw
        with pytest.raises(SourceDown, match="invalid answer"):
            LxdClient(places[0]).get("/1.0")


def test_an_answer_without_end_is_cut_off(places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_LARGEST", 1000)
    with stand_in(places[0], "lxd") as daemon:
        daemon.answers["/1.0"] = "x" * 2000
        with pytest.raises(SourceDown, match="longer than"):
            LxdClient(places[0]).get("/1.0")


def test_what_it_does_not_know_is_gone(places: tuple[Path, Path]) -> None:
    with stand_in(places[0], "lxd"), pytest.raises(WorkloadGone):
        LxdClient(places[0]).get("/1.0/instances/none")


def test_the_variables_of_the_clients_name_the_socket(places: tuple[Path, Path]) -> None:
    with stand_in(places[0], "lxd"):
        assert sockets.find_sockets({}) == [places[0]]
        assert sockets.find_sockets({"INCUS_DIR": str(places[0].parent)}) == [places[0]], "once"
        assert sockets.find_sockets({"LXD_SOCKET": str(places[0])}) == [places[0]]
        assert sockets.find_sockets({"LXD_SOCKET": "relative"}) == [places[0]]


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a folder to another user")
def test_a_folder_of_another_user_on_the_way_is_refused(places: tuple[Path, Path]) -> None:
    with stand_in(places[0], "lxd"):
        os.chown(places[0].parent, 12345, -1)
        with pytest.raises(AccessDenied, match="belongs to another user"):
            LxdClient(places[0]).get("/1.0")
        os.chown(places[0].parent, 0, -1)
        os.chown(places[0], 12345, -1)
        with pytest.raises(AccessDenied, match="belongs to another user"):
            LxdClient(places[0]).get("/1.0")
