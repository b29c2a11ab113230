"""Moments without a screen: whole before they are shown, and shown as they are when the wait is over."""

from __future__ import annotations

import itertools
import json
import socket
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from collectors.analysis.rate_span import rates_over_s
from collectors.analysis.rates import Moment
from collectors.engines.demo.source import DemoSource
from collectors.model.errors import NotInTime
from collectors.model.workloads import Availability, Kind, Sample
from collectors.sampling import worker as worker_module
from collectors.sampling.sampler import Sampler
from collectors.sampling.source import SourceReading, SourceSpec
from tests.helpers.strategies import workload
from tests.unit.collectors.sampling.test_worker import FakeSource, Gate, answer, fail
from tui.cli import main, sampling
from tui.cli.exit_codes import DONE, FAILED, NO_ANSWER
from tui.cli.progress import WaitingLine
from tui.cli.sampling import Wait, gather, moments
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


def frames_wait(most: int) -> Wait:
    """Make a wait whose seconds are frames."""
    return Wait(most, itertools.count().__next__)


def test_a_daemon_that_hangs_is_waited_for_up_to_the_limit_and_then_shown_as_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_module, "HUNG_AFTER_S", 0.0)
    gate, wait = Gate(), frames_wait(7)
    moment = gather(_with(monkeypatch, FakeSource(gate)), wait)
    gate.opened.set()
    assert wait.passed_s == 7
    assert moment.sources[1].availability is Availability.WAITING
    assert moment.readings, "the rest is there"
    assert "docker" not in wait.answered_s


@pytest.mark.parametrize("late", [NotInTime("docker did not answer within 30 s"), None])
def test_a_daemon_that_answers_late_is_waited_for(monkeypatch: pytest.MonkeyPatch, late: NotInTime | None) -> None:
    """After a call that takes long, or one that ran into its time-out and is repeated."""
    monkeypatch.setattr(worker_module, "HUNG_AFTER_S", 0.0)
    gate, wait = Gate(), frames_wait(1000)
    source = FakeSource(fail(late), gate) if late else FakeSource(gate)
    source.is_near = True
    states: list[Availability] = []

    def is_enough(moment: Moment) -> bool:
        states.append(moment.sources[1].availability)
        if len(states) == 12:
            gate.opened.set()
        return sampling.is_whole(moment)

    moment = gather(_with(monkeypatch, source), wait, is_enough)
    assert moment.sources[1].availability is Availability.OK
    assert set(states[:12]) == {Availability.WAITING}
    assert wait.answered_s["docker"] >= 11 > wait.answered_s["demo"]


def test_a_kernel_that_answers_late_is_waited_for_until_there_are_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, fleet, wait = Gate(), DemoSource(3, 7), frames_wait(1000)
    wait_for_gate = fleet.read

    def read() -> SourceReading:
        gate()
        return wait_for_gate()

    fleet.read = read  # type: ignore[method-assign]
    monkeypatch.setattr(sampling, "load_source", lambda _: lambda: fleet)
    counts = itertools.count(1)

    def is_enough(moment: Moment) -> bool:
        if next(counts) == 6:
            gate.opened.set()
        return sampling.is_whole(moment)

    moment = gather([SourceSpec("demo")], wait, is_enough)
    assert moment.host.value("cpu_percent") is not None
    assert wait.passed_s > 5


def test_daemon_that_is_known_to_be_down_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = frames_wait(1000)
    moment = gather(_with(monkeypatch, FakeSource(fail(ConnectionError("refused")))), wait)
    assert wait.passed_s < 1000
    assert moment.sources[1].availability is Availability.DOWN


def test_a_terminal_is_told_what_is_waited_for_and_the_line_goes_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0))
    with WaitingLine() as line:
        line.show(["docker"], 0.5, 30)
        assert capsys.readouterr().err == ""
        line.show(["docker", "cgroup"], 4.2, 30)
        assert capsys.readouterr().err == "\r\x1b[Kvmtop: waiting for docker and cgroup, 4 of at most 30 s"
    assert capsys.readouterr().err == "\r\x1b[K"


def test_a_file_is_not_told_what_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    with WaitingLine() as line:
        line.show(["docker"], 4.2, 30)
    assert capsys.readouterr().err == ""


def test_a_real_socket_that_accepts_and_never_answers_is_named_and_the_rest_is_printed(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "s"))
        mute.listen(8)
        address = f"unix://{tmp_path}/s"
        named = CliRunner().invoke(main.main, ["list", "--json", "--wait", "1", "--docker", address])
        ambient = CliRunner().invoke(main.main, ["list", "--json", "--wait", "1"], env={"DOCKER_HOST": address})
        checked = CliRunner().invoke(main.main, ["doctor", "--wait", "1", "--docker", address])
        compared = CliRunner().invoke(main.main, ["compare", "web", "--wait", "1", "--docker", address])
        stopped = CliRunner().invoke(main.main, ["stop", "web", "--yes", "--wait", "1", "--docker", address])
    assert json.loads(named.stdout)["host"]["metrics"]["cpu_percent"] is not None
    assert {source["name"]: source["availability"] for source in json.loads(named.stdout)["sources"]}[
        "docker"
    ] == "waiting"
    for done, code in ((named, NO_ANSWER), (ambient, DONE)):
        assert done.exit_code == code
        assert "vmtop: docker has not answered in " in done.stderr
        assert "wait longer with --wait 30" in done.stderr
    assert checked.exit_code == FAILED
    assert "waiting  docker     no answer in 1 s" in checked.stdout
    for done in (compared, stopped):
        assert done.exit_code == NO_ANSWER
        assert f"web: docker at {address} has not answered for " in done.stderr
        assert "s and could know that name" in done.stderr


