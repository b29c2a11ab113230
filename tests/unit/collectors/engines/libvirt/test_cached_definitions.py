"""What the libvirt source keeps between readings, and lets go of at its end. Without any daemon."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from collectors.engines.libvirt import source as source_module
from collectors.engines.libvirt.source import LibvirtSource, _close
from collectors.model.workloads import State
from tests.unit.collectors.engines.libvirt.test_source import RUNNING, UUID

libvirt = pytest.importorskip("libvirt")

_DEFINED, _SUSPENDED, _RESUMED, _STOPPED = 0, 3, 4, 5


class FakeDomain:
    """The part of a virDomain that is asked."""

    def __init__(self) -> None:
        self.number = 7
        self.title = "first"
        self.described = 0

    def UUIDString(self) -> str:
        return UUID

    def ID(self) -> int:
        return self.number

    def name(self) -> str:
        return "mail"

    def XMLDesc(self, _flags: int) -> str:
        self.described += 1
        return f"<domain><title>{self.title}</title></domain>"


class FakeStats:
    """Statistics of one domain."""

    def __init__(self, domain: FakeDomain) -> None:
        self.domain = domain
        self.record: dict[str, Any] = dict(RUNNING)

    def read(self, _describe: object) -> list[tuple[FakeDomain, dict[str, Any]]]:
        return [(self.domain, self.record)]


def opened() -> tuple[LibvirtSource, FakeStats]:
    source, stats = LibvirtSource("test:///default"), FakeStats(FakeDomain())
    source._stats = stats  # type: ignore[assignment]  # the part that is called
    return source, stats


def test_the_resumption_of_a_domain_that_was_found_paused_is_told() -> None:
    source, stats = opened()
    stats.record["state.state"] = 3
    (found,) = source.read().workloads.values()
    assert found.state is State.PAUSED
    source._events.take_in(None, stats.domain, _RESUMED, 0, None)
    assert [event.what for event in source.read().events] == ["resume"]


def test_the_resumption_that_is_a_part_of_a_start_is_not_told() -> None:
    source, stats = opened()
    source.read()
    source._events.take_in(None, stats.domain, _RESUMED, 0, None)
    assert source.read().events == ()


def titles(source: LibvirtSource) -> list[str | None]:
    return [one.image for one in source.read().workloads.values()]


def test_a_description_is_kept_until_the_next_start() -> None:
    source, stats = opened()
    assert titles(source) == ["first"]
    stats.domain.title = "second"
    assert titles(source) == ["first"]
    assert stats.domain.described == 1
    stats.domain.number = 8
    assert titles(source) == ["second"]
    assert stats.domain.described == 2


def test_a_description_is_read_again_when_it_was_changed() -> None:
    source, stats = opened()
    source.read()
    stats.domain.title = "second"
    source._events.take_in(None, stats.domain, _DEFINED, 1, None)
    assert titles(source) == ["second"]


class FakeConnection:
    """Notes how it is taken leave of; a callback that it does not know is an error, as with libvirt."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def unregisterCloseCallback(self) -> None:
        self.calls.append("no close callback")
        raise libvirt.libvirtError("none is registered")

    def domainEventDeregisterAny(self, callback: int) -> None:
        self.calls.append(f"no callback {callback}")
        raise libvirt.libvirtError("it is not registered")

    def close(self) -> None:
        self.calls.append("closed")


def test_a_connection_is_closed_after_all_its_callbacks_are_gone_whatever_fails() -> None:
    connection = FakeConnection()
    _close(connection, [3, 5])
    assert connection.calls == ["no close callback", "no callback 3", "no callback 5", "closed"]


def test_a_description_is_read_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    source, stats = opened()
    source.read()
    monkeypatch.setattr(source_module, "XML_LIFE_S", 0.0)
    stats.domain.title = "second"
    assert titles(source) == ["second"]


def test_only_some_descriptions_are_read_at_once_and_the_rest_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_XML_AT_MOST", 1)
    source, stats = opened()
    wakes: list[int] = []
    source._wake = lambda: wakes.append(stats.domain.described)
    source.read()
    assert (stats.domain.described, wakes) == (1, [])
    stats.domain.number = 8
    source._parsed = 1
    source.read()
    assert (stats.domain.described, wakes) == (2, []), "each reading has as many"
    stats.domain.number = 9
    source._describe(stats.domain)
    assert (stats.domain.described, wakes) == (2, [2])


def test_what_is_shut_off_has_no_sample_and_what_is_gone_no_description() -> None:
    source, stats = opened()
    assert list(source.read().samples) == list(source.read().workloads)
    stats.record["state.state"] = 5
    reading = source.read()
    assert (len(reading.workloads), reading.samples) == (1, {})
    source._stats = GoneStats()  # type: ignore[assignment]  # the part that is called
    source.read()
    assert source._descriptions == {}


class GoneStats:
    """Statistics of no domain at all."""

    def read(self, _describe: object) -> list[tuple[FakeDomain, dict[str, Any]]]:
        return []


def test_a_domain_that_was_started_anew_after_a_pause_does_not_resume() -> None:
    source, stats = opened()
    for kind in (_SUSPENDED, _STOPPED, _RESUMED):
        source._events.take_in(None, stats.domain, kind, 0, None)
    assert "resume" not in [event.what for event in source.read().events]


def test_a_driver_without_one_kind_of_events_still_tells_the_others() -> None:
    source = LibvirtSource("test:///default")
    source.open(lambda: None)
    try:
        assert source._callbacks, "the driver keeps nothing alive, and has events of domains' lives"
    finally:
        source.close()


def test_a_reading_is_of_the_middle_of_the_call_and_the_next_one_keeps_its_distance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, _ = opened()
    instants = iter((10 * 10**9, 10 * 10**9 + 80_000_000))
    clock = SimpleNamespace(monotonic_ns=lambda: next(instants), monotonic=lambda: 10.0, time=lambda: 1_800_000_000.0)
    monkeypatch.setattr(source_module, "time", clock)
    ((sample,),) = source.read().samples.values()
    assert sample.at_ns == 10 * 10**9 + 40_000_000
    assert source.interval_s == source_module.pace(80_000_000) == pytest.approx(4.0)
