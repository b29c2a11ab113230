"""What the daemons use to answer vmtop is measured, or unknown; it is never a guess."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from collectors.analysis.rates import Deriver
from collectors.kernel.daemon_usage import DaemonUsage
from collectors.model.workloads import Availability, SourceState
from collectors.sampling.source import SourceReading
from collectors.sampling.worker import Worker
from tests.helpers.lab.process import wait_until
from tests.helpers.strategies import frame
from tui.presenters.pages.info_pages import sources_page

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def process(proc: Path, pid: int, command: str, user_ticks: int, system_ticks: int) -> None:
    (proc / str(pid)).mkdir(parents=True, exist_ok=True)
    (proc / str(pid) / "comm").write_text(f"{command}\n")
    fields = ["0"] * 10 + [str(user_ticks), str(system_ticks)] + ["0"] * 10
    (proc / str(pid) / "stat").write_text(f"{pid} (odd) name) S {' '.join(fields)}")


def test_only_what_is_used_while_it_answers_counts(tmp_path: Path) -> None:
    usage = DaemonUsage("dockerd", proc=str(tmp_path))
    process(tmp_path, 7, "dockerd", 100, 50)
    usage.find()
    assert usage.cpu_s == 0.0
    process(tmp_path, 7, "dockerd", 900, 50)  # for others
    for user_ticks in (902, 905):
        with usage.answering():
            process(tmp_path, 7, "dockerd", user_ticks, 50 + user_ticks - 900)
    assert usage.cpu_s == pytest.approx((4 + 6) * _TICK_S)


def test_with_two_daemons_of_the_name_or_none_the_usage_is_unknown(tmp_path: Path) -> None:
    usage = DaemonUsage("libvirtd", "virtqemud", proc=str(tmp_path))
    process(tmp_path, 7, "libvirtd", 1, 1)
    process(tmp_path, 8, "virtqemud", 1, 1)
    usage.find()
    assert usage.cpu_s is None
    with usage.answering():
        pass
    assert usage.cpu_s is None
    usage.find(8)
    assert usage.cpu_s == 0.0
    with usage.answering():
        (tmp_path / "8" / "stat").unlink()
    assert usage.cpu_s is None, "it ended meanwhile"


class Asking:
    """A source whose daemon uses a tenth of a second for each reading."""

    name = "asking"
    interval_s = 0.0
    holds_tick = True
    is_authority = False
    replace_after_s: float | None = None
    is_near = True
    count = 0

    def open(self, wake: object) -> None:
        pass

    def read(self) -> SourceReading:
        self.count += 1
        return SourceReading({}, {}, daemon_cpu_s=0.1 * self.count)

    def close(self) -> None:
        pass


def test_a_source_reports_the_usage_by_the_time_in_which_it_asked() -> None:
    worker = Worker("asking", Asking)
    worker.start()
    wait_until(lambda: worker.reading is not None, 10, "the first reading")
    assert worker.state(0.0).daemon_cores is None, "one reading spans no time"
    worker.ask(float("inf"))
    wait_until(lambda: worker.state(0.0).daemon_cores is not None, 10, "the second reading")
    assert (worker.state(0.0).daemon_cores or 0) > 0
    worker.stop()
    worker.join(5)


def test_the_page_of_the_sources_shows_what_their_daemons_use() -> None:
    states = (
        SourceState("docker", Availability.OK, "3", read_at_ns=1, cost_ns=2_000_000, daemon_cores=0.0123),
        SourceState("cgroup", Availability.OK, "3", read_at_ns=1, cost_ns=2_000_000),
    )
    moment = Deriver().feed(msgspec.structs.replace(frame(1.0, {}), sources=states))
    page = sources_page(moment).plain
    assert page.count("its daemon used") == 1
    assert "its daemon used 1.23% of a core to answer" in page
