"""Alerts where there is no screen: of what is recorded, streamed and served."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from collectors.alerts.condition import parse_condition
from collectors.alerts.rule import Rule
from collectors.alerts.told import BEGAN, ENDED
from collectors.model.workloads import Event
from tests.helpers.alert_frames import Host
from tests.helpers.lab.process import wait_until
from tui.controllers.headless_alerts import HeadlessAlerts


def test_what_begins_and_ends_is_announced_once() -> None:
    told: list[Event] = []
    host, alerts = Host(), HeadlessAlerts([Rule("busy", parse_condition("cpu > 80"))], told.append)
    identity = host.add(cpu_percent=90)
    for _ in range(5):
        alerts.take(host.moment().frame)
    assert [(event.what, event.name, event.detail) for event in told] == [
        (BEGAN, "web", "warning: busy: busy (cpu 90%)")
    ]
    host.cpu_percent[identity] = 1.0
    for _ in range(15):
        alerts.take(host.moment().frame)
    assert [(event.what, event.detail) for event in told[1:]] == [(ENDED, "busy: over")]
    assert alerts.active == []
    alerts.close()


def test_its_program_is_run_unless_programs_are_not_wanted(tmp_path: Path) -> None:
    for has_programs in (False, True):
        place = tmp_path / str(has_programs)
        rule = Rule("busy", parse_condition("cpu > 80"), run=("touch", str(place)))
        host, alerts = Host(), HeadlessAlerts([rule], has_programs=has_programs)
        host.add(cpu_percent=90)
        for _ in range(3):
            alerts.take(host.moment().frame)
        if has_programs:
            wait_until(place.exists, 60, "the program")
        alerts.close()
    assert not (tmp_path / "False").exists()


def test_a_frame_that_cannot_be_judged_is_logged_and_the_next_one_is_judged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    host, alerts = Host(), HeadlessAlerts([Rule("busy", parse_condition("cpu > 80"))])
    host.add(cpu_percent=90)
    feed = alerts._watch.feed
    monkeypatch.setattr(alerts._watch, "feed", lambda moment: 1 / 0)
    with caplog.at_level(logging.ERROR):
        alerts.take(host.moment().frame)
    assert "could not be judged" in caplog.text
    monkeypatch.setattr(alerts._watch, "feed", feed)
    for _ in range(3):
        alerts.take(host.moment().frame)
    assert [alert.name for alert in alerts.active] == ["web"]
