"""Reading on demand: hung sources, slow files, and events that nobody came for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from prometheus_client.parser import text_string_to_metric_families as prometheus

from collectors.engines.demo.source import DemoSource
from collectors.exposition import scraper as module
from collectors.exposition.exposer import Choice
from collectors.exposition.scraper import Health, Scraper
from collectors.exposition.text import Dialect
from collectors.model.workloads import Event, WorkloadId
from collectors.sampling.sampler import Sampler
from collectors.sampling.source import Source, SourceReading, SourceSpec


class Quiet:
    """A source without workloads that can be told to hang."""

    name = "quiet"
    interval_s = 0.0
    holds_tick = False
    is_authority = False
    replace_after_s: float | None = None
    is_near = True

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.all_next = 0
        self.readings = 0

    def open(self, wake: Callable[[], None]) -> None:
        """Nothing to connect to."""

    def read_all_next(self) -> None:
        """Count that everything is wanted."""
        self.all_next += 1

    def read(self) -> SourceReading:
        """Wait if told to, and report that something started."""
        self.may_go_on.wait()
        self.readings += 1
        return SourceReading({}, {}, (Event(1.0, WorkloadId("quiet", "x"), "start"),))

    def close(self) -> None:
        """Nothing to release."""


@pytest.fixture
def quiet() -> Quiet:
    return Quiet()


@pytest.fixture
def hung() -> Quiet:
    """The source, hanging from its first reading on."""
    made = Quiet()
    made.may_go_on.clear()
    return made


@pytest.fixture
def scraper(quiet: Quiet) -> Iterator[Scraper]:
    """Scrapes beside a source that answers."""
    with scraping(quiet) as made:
        yield made


@contextmanager
def scraping(quiet: Quiet) -> Iterator[Scraper]:
    """A made-up fleet beside the quiet source; the thread that reads unasked does not run."""

    def load(name: str) -> Callable[..., Source]:
        return DemoSource if name == "demo" else lambda: quiet

    sampler = Sampler([SourceSpec("demo", {"workloads": 5}), SourceSpec("quiet")], load)
    made = Scraper(sampler, Choice(), "1.2")
    sampler.open_sources()
    yield made
    quiet.may_go_on.set()
    made.stop()


def scraped(scraper: Scraper) -> dict[tuple[str, str], float]:
    """Return values by the name and the label `source` or `what`."""
    text = scraper.scrape(Dialect.PROMETHEUS)
    assert text is not None
    return {
        (sample.name, sample.labels.get("source", sample.labels.get("what", ""))): sample.value
        for family in prometheus(text.decode())
        for sample in family.samples
    }


def test_a_source_that_hangs_is_down_and_the_others_are_served(hung: Quiet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PATIENCE_S", 0.05)
    monkeypatch.setattr(module, "FRESH_S", -1.0)
    with scraping(hung) as scraper:
        while (found := scraped(scraper))["vmtop_source_up", "demo"] == 0:
            pass
        assert found["vmtop_source_up", "quiet"] == 0
        assert ("vmtop_cpu_seconds_total", "") in found


def test_each_scrape_reads_slow_files_too_and_counts_each_event_once(
    scraper: Scraper, quiet: Quiet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH_S", -1.0)
    monkeypatch.setattr(module, "_PATIENCE_S", 20.0)
    for count in (1, 2, 3):
        found = scraped(scraper)
        assert quiet.all_next == count
        assert found["vmtop_events_total", "start"] >= quiet.readings >= count


def test_it_is_healthy_once_it_has_read(scraper: Scraper) -> None:
    assert scraper.health() is Health.STARTING
    scraper.scrape(Dialect.OPENMETRICS)
    assert scraper.health() is Health.GOOD


def test_a_scrape_that_does_not_end_is_said_by_healthz(hung: Quiet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PATIENCE_S", 30.0)
    monkeypatch.setattr(module, "_HUNG_S", 0.0)
    with scraping(hung) as scraper:
        scrape = threading.Thread(target=scraper.scrape, args=(Dialect.OPENMETRICS,))
        scrape.start()
        while scraper.health() is Health.STARTING:
            pass
        assert scraper.health() is Health.HUNG
        hung.may_go_on.set()
        scrape.join()
        assert scraper.health() is Health.GOOD


def test_without_scrapes_the_sources_are_read_so_that_no_event_is_lost(
    quiet: Quiet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_IDLE_S", 0.01)
    made = Scraper(Sampler([SourceSpec("quiet")], lambda _: lambda: quiet), Choice(), "1.2")
    made.start()
    try:
        while quiet.readings < 3:
            pass
    finally:
        made.stop()
    assert scraped(made)["vmtop_events_total", "start"] >= 1
