"""Sends samples to VictoriaMetrics, in batches of bounded size, each of which has arrived before the next is sent.

Source: https://docs.victoriametrics.com/#how-to-import-data-in-prometheus-exposition-format
"""

from __future__ import annotations

import gzip
import http.client
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from collectors.model.errors import AccessDenied, SourceDown, SourceError
from collectors.prometheus.backfill import Piece
from collectors.prometheus.connection import connect, lost
from collectors.prometheus.server import Server, authorization, checked
from collectors.safety.sanitize import sanitize

BATCH = 4 << 20
"""Characters of a batch, roughly: at least one instant."""
ANSWER_S = 60.0
"""Seconds that a batch may take."""
PAUSES_S = (1.0, 3.0, 9.0)
"""Seconds before each further attempt, where the server is busy or the connection was lost."""
_LONGEST_ANSWER = 16 << 10
_QUOTED = 200
_BUSY = frozenset({429, 500, 502, 503, 504})


class Batch(NamedTuple):
    """What is sent at once."""

    text: str
    samples: int
    last_wall: float
    """The wall time of its newest samples."""


def batches(pieces: Iterable[Piece], size: int = BATCH) -> Iterator[Batch]:
    """Yield pieces as batches of about a size in characters."""
    texts: list[str] = []
    length = samples = 0
    wall = 0.0
    for piece in pieces:
        texts.append(piece.text)
        length, samples, wall = length + len(piece.text), samples + piece.samples, piece.wall
        if length >= size:
            yield Batch("".join(texts), samples, wall)
            texts, length, samples = [], 0, 0
    if texts:
        yield Batch("".join(texts), samples, wall)


class Importer:
    """One connection to a server.

    Args:
        server: Where to send samples to; its path may be that of a tenant, such as `/insert/0/prometheus`.
        pauses_s: Seconds before each further attempt.

    Raises:
        SourceError: The server may not be used.
    """

    def __init__(self, server: Server, pauses_s: tuple[float, ...] = PAUSES_S) -> None:
        self.server = checked(server)
        self._pauses_s = pauses_s
        self._path = f"{urlsplit(server.url).path.rstrip('/')}/api/v1/import/prometheus"
        self._connection: http.client.HTTPConnection | None = None
        self._has_arrived = False
        """Whether a batch has: only then is it worth waiting for a server that cannot be reached."""

    def send(self, batch: Batch) -> None:
        """Send a batch; it has arrived when this returns. One that is sent twice stays what it is.

        Raises:
            SourceError: It was not taken.
        """
        body = gzip.compress(batch.text.encode("utf-8", "replace"), 1)
        for pause_s in (*self._pauses_s, None):
            try:
                status, answer = self._post(body)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                failure = lost(
                    self.server, error, f"did not take the samples within {ANSWER_S:g} s", "cannot be reached"
                )
            else:
                if status in (200, 204):
                    self._has_arrived = True
                    return
                failure = self._refused(status, answer)
                if status not in _BUSY:
                    raise failure
            if pause_s is None or isinstance(failure, AccessDenied) or not self._has_arrived:
                raise failure
            time.sleep(pause_s)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _post(self, body: bytes) -> tuple[int, str]:
        connection = self._connection or self._connect()
        headers = {"Content-Type": "text/plain", "Content-Encoding": "gzip", **authorization(self.server)}
        connection.request("POST", self._path, body, headers)
        response = connection.getresponse()
        answer = response.read(_LONGEST_ANSWER)
        if response.will_close or not response.isclosed():
            self.close()
        return response.status, sanitize(answer.decode("utf-8", "replace").strip(), _QUOTED)

    def _connect(self) -> http.client.HTTPConnection:
        connection = connect(self.server)
        connection.sock.settimeout(ANSWER_S)
        self._connection = connection
        return connection

    def _refused(self, status: int, answer: str) -> SourceError:
        shown = self.server.shown
        if status in (404, 405):
            return SourceDown(
                f"{shown} takes no imports of samples: it is no VictoriaMetrics, or the path is another one",
                "for Prometheus, make blocks: --into FOLDER",
            )
        if status in (401, 403):
            return AccessDenied(
                f"{shown} does not let vmtop import samples ({status})",
                "name the server in the configuration, with user and password_file, or token_file",
            )
        return SourceDown(f"{shown} did not take the samples ({status}): {answer or 'without a reason'}")
