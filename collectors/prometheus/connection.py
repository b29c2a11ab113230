"""Connections to a server, for whoever asks it and whoever sends to it."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from collectors.model.errors import AccessDenied, NotInTime, SourceDown, SourceError
from collectors.prometheus.server import Server, tls_context
from collectors.safety.sanitize import sanitize

CONNECTING_S = 5.0


def connect(server: Server) -> http.client.HTTPConnection:
    """Open a connection, with TLS that is verified where the address asks for it.

    Raises:
        SourceError: A certificate of the user's cannot be used.
        OSError: The server cannot be reached, or its certificate is not valid.
    """
    parts = urlsplit(server.url)
    host, port = parts.hostname or "", parts.port
    if server.is_encrypted:
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=CONNECTING_S, context=tls_context(server)
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=CONNECTING_S)
    connection.connect()
    return connection


def lost(server: Server, error: Exception, late: str, failed: str) -> SourceError:
    """Return why a connection was lost, as a sentence with the remedy.

    Args:
        server: The server.
        error: What the connection raised.
        late: What a server that takes too long has not done, such as `did not answer within 20 s`.
        failed: What cannot be done otherwise, such as `cannot be asked`.
    """
    if isinstance(error, TimeoutError):
        return NotInTime(f"{server.shown} {late}")
    import ssl  # late: plain HTTP does without it

    if isinstance(error, ssl.SSLCertVerificationError):
        return AccessDenied(
            f"the certificate of {server.shown} is not valid: {sanitize(error.verify_message)}",
            'name its authority in the configuration: ca_file = "FILE"',
        )
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return SourceDown(f"{server.shown} {failed}: {sanitize(reason)}")
