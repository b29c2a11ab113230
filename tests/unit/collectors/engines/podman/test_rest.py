"""When a service on demand is asked, and the places of lines in one second."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.engines.podman import on_demand
from collectors.engines.podman.logs import placed
from collectors.engines.podman.on_demand import OnDemand
from collectors.model.logs import LogLine
from collectors.safety.peers import Peer


def test_it_is_asked_first_then_after_a_change_and_then_seldom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    database = tmp_path / "libpod" / "bolt_state.db"
    database.parent.mkdir()
    database.touch()
    service = OnDemand()
    assert service.is_due()
    service.begin()
    service.learn(f"{tmp_path}/overlay-containers/{'a' * 64}/userdata")
    assert service.is_due(), "what happened while it was not known where to look"
    service.begin()
    assert not service.is_due()
    os.utime(database, ns=(1, 1))
    assert service.is_due()
    service.begin()
    assert not service.is_due()
    now += on_demand.SELDOM_S
    assert service.is_due()


def test_a_service_that_listens_itself_is_asked_at_any_time(tmp_path: Path) -> None:
    for pid, name in ((7, "podman"), (1, "systemd")):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "comm").write_text(f"{name}\n")
    socket = Path("/run/podman/podman.sock")
    assert on_demand.on_demand(socket, Peer(7, 0), str(tmp_path)) is None
    for pid, seldom_s in ((1, 60.0), (0, 15.0), (99, 60.0)):
        service = on_demand.on_demand(socket, Peer(pid, 0), str(tmp_path))
        assert service is not None
        assert service._seldom_s == seldom_s


@given(st.lists(st.integers(0, 4), max_size=40))
def test_lines_of_one_second_have_different_positions_in_their_order(seconds: list[int]) -> None:
    stamps = [second * 10**9 for second in sorted(seconds)]
    lines = list(placed(LogLine(stamp, stamp / 1e9, False, "same") for stamp in stamps))
    positions = [line.position for line in lines]
    assert positions == sorted(set(positions))
    assert [position // 10**9 * 10**9 for position in positions] == stamps
