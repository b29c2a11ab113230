"""The page of the sources of several hosts."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from collectors.analysis.rates import Deriver, Moment
from collectors.model.workloads import Availability, SourceState
from tests.helpers.far_fleet import FarFleet
from tui.presenters.pages.hosts_page import clock_words, hosts_page


def moment(*extra: SourceState, silent: str = "", **facts: object) -> Moment:
    fleet, deriver = FarFleet(), Deriver()
    frame = fleet.frame()
    if silent:
        fleet.silent.add(silent)
        frame = fleet.frame(300)
    changed = {**frame.hosts, "hv01": replace(frame.hosts["hv01"], **facts)}
    return deriver.feed(replace(frame, hosts=changed, sources=(*frame.sources, *extra)))


def test_each_host_says_its_version_clock_pace_and_tags() -> None:
    page = hosts_page(
        moment(clock_ahead_s=7200.0, interval_s=2.0, tags=("prod", "db"), facts={"vmtop": "1.4", "kernel": "6.1.0"})
    ).plain
    assert "hv01: ok, 11 workloads" in page or "hv01: ok, 10 workloads" in page
    assert "vmtop 1.4 · Linux 6.1.0 · clock 2h ahead, corrected · every 2 s · tags: prod, db" in page
    assert "  reads demo 10 of 10" in page


def test_silent_hosts_come_first_with_reason_and_fix() -> None:
    page = hosts_page(moment(silent="hv02")).plain
    assert page.index("hv02: stale, gone 5m") < page.index("hv01: ok")
    assert "ssh: connect to host hv02 port 22: Connection refused\n  fix: ssh hv02\n" in page


def test_a_source_that_fails_there_is_told_with_its_host() -> None:
    denied = SourceState("docker", Availability.DENIED, "", "permission denied", "usermod -aG docker op", host="hv02")
    page = hosts_page(moment(denied)).plain
    assert page.index("hv02: ok") < page.index("  docker: denied\n    permission denied\n    fix: usermod")


def test_one_host_alone_is_told_in_full_and_no_other() -> None:
    page = hosts_page(moment(), alone="hv02").plain
    assert "hv01" not in page
    assert "  demo: ok, 10 of 10\n    last reading" in page


@pytest.mark.parametrize(
    ("ahead_s", "words"),
    [(0.4, "clock as here"), (7200.0, "clock 2h ahead, corrected"), (-90.0, "clock 1m30s behind, corrected")],
)
def test_clocks_are_told_when_they_differ(ahead_s: float, words: str) -> None:
    assert clock_words(ahead_s) == words
