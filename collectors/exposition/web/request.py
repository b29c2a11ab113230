"""The little of HTTP/1.1 that a scraper speaks (RFC 9112): one request with GET or HEAD, no body. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

from collectors.exposition.text import Dialect

LARGEST_HEAD = 16 << 10
"""Bytes of a request's line and headers."""
_MOST_HEADERS = 100
_TARGET = re.compile(r"(?:https?://[^/?#]*)?(/[!-~]*)")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*")


class BadRequest(Exception):
    """It cannot be answered as asked."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Request(NamedTuple):
    """What was asked."""

    is_head: bool
    path: str
    """Without the query."""
    headers: dict[str, str]
    """By name in lower case; of several with one name, joined by commas."""


def parse_request(head: bytes) -> Request:
    """Return the request of a head, which ends before the empty line.

    Raises:
        BadRequest: It is none, or its method is not allowed.
    """
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.0", "HTTP/1.1"):
        raise BadRequest(400, "not a request of HTTP/1.1")
    target = _TARGET.fullmatch(words[1])
    if words[0] not in ("GET", "HEAD"):
        raise BadRequest(405, "only GET and HEAD are answered")
    if target is None or len(lines) > _MOST_HEADERS:
        raise BadRequest(400, "not a request of HTTP/1.1")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise BadRequest(400, "a header cannot be read")
        name = match[1].lower()
        headers[name] = f"{headers[name]},{match[2]}" if name in headers else match[2]
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        raise BadRequest(400, "a request with a body is not answered")
    return Request(words[0] == "HEAD", target[1].partition("?")[0], headers)


def dialect_for(headers: dict[str, str]) -> Dialect:
    """Return the format to answer in: OpenMetrics only for those that ask for it, and not less than for plain text."""
    weights = _weights(headers.get("accept", ""))
    wanted = weights.get("application/openmetrics-text", 0.0)
    return Dialect.OPENMETRICS if wanted and wanted >= weights.get("text/plain", 0.0) else Dialect.PROMETHEUS


def is_gzip_welcome(headers: dict[str, str]) -> bool:
    """Return whether the answer may be compressed."""
    weights = _weights(headers.get("accept-encoding", ""))
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def credentials(headers: dict[str, str]) -> tuple[str, bytes] | None:
    """Return the user and the password of basic authentication (RFC 7617); `None` without them."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return (user.decode("utf-8", "surrogateescape"), password) if colon else None


def _weights(header: str) -> dict[str, float]:
    """Return the weight of each item of an `Accept` header (RFC 9110, 12.4.2); the highest where there are several."""
    weights: dict[str, float] = {}
    for item in header.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        weight = float(quality) if re.fullmatch(r"[01](\.[0-9]{0,3})?", quality) else 0.0
        weights[name] = max(weight, weights.get(name, 0.0))
    return weights
