"""pyvmomi's connections with bounds, and with a certificate that is really pinned. Imports pyvmomi: import it late.

pyvmomi reads whatever a server sends, and compares a thumbprint on the first of its connections only.
"""

from __future__ import annotations

import hashlib
import hmac
import ssl
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any

from pyVmomi.SoapAdapter import SoapStubAdapter

from collectors.engines.vsphere.address import Address

LARGEST_ANSWER = 16 << 20
"""Bytes of one answer at most: what is read of 5,000 machines takes 13 MiB where a server gives all of it at once."""
MOST_TAGS = 1_000_000
"""Tags in one answer at most: 5,000 machines have 550,000. Each takes memory once it is parsed, however short it is."""
LONGEST_ANSWER_S = 60.0
"""Seconds that one answer may take from its first byte to its last."""
CALL_S = 20.0
"""Seconds without a byte after which a call has failed."""
_VERSION = "vim.version.version9"
"""vSphere 5.5: every later server answers it as well."""


class AnswerRefused(HTTPException):
    """An answer that is not taken; the message says why."""


class PinMismatch(HTTPException):
    """The server has another certificate than the one that was given; has its SHA-256."""


class BoundedResponse(HTTPResponse):
    """Reads an answer up to the bounds, and takes no compressed one."""

    _left = LARGEST_ANSWER
    _tags_left = MOST_TAGS
    _ends = 0.0

    def begin(self) -> None:
        super().begin()
        self._ends = time.monotonic() + LONGEST_ANSWER_S
        if (self.getheader("Content-Encoding") or "identity").lower() != "identity":
            raise AnswerRefused("it answers compressed, which vmtop did not ask for")

    def read(self, amt: int | None = None) -> bytes:
        """Read the next bytes. Raises `AnswerRefused` beyond the bounds."""
        data = super().read(self._left + 1 if amt is None else amt)
        self._left -= len(data)
        self._tags_left -= data.count(b"<")
        if self._left < 0 or self._tags_left < 0:
            raise AnswerRefused(f"its answer is longer than {LARGEST_ANSWER >> 20} MiB or {MOST_TAGS:,} tags")
        if time.monotonic() > self._ends:
            raise AnswerRefused(f"its answer takes longer than {LONGEST_ANSWER_S:.0f} s")
        return data


class _Plain(HTTPConnection):
    response_class = BoundedResponse


class _Verified(HTTPSConnection):
    response_class = BoundedResponse


class _Pinned(_Verified):
    """Accepts a single certificate, on every connection, whatever name and issuer it has."""

    def __init__(self, thumbprint: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._thumbprint = thumbprint

    def connect(self) -> None:
        super().connect()
        certificate = self.sock.getpeercert(True)
        digest = hashlib.sha256(certificate or b"").hexdigest()
        if not hmac.compare_digest(digest, self._thumbprint):
            self.close()
            raise PinMismatch(digest)


class BoundedStub(SoapStubAdapter):  # type: ignore[misc]  # pyvmomi has no types
    """Calls a server within the bounds.

    Args:
        address: The server.
    """

    def __init__(self, address: Address) -> None:
        super().__init__(
            host=address.host,
            port=address.port if address.is_encrypted else -address.port,
            version=_VERSION,
            acceptCompressedResponses=False,
            httpConnectionTimeout=CALL_S,
        )
        self.sent = 0
        """Requests so far."""
        self.scheme: type[HTTPConnection] = _Verified if address.is_encrypted else _Plain
        if not address.is_encrypted:
            return
        context = ssl.create_default_context()
        if address.thumbprint or not address.is_verified:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if address.thumbprint:
            self.scheme = _Pinned
            self.schemeArgs["thumbprint"] = address.thumbprint
        self.schemeArgs["context"] = context

    def hurry(self, seconds: float) -> None:
        """Wait no longer than this for any further answer."""
        self.schemeArgs["timeout"] = seconds
        for connection, _ in self.pool:
            connection.sock.settimeout(seconds)

    def InvokeMethod(self, mo: Any, info: Any, args: Any, outerStub: Any = None) -> Any:
        """Call a method of the server."""
        self.sent += 1
        return super().InvokeMethod(mo, info, args, outerStub)


def certificate_sha256(address: Address) -> str:
    """Return the SHA-256 of the certificate that a server shows, in hexadecimal digits. Verifies and sends nothing."""
    pem = ssl.get_server_certificate((address.host, address.port), timeout=CALL_S)
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
