"""HTTP to an engine on another host: the OpenSSH client runs `docker system dial-stdio` there, like the docker command,
or `podman system dial-stdio`.

The client has no terminal and asks for nothing: a key or a passphrase that is missing is an error. Its standard input
and output are one end of a socket pair, so that time limits and cancelling work as on any other connection.
"""

from __future__ import annotations

import os
import socket
import subprocess  # noqa: TID251  # see docs/decisions/0020-ssh.md
import threading
from http.client import HTTPException
from typing import Any

import urllib3
from docker.transport.basehttpadapter import BaseHTTPAdapter
from urllib3.connection import HTTPConnection

from collectors.engines.docker.connection.product import DOCKER
from collectors.engines.ssh_target import SshFailure, SshTarget

_SECURE = ("ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes", "PermitLocalCommand=no")
_PLAIN = ("BatchMode=yes", "RequestTTY=no", "RemoteCommand=none")
_OPTIONS = [word for option in (*_SECURE, *_PLAIN) for word in ("-o", option)]
_LOGIN_S = 15.0
"""Seconds for the first answer on a connection, which includes the login."""
_MESSAGE_BYTES = 4096
_MESSAGE_WAIT_S = 1.0
"""Seconds for the client to say why it ended."""


class _Line(socket.socket):
    """Our end of the client's standard input and output; the client ends when the last user has closed it."""

    client: subprocess.Popen[bytes] | None = None

    def _real_close(self) -> None:
        super()._real_close()  # type: ignore[misc]  # as ssl.SSLSocket overrides it
        if self.client is not None:
            self.client.terminate()


class SshConnection(HTTPConnection):
    """One login, with one HTTP connection over it."""

    def __init__(self, target: SshTarget, timeout_s: float, dial: str = DOCKER.dial) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._dial = dial
        self._target = target
        self._messages = bytearray()
        self._listener: threading.Thread | None = None
        self._is_logged_in = False

    def connect(self) -> None:
        """Start the client."""
        ours, theirs = socket.socketpair()
        line = _Line(fileno=ours.detach())
        with theirs:
            client = subprocess.Popen(  # noqa: S603  # words without a shell; the target's are checked
                ["ssh", *_OPTIONS, *self._target.arguments, self._dial],  # noqa: S607  # whichever the user has
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.PIPE,
                env={**os.environ, "LC_ALL": "C"},
                start_new_session=True,
            )
        line.client = client
        line.settimeout(_seconds(self.timeout))
        self.sock: Any = line
        self._messages.clear()
        self._is_logged_in = False
        self._listener = threading.Thread(target=_listen, args=(client, self._messages), name="ssh", daemon=True)
        self._listener.start()

    def getresponse(self, *arguments: Any, **options: Any) -> Any:
        """Return the response; wait for the first one as long as a login may take, and no longer."""
        limit = self.timeout
        if not self._is_logged_in:
            self._limit(max(_seconds(limit) or 0.0, _LOGIN_S))
        try:
            response = super().getresponse(*arguments, **options)
        except TimeoutError:
            raise
        except (OSError, HTTPException) as error:
            if self._listener is not None:
                self._listener.join(_MESSAGE_WAIT_S)
            raise SshFailure(self._messages.decode("utf-8", "replace")) from error
        self._is_logged_in = True
        self._limit(limit)
        return response

    def _limit(self, seconds: Any) -> None:
        self.timeout = seconds
        if self.sock is not None:  # else the response alone has it
            self.sock.settimeout(_seconds(seconds))


def _seconds(timeout: Any) -> float | None:
    """Return a time limit; `None` for none, and for the placeholder that urllib3 has for it."""
    return float(timeout) if isinstance(timeout, int | float) else None


def _listen(client: subprocess.Popen[bytes], messages: bytearray) -> None:
    """Keep the beginning of what the client prints as errors until it ends, and reap it."""
    with client:
        while client.stderr is not None and (chunk := client.stderr.read1(_MESSAGE_BYTES)):  # type: ignore[attr-defined]
            messages += chunk[: _MESSAGE_BYTES - len(messages)]


class _Pool(urllib3.HTTPConnectionPool):
    def __init__(self, target: SshTarget, timeout_s: float, dial: str) -> None:
        super().__init__("localhost", timeout=timeout_s, maxsize=10)
        self._target = target
        self._dial = dial
        self._timeout_s = timeout_s

    def _new_conn(self) -> Any:
        return SshConnection(self._target, self._timeout_s, self._dial)


class SshAdapter(BaseHTTPAdapter):
    """Makes the requests of a docker-py client; mounted in place of the one for a local socket.

    Args:
        target: Where to log in.
        timeout_s: Seconds for an answer.
        dial: The command to run there, for the login's shell.
    """

    def __init__(self, target: SshTarget, timeout_s: float, dial: str) -> None:
        self._pool = _Pool(target, timeout_s, dial)
        super().__init__()

    def get_connection(self, url: Any, proxies: Any = None) -> Any:
        """Return the pool of the only host there is."""
        return self._pool

    def request_url(self, request: Any, proxies: Any) -> Any:
        """Return the path: there is no proxy."""
        return request.path_url

    def close(self) -> None:
        """Close the connections that no response uses."""
        super().close()
        self._pool.close()
