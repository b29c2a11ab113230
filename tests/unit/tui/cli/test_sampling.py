"""Moments without a screen: whole before they are shown, but never late."""

from __future__ import annotations

import itertools
import time

import click
import pytest

from collectors.engines.demo.source import DemoSource
from collectors.model.workloads import Availability
from collectors.sampling import worker as worker_module
from collectors.sampling.sampler import Sampler
from collectors.sampling.source import SourceSpec
from tests.unit.collectors.sampling.test_worker import FakeSource, Gate, answer, fail
from tui.cli import sampling
from tui.cli.sampling import gather, moments
from tui.cli.sources import demo


def test_first_moment_has_rates() -> None:
    moment = gather(demo(10, 7))
    assert moment.host.value("cpu_percent") is not None
    assert moment.ledger.cpu_cores is not None


def test_moments_follow_at_the_interval() -> None:
    times = (moment.frame.at_ns / 1e9 for moment in itertools.islice(moments(demo(3, 7), 0.5), 20))
    gaps = (after - before for before, after in itertools.pairwise(times))
    near = (abs(gap - 0.5) < 0.2 for gap in gaps)  # one may be late on a busy machine, and the next one early
    assert any(all(both) for both in itertools.pairwise(near))


def _with(monkeypatch: pytest.MonkeyPatch, daemon: FakeSource) -> list[SourceSpec]:
    daemon.holds_tick = False
    monkeypatch.setattr(sampling, "load_source", lambda name: (lambda: daemon) if name == "docker" else DemoSource)
    return [SourceSpec("demo"), SourceSpec("docker")]


def test_hanging_daemon_is_not_waited_for_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "HUNG_AFTER_S", 60.0)
    gate = Gate()
    started = time.monotonic()
    moment = gather(_with(monkeypatch, FakeSource(gate)), settle_s=0.7)
    gate.opened.set()
    assert 0.6 < time.monotonic() - started < 15
    assert moment.sources[1].availability is Availability.WAITING
    assert moment.readings


def test_daemon_that_is_known_to_be_down_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.monotonic()
    moment = gather(_with(monkeypatch, FakeSource(fail(ConnectionError("refused")))), settle_s=30)
    assert time.monotonic() - started < 10
    assert moment.sources[1].availability is Availability.DOWN


def test_events_from_before_the_first_moment_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = gather(_with(monkeypatch, FakeSource(lambda: answer("web"))))
    assert "web" in [event.name for event in moment.events]


def test_a_sampler_that_fails_ends_the_command_with_a_sentence_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(self: Sampler, due: float) -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(Sampler, "tick", break_down)
    with pytest.raises(click.ClickException, match="sampling failed: RuntimeError: no such luck"):
        gather(demo(3, 1))
