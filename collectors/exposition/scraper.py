"""Reads the sources when it is asked, and makes the text: what the web server and the text file share."""

from __future__ import annotations

import gzip
import logging
import threading
import time
from collections.abc import Callable, Sequence
from enum import StrEnum

from collectors.exposition.alert_series import AlertSeries
from collectors.exposition.exposer import Choice, Exposer, Own
from collectors.exposition.text import Dialect
from collectors.model.workloads import Frame
from collectors.sampling.sampler import Sampler

log = logging.getLogger(__name__)

FRESH_S = 0.5
"""Seconds, from its beginning, for which a reading answers further scrapes, such as those of a second Prometheus. Less
than the shortest interval: a scrape that got the reading of the one before would look like a second without work."""
_PATIENCE_S = 0.5
"""Seconds for which a scrape waits for its sources; then the last reading of the late ones counts, with its age."""
_FIRST_PATIENCE_S = 3.0
_IDLE_S = 15.0
"""Seconds without a scrape after which the sources are read all the same, so that no event is lost."""
_HUNG_S = 10.0
"""Seconds after which a scrape takes too long: Prometheus' own time-out."""
_GZIP_LEVEL = 1
"""A quarter of the time of the usual level, for a sixth more bytes."""


class Health(StrEnum):
    """Whether scrapes are answered."""

    GOOD = "ok"
    STARTING = "starting"
    FAILED = "the sources could not be read; the log has the reason"
    HUNG = "a scrape does not end"


class Scraper:
    """Answers scrapes, from any thread.

    Args:
        sampler: The sources; its clock must not run.
        choice: What is exposed.
        version: Of vmtop.
        resident: Returns how many bytes of memory vmtop takes, `None` if that is not known.
        judge: Takes each reading, and returns the alerts that are active then.
    """

    def __init__(
        self,
        sampler: Sampler,
        choice: Choice,
        version: str,
        resident: Callable[[], int | None] = lambda: None,
        judge: Callable[[Frame], Sequence[AlertSeries]] = lambda frame: (),
    ) -> None:
        self._judge = judge
        self._alerts: Sequence[AlertSeries] = ()
        self._sampler = sampler
        self._exposer = Exposer(choice)
        self._version = version
        self._resident = resident
        self._lock = threading.Lock()
        self._frame: Frame | None = None
        self._taken_at = 0.0
        self._texts: dict[tuple[Dialect, bool], bytes] = {}
        self._scrape_s: float | None = None
        self._busy_since: float | None = None
        self._has_failed = False
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_up, name="scraper", daemon=True)

    def start(self) -> None:
        """Open the sources; the first reading is under way when this returns."""
        self._sampler.open_sources()
        self._thread.start()

    def stop(self) -> None:
        """Close the sources; one that hangs dies with the process."""
        self._is_stopping.set()
        self._sampler.stop()

    def scrape(self, dialect: Dialect, is_compressed: bool = False) -> bytes | None:
        """Return the text of now, by gzip if wanted; `None` where the sources could not be read, which is logged."""
        with self._lock:
            self._busy_since = started = time.monotonic()
            try:
                if self._frame is None or started - self._taken_at > FRESH_S:
                    self._take()
                return self._text(dialect, is_compressed, started)
            except Exception:
                # The boundary of a scrape: whatever a source's data did, the next scrape is answered again.
                log.exception("a scrape failed")
                self._has_failed, self._frame = True, None
                return None
            finally:
                self._busy_since = None

    def health(self) -> Health:
        """Return whether scrapes are answered; it does not read anything."""
        busy_since = self._busy_since
        if busy_since is not None and time.monotonic() - busy_since > _HUNG_S:
            return Health.HUNG
        if self._has_failed:
            return Health.FAILED
        return Health.STARTING if self._frame is None else Health.GOOD

    @property
    def frame(self) -> Frame | None:
        """The newest reading."""
        return self._frame

    def _take(self) -> None:
        began = time.monotonic()
        self._frame = self._sampler.take(_FIRST_PATIENCE_S if self._frame is None else _PATIENCE_S)
        self._taken_at = began
        self._texts.clear()
        self._exposer.count(self._frame.events)
        self._alerts = self._judge(self._frame)
        self._has_failed = False

    def _text(self, dialect: Dialect, is_compressed: bool, started: float) -> bytes:
        assert self._frame is not None  # noqa: S101  # it has just been taken
        kept = self._texts.get((dialect, is_compressed))
        if kept is not None:
            return kept
        if is_compressed:
            made = gzip.compress(self._text(dialect, False, started), _GZIP_LEVEL)
        else:
            own = Own(self._version, time.process_time(), self._resident(), self._scrape_s)
            made = self._exposer.text(self._frame, dialect, own, self._alerts).encode("utf-8", "replace")
            self._scrape_s = time.monotonic() - started
        self._texts[dialect, is_compressed] = made
        return made

    def _keep_up(self) -> None:
        while not self._is_stopping.is_set():
            with self._lock:
                if self._frame is None or time.monotonic() - self._taken_at >= _IDLE_S:
                    self._read_unasked()
            self._is_stopping.wait(_IDLE_S)

    def _read_unasked(self) -> None:
        try:
            self._take()
        except Exception:
            # The guard of the thread, as above: nobody waits for this reading.
            log.exception("the sources could not be read")
            self._has_failed = True
