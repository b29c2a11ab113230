"""vSphere simulators of the test run's own, and what stands between them and vmtop: a counting, or a bad, server."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.checkout import ROOT
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.process import Daemon, LabUnavailable, made_anew

PROGRAM = ROOT / ".venv" / "lab-vcsim"
AUTH = """[credentials-sim]
username=user
password={password}
[auth-vsphere-127.0.0.1]
credentials=sim
"""
_ARRAY = re.compile(rb'XMLSchema-instance:type="ArrayOf(\w+)">.*?</val>', re.DOTALL)
_METHOD = re.compile(rb"<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)")


class Simulator:
    """A running simulator, whose user is `user` with the password `pass`."""

    def __init__(self, daemon: Daemon, address: str, is_encrypted: bool) -> None:
        self.daemon = daemon
        self.address = address
        """Host and port, as in `Workload.endpoint`."""
        self._is_encrypted = is_encrypted

    def url(self, *parameters: str, address: str = "", scheme: str = "vsphere") -> str:
        """Return its URL for vmtop, or the one of a proxy in front of it."""
        parts = [*parameters, *(() if self._is_encrypted else ("transport=http",))]
        return f"{scheme}://user@{address or self.address}/?{'&'.join(parts)}"

    @contextmanager
    def truth(self) -> Iterator[Any]:
        """Yield its `ServiceContent`, by pyvmomi alone: the second authority."""
        from pyVmomi import SoapAdapter, vim

        stub = SoapAdapter.SoapStubAdapter(url=f"http://{self.address}/sdk", version="vim.version.version9")
        content = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()
        content.sessionManager.Login("user", "pass")
        yield content
        content.sessionManager.Logout()
        stub.DropConnections()

    @contextmanager
    def machines(self) -> Iterator[dict[str, Any]]:
        """Yield the references of its machines, by name."""
        from pyVmomi import vim

        with self.truth() as content:
            view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
            yield {str(machine.name): machine for machine in view.view}


@contextmanager
def simulator(folder: Path, name: str, *options: str) -> Iterator[Simulator]:
    """Run a simulator.

    Args:
        folder: Folder of the lab.
        name: Name of its log and of its files.
        options: As of `vcsim.go`.
    """
    if not PROGRAM.exists():
        raise LabUnavailable("the vSphere simulator is not built: .ci/setup test")
    files = made_anew(folder / name)
    daemon = Daemon([str(PROGRAM), *options], folder / f"{name}.log", {"TMPDIR": str(files)})
    try:
        daemon.wait_until(lambda: "listens at" in daemon.log.read_text(), 30, f"{name} listening")
        found = re.search(r"listens at (\S+)", daemon.log.read_text())
        assert found is not None
        yield Simulator(daemon, found[1], "-tls" in options)
    finally:
        daemon.stop()


@pytest.fixture(scope="session")
def esxi(lab_root: Path) -> Iterator[Simulator]:
    """An ESXi host with three machines."""
    with skip_or_fail(), simulator(lab_root, "esxi", "-esx", "-vm", "3") as one:
        yield one


@pytest.fixture(scope="session")
def vcenter(lab_root: Path) -> Iterator[Simulator]:
    """A vCenter with four hosts, two of which have three machines each."""
    with skip_or_fail(), simulator(lab_root, "vcenter", "-vm", "3") as one:
        yield one


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's file with the simulators' password."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("LIBVIRT_AUTH_FILE", raising=False)
    path = tmp_path / "vmtop" / "auth.conf"
    path.parent.mkdir()
    write_password(path, "pass")
    return path


def write_password(path: Path, password: str) -> None:
    """Write the file of `credentials` with a password."""
    path.write_text(AUTH.format(password=password))
    path.chmod(0o600)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that has gone."""


class Front:
    """A server in front of a simulator that notes the methods that are called, and may change the answers.

    Args:
        target: Host and port of the simulator; empty for none.
        change: Changes the body of an answer.
    """

    def __init__(self, target: str, change: Callable[[bytes], bytes] = lambda body: body) -> None:
        self.methods: list[str] = []
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                method = _METHOD.search(body)
                front.methods.append(method[1].decode() if method else "")
                connection = HTTPConnection(target)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"}
                try:
                    connection.request("POST", self.path, body, headers)
                    answer = connection.getresponse()
                except OSError:  # the simulator has ended
                    self.close_connection = True
                    return
                changed = change(answer.read())
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(changed)))
                self.end_headers()
                with suppress(OSError):  # a client that does not want it all
                    self.wfile.write(changed)
                connection.close()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def front(target: str, change: Callable[[bytes], bytes] = lambda body: body) -> Iterator[Front]:
    """Run a `Front`."""
    one = Front(target, change)
    try:
        yield one
    finally:
        one.close()


@contextmanager
def silent_server() -> Iterator[str]:
    """Listen at an address where calls are taken and never answered, and yield it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def typed_arrays(body: bytes) -> bytes:
    """Give the elements of arrays the type that libvirt's driver asks for and this simulator leaves out."""

    def typed(match: re.Match[bytes]) -> bytes:
        name = match[1]
        opening = b"<" + name + b' xsi:type="' + name + b'"'
        text = match[0].replace(b"<" + name + b">", opening + b">")
        return text.replace(b"<" + name + b" type=", opening + b" type=")

    return _ARRAY.sub(typed, body)
