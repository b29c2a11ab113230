"""The doctor tells a source that is slow from one that is late and one that is down."""

from __future__ import annotations

import msgspec
import pytest

from collectors.analysis.rates import Deriver
from collectors.model.workloads import Availability, SourceState
from tests.helpers.strategies import frame
from tui.presenters.reports.doctor import Checkup, as_document, as_text, is_healthy
from tui.presenters.reports.troubles import troubles

SLOW = SourceState("docker", Availability.OK, "3", read_at_ns=1, cost_ns=9_000_000)
LATE = SourceState("libvirt", Availability.WAITING, "", "libvirt has not responded for 29 s")


@pytest.fixture(autouse=True)
def _busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr("os.getloadavg", lambda: (40.2, 1.0, 1.0))


def checkup(*states: SourceState) -> Checkup:
    moment = Deriver().feed(msgspec.structs.replace(frame(1, {}), sources=states))
    return Checkup(moment, {"docker": 7.4, "host": 0.1}, 30.2, 30.0)


def test_a_source_that_took_long_is_slow_and_well() -> None:
    checked = checkup(SLOW)
    assert "ok       docker     3 (9.0 ms a reading)\n" in as_text(checked)
    assert "slow: answered after 7 s (load 40 on 2 cores)\n" in as_text(checked)
    assert as_document(checked)["answered_seconds"] == {"docker": 7.4, "host": 0.1}
    assert is_healthy(checked.moment)


def test_a_source_that_took_no_time_is_not_slow() -> None:
    assert "slow" not in as_text(checkup(msgspec.structs.replace(SLOW, name="host")))


def test_a_source_without_an_answer_is_waiting_with_the_time_and_a_way_out() -> None:
    checked = checkup(LATE)
    assert (
        "waiting  libvirt    no answer in 30 s (load 40 on 2 cores); it may be slow or hang: "
        "wait longer with --wait 120, or try again when this host is less busy\n"
    ) in as_text(checked)
    assert not is_healthy(checked.moment)


def test_a_reason_that_names_its_source_is_not_named_twice() -> None:
    assert troubles([LATE]) == ["libvirt has not responded for 29 s"]
    assert troubles([msgspec.structs.replace(LATE, reason="no answer yet")]) == ["libvirt: no answer yet"]
