"""The quick parts, for anyone's laptop: `pytest bench/test_fast.py`; `--benchmark-compare` compares runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.realistic_fleet import Believable
from collectors.analysis.history import History
from collectors.analysis.rates import Deriver, Moment
from collectors.kernel.cgroup.source import CgroupSource
from collectors.model.workloads import Frame
from collectors.query.filter import parse
from collectors.session.encode import Encoder
from tui.presenters.sparkline import spark
from tui.presenters.table.cells import Cells
from tui.presenters.table.columns import DEFAULT, lay_out
from tui.presenters.table.state import Scale, TableState


@pytest.fixture(params=[100, 1000], ids=lambda count: f"{count} workloads")
def frames(request: pytest.FixtureRequest) -> list[Frame]:
    """Ten frames of a fleet."""
    return list(Believable(request.param).frames(10))


@pytest.fixture
def moment(frames: list[Frame]) -> Moment:
    """The last of them, with its rates."""
    deriver = Deriver()
    return [deriver.feed(frame) for frame in frames][-1]


@pytest.fixture
def source() -> Iterator[CgroupSource]:
    """This host's cgroups."""
    found = CgroupSource()
    found.open(lambda: None)
    yield found
    found.close()


def test_reading_the_cgroups_of_this_host(benchmark: BenchmarkFixture, source: CgroupSource) -> None:
    reading = benchmark(source.read)
    assert reading.detail


def test_deriving_a_frame(benchmark: BenchmarkFixture, frames: list[Frame]) -> None:
    deriver, history = Deriver(), History()

    def feed() -> None:
        history.push(deriver.feed(frames[1]))

    deriver.feed(frames[0])
    benchmark(feed)
    assert history.ticks


def test_encoding_a_frame(benchmark: BenchmarkFixture, frames: list[Frame]) -> None:
    encoder = Encoder(frames[0].run, 0, "bench")
    text = benchmark(encoder.lines, frames[0])
    assert len(text) > 1000


def test_choosing_the_order(benchmark: BenchmarkFixture, moment: Moment) -> None:
    view = TableState()
    lines = benchmark(view.arrange, moment)
    assert len(lines) == sum(1 for one in moment.readings.values() if one.workload.state.is_active)


@pytest.mark.parametrize("pattern", ["web.*9", "^[a-z0-9]+(-[a-z0-9]+){0,6}-(web|api|db|cache)-.*[0-9]{1,8}(x|y)?$"])
def test_filtering_5000_workloads_by_a_pattern(benchmark: BenchmarkFixture, pattern: str) -> None:
    deriver = Deriver()
    moment = [deriver.feed(frame) for frame in Believable(5000).frames(2)][-1]
    view = TableState(query=parse(f"name~'{pattern}'"))
    lines = benchmark(view.arrange, moment)
    assert len(lines) < len(moment.readings)


def test_formatting_a_page_of_lines(benchmark: BenchmarkFixture, moment: Moment) -> None:
    history = History()
    history.push(moment)
    cells, columns = Cells(history), lay_out(DEFAULT, 158)
    cells.at(moment, Scale.CORE)
    lines = TableState().arrange(moment)[:40]
    page = benchmark(lambda: [cells.line(line, columns, False) for line in lines])
    assert len(page) == 40


def test_painting_a_sparkline(benchmark: BenchmarkFixture) -> None:
    values = [float(number % 17) for number in range(240)]
    assert len(benchmark(spark, values, 16.0, 120)) == 120