def test_events_from_before_the_first_moment_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = gather(_with(monkeypatch, FakeSource(lambda: answer("web"))))
    assert "web" in [event.name for event in moment.events]


def test_a_sampler_that_fails_ends_the_command_with_a_sentence_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(self: Sampler, due: float) -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(Sampler, "tick", break_down)
    with pytest.raises(click.ClickException, match="sampling failed: RuntimeError: no such luck"):
        gather(demo(3, 1))


def test_rates_are_measured_over_the_asked_for_time_once_everything_has_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate()
    counts = itertools.count(1)

    def is_enough(moment: Moment) -> bool:
        if next(counts) == 4:
            gate.opened.set()
        return sampling.has_answered(moment)

    moment = gather(_with(monkeypatch, FakeSource(gate)), frames_wait(1000), is_enough, over_s=0.4)
    over_s = rates_over_s(moment)
    assert over_s is not None
    assert over_s >= 0.4 * 0.9
    assert moment.sources[1].availability is Availability.OK


def test_a_source_that_is_late_does_not_take_the_time_to_measure_from_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate()
    moment = gather(_with(monkeypatch, FakeSource(gate)), Wait(0), sampling.has_answered, over_s=0.4)
    gate.opened.set()
    assert moment.sources[1].availability is Availability.WAITING
    assert (rates_over_s(moment) or 0) >= 0.4 * 0.9


def test_a_reading_that_comes_late_in_the_measurement_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its second sample makes the rates, not an earlier frame without one."""
    fleet = DemoSource(3, 7)
    read, counts = fleet.read, itertools.count(1)

    def slow() -> SourceReading:
        if next(counts) == 3:
            time.sleep(0.6)  # longer than a frame waits
        return read()

    fleet.read = slow  # type: ignore[method-assign]
    monkeypatch.setattr(sampling, "load_source", lambda _: lambda: fleet)
    moment = gather([SourceSpec("demo")], Wait(30), sampling.has_answered, over_s=0.2)
    assert moment.host.value("cpu_percent") is not None
    assert not sampling.without_rates(moment)


def test_averages_of_many_seconds_are_measured_without_waiting_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = workload("web", Kind.VM, "vsphere", endpoint="vc")

    def averages(seconds: int) -> SourceReading:
        sample = Sample("vsphere", seconds * 1_000_000_000, cpu_total_ns=seconds * 500_000_000)
        return SourceReading({machine.id: machine}, {machine.id: (sample,)})

    source = FakeSource(*[lambda: averages(0)] * 5, lambda: averages(20))  # a frame has the first one for certain
    wait = frames_wait(1000)
    moment = gather(_with(monkeypatch, source), wait, over_s=0.2)
    assert moment.readings[machine.id].value("cpu_percent") == pytest.approx(50)
    assert wait.passed_s < 500, "nothing else would come before its next beat"


def test_a_stream_goes_on_from_the_measured_moment() -> None:
    first, second = itertools.islice(moments(demo(3, 7), 0.2, over_s=0.4), 2)
    assert (rates_over_s(first) or 0) > (rates_over_s(second) or 0) > 0


def test_a_terminal_is_told_how_far_a_long_measurement_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with WaitingLine(iter((0.0, 0.0, 2.0)).__next__) as line:
        line.show_measuring(1.0)
        assert capsys.readouterr().err == "", "a second is not worth a line"
        line.show_measuring(5.0)
        line.show_measuring(5.0)
    assert capsys.readouterr().err.endswith("\r\x1b[Kvmtop: measuring, 2 of 5 s\r\x1b[K")


def test_the_first_and_the_last_frame_of_a_measurement_hold_what_is_read_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Slow(DemoSource):
        """Reads its memory only when it is asked for."""

        def __init__(self) -> None:
            super().__init__(3, 7)
            self.asked: list[int] = []
            self.readings = 0

        def read_all_next(self) -> None:
            self.asked.append(self.readings)

        def read(self) -> SourceReading:
            self.readings += 1
            return super().read()

    fleet = Slow()
    monkeypatch.setattr(sampling, "load_source", lambda _: lambda: fleet)
    gather([SourceSpec("demo")], Wait(30), sampling.has_answered, over_s=0.2)
    first, last = fleet.asked
    assert last == first + 1, "before the first frame of the measurement, and before the next one"
