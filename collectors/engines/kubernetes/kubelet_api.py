"""The kubelet's own API on this host: where it listens, and what it may be asked with.

The read-only port (10255) needs nothing, and is off in most clusters. The other (10250) wants a client certificate that
the kubelet's authority signed, or a token; those that are on a control-plane node, and in a pod, are used where this
user may read them. Before anything is sent, the kernel's table of sockets has to show that root, or this user, listens
at the port: nobody else can stand in for the kubelet on the loopback interface then, so its certificate, which kubelets
sign themselves, is not checked.
"""

from __future__ import annotations

import os
import socket
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from collectors.engines.socket_http import send, whole
from collectors.kernel.procfs import read_bytes
from collectors.model.errors import AccessDenied, SourceAbsent, SourceDown, SourceError
from collectors.safety.bounded_file import read_bounded
from collectors.safety.permissions import as_root
from collectors.safety.sanitize import sanitize

READ_ONLY_PORT, PORT = 10255, 10250
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_TIMEOUT_S = 3.0
_LARGEST = 64 << 20
"""Bytes of one answer at most."""
_MOST_VALUES = 2_000_000
"""Values in one answer at most; a pod has about a hundred."""
_LONGEST_ANSWER_S = 60.0
_LISTENING = b"0A"
"""TCP_LISTEN of include/net/tcp_states.h, as /proc/net/tcp has it."""
_CERTIFICATES = (
    ("/etc/kubernetes/pki/apiserver-kubelet-client.crt", "/etc/kubernetes/pki/apiserver-kubelet-client.key"),
    (
        "/var/lib/rancher/k3s/server/tls/client-kube-apiserver.crt",
        "/var/lib/rancher/k3s/server/tls/client-kube-apiserver.key",
    ),
    (
        "/var/lib/rancher/rke2/server/tls/client-kube-apiserver.crt",
        "/var/lib/rancher/rke2/server/tls/client-kube-apiserver.key",
    ),
    (
        "/var/snap/microk8s/current/certs/apiserver-kubelet-client.crt",
        "/var/snap/microk8s/current/certs/apiserver-kubelet-client.key",
    ),
)
"""Pairs with which the API server asks kubelets: kubeadm, k3s, RKE2, MicroK8s."""
_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105  # a path


class Kubelet(NamedTuple):
    """A kubelet that may be asked."""

    port: int
    is_secure: bool = False
    certificate: tuple[str, str] | None = None
    """Paths of a certificate and its key."""
    token: str = ""

    def get(self, path: str) -> Any:
        """Return the decoded answer to a request.

        Raises:
            SourceError: It does not answer, or refuses this user.
        """
        body = self._ask(path)
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise SourceDown(f"the kubelet's answer to {path} is not JSON: {sanitize(str(error))}") from error

    def _ask(self, path: str) -> bytes:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            answer = send(self._connection(), "GET", path, headers=headers)
            try:
                body = whole(answer.read, _LARGEST, _MOST_VALUES, _LONGEST_ANSWER_S)
            finally:
                answer.close()
        except OSError as error:
            raise SourceDown(f"the kubelet at port {self.port} does not answer: {sanitize(str(error))}") from error
        if answer.status in (401, 403):
            raise AccessDenied(f"the kubelet at port {self.port} refuses this user (HTTP {answer.status})", as_root())
        if answer.status != 200:
            raise SourceDown(f"the kubelet at port {self.port} answers {path} with HTTP {answer.status}")
        return body

    def _connection(self) -> socket.socket:
        if not self.is_secure:
            return socket.create_connection(("127.0.0.1", self.port), _TIMEOUT_S)
        import ssl  # late: most hosts have no kubelet

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if self.certificate is not None:
            try:
                context.load_cert_chain(*self.certificate)
            except (OSError, ssl.SSLError) as error:
                raise SourceError(f"{self.certificate[0]} cannot be used: {error}") from error
        connection = socket.create_connection(("127.0.0.1", self.port), _TIMEOUT_S)
        try:
            return context.wrap_socket(connection)
        except BaseException:
            connection.close()
            raise


def find(url: str | None, proc: str = "/proc") -> Kubelet | None:
    """Return the kubelet that this user may ask; `None` where none listens, or nothing that it accepts can be read.

    Args:
        url: Where it is; `None` looks at the usual ports.
        proc: The path of procfs.

    Raises:
        SourceAbsent: The address is not of this host, or another user listens there.
    """
    if url is not None:
        parts = urlsplit(url)
        if parts.hostname not in _LOOPBACK:
            raise SourceAbsent(f"{sanitize(url)} is not a kubelet of this host: name one as http://127.0.0.1:10255")
        is_secure = parts.scheme == "https"
        port = parts.port or (PORT if is_secure else READ_ONLY_PORT)
        if not is_listening(port, proc):
            raise SourceDown(f"neither root nor this user listens at port {port}")
        return _with_credentials(port) or Kubelet(port, True) if is_secure else Kubelet(port)
    if is_listening(READ_ONLY_PORT, proc):
        return Kubelet(READ_ONLY_PORT)
    return _with_credentials(PORT) if is_listening(PORT, proc) else None


def _with_credentials(port: int) -> Kubelet | None:
    for pair in _CERTIFICATES:
        if all(os.access(path, os.R_OK) for path in pair):
            return Kubelet(port, True, pair)
    token = read_bounded(os.path.realpath(_TOKEN), 64 << 10, 0)
    return Kubelet(port, True, token=token.decode("ascii", "ignore").strip()) if token else None


def is_listening(port: int, proc: str = "/proc") -> bool:
    """Return whether root or this user listens at a port of this host, and nobody else does."""
    owners = [owner for table in ("tcp", "tcp6") for owner in _listeners(read_bytes(f"{proc}/net/{table}"), port)]
    return bool(owners) and all(owner in (0, os.geteuid()) for owner in owners)


def _listeners(table: bytes | None, port: int) -> list[int]:
    """Return the users that listen at a port, from a table of /proc/net (proc(5))."""
    end = b":%04X" % port
    rows = (line.split() for line in (table or b"").splitlines()[1:])
    return [
        int(row[7])
        for row in rows
        if len(row) > 7 and row[3] == _LISTENING and row[1].endswith(end) and row[7].isdigit()
    ]
