"""The answers of the HTTP API of Prometheus, decoded as untrusted input. Pure.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/#expression-query-result-formats
"""

from __future__ import annotations

from typing import Any

import msgspec

from collectors.model.errors import AccessDenied, SourceDown, SourceError
from collectors.safety.sanitize import sanitize

MOST_SERIES = 200_000
MOST_POINTS = 2_000_000
"""Values of one answer at most: about 200 MB once they are decoded."""
_TOO_MANY = "narrow it: --match, --most"

Point = tuple[float, str]
"""Seconds since 1970, and a number as text: JSON knows neither infinity nor NaN."""


class Series(msgspec.Struct, frozen=True, gc=False):
    """One series with its values, oldest first."""

    metric: dict[str, str] = {}
    """Its labels; its name is `__name__`."""
    value: Point | None = None
    """Of an instant vector."""
    values: list[Point] = []
    """Of a matrix."""


class _Data(msgspec.Struct, gc=False):
    resultType: str  # the API's own name
    result: list[Series]


class _Answer(msgspec.Struct, gc=False):
    status: str
    data: _Data | None = None
    error: str = ""


_DECODER = msgspec.json.Decoder(_Answer)


def parse(body: bytes, server: str) -> list[Series]:
    """Return the series of an answer with status 200.

    Args:
        body: The answer.
        server: Who sent it, for messages.

    Raises:
        SourceDown: It is not an answer to a query, or has more in it than is bearable.
    """
    if (points := body.count(b"[")) > MOST_POINTS:
        raise SourceDown(f"the answer of {server} has more than {MOST_POINTS:,} values ({points:,})", _TOO_MANY)
    if (count := body.count(b'"metric"')) > MOST_SERIES:
        raise SourceDown(f"the answer of {server} has more than {MOST_SERIES:,} series ({count:,})", _TOO_MANY)
    try:
        answer = _DECODER.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise SourceDown(
            f"{server} sent what is no answer of Prometheus: {_beginning(body)}",
            "check the address: it is that of Prometheus or VictoriaMetrics, not of Grafana or an exporter",
        ) from None
    if answer.status != "success" or answer.data is None:
        raise SourceDown(f"{server} refused: {sanitize(answer.error)}")
    return answer.data.result


def _beginning(body: bytes) -> str:
    text = sanitize(body[:60])
    return text if text.strip() else "nothing"


def refusal(status: int, body: bytes, server: str) -> SourceError:
    """Return what an answer with another status than 200 means, as a sentence with a remedy."""
    message = _message(body)
    words = f": {message}" if message else ""
    if status in (401, 403):
        return AccessDenied(
            f"{server} does not allow it (HTTP {status}){words}",
            "name a token_file, or user and password_file, below [prometheus.NAME] in the configuration",
        )
    if status == 422:
        return SourceError(f"{server} cannot carry out a query (HTTP 422){words}", _TOO_MANY)
    if status == 503:
        return SourceDown(f"{server} gave up a query, or is starting (HTTP 503){words}")
    if status == 404:
        return SourceDown(
            f"{server} has no query API there (HTTP 404)",
            "check the path of the address: /api/v1/query is appended to it",
        )
    if 300 <= status < 400:
        return SourceDown(f"{server} sends elsewhere (HTTP {status}), and vmtop sends no secret after a redirect")
    return SourceDown(f"{server} answered with HTTP {status}{words}")


def _message(body: bytes) -> str:
    """Return the error in an answer; empty where there is none, such as in a proxy's page."""
    try:
        answer: Any = msgspec.json.decode(body[:65536])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ""
    error = answer.get("error") if isinstance(answer, dict) else None
    return sanitize(error).rstrip(".") if isinstance(error, str) else ""
