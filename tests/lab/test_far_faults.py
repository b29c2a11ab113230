"""Connections to other hosts that go wrong at each stage: a sentence and a remedy for each, and the rest goes on."""

from __future__ import annotations

import re
import time

import pytest

from bench.realistic_fleet import Believable
from collectors.fleet.hosts import HostSpec
from collectors.fleet.specs import load_source, specs_of
from collectors.model.workloads import Availability, Frame, Kind, SourceState
from collectors.sampling.sampler import Sampler
from tests.helpers.far_streams import play_command, write_stream
from tests.helpers.frame_watch import Watch
from tests.helpers.lab.far_faults import ENTRIES, PROGRAMS, faulty
from tests.helpers.lab.far_hosts import FarHosts
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.process import wait_until

pytestmark = pytest.mark.lab
GOOD = ("hv01", "banner")
SENTENCES = {
    "mute-port": "timed out",
    "mute-server": "timed out",
    "mute-keys": "timed out|is still logging in",
    "asks-password": "Permission denied|password",
    "new-key": "host key",
    "no-key-known": "host key",
    "refused": "refused",
    "nowhere": "resolve|not known",
    "silent": "no vmtop answers",
    "floods-zeros": "not a session",
    "floods-text": "not a session",
    "floods-errors": "prints errors without end",
    "bomb": "too long|too much|MiB of text",
    "rubbish": "not a session",
    "newer": "newer",
    "cut-off": "ended",
    "damaged": "damaged|cannot be used",
    "complains": "no .*way",
    "old-vmtop": "too old",
    "no-program": "no vmtop-nowhere",
}


class Seen:
    """What was seen of each host while all of them were watched."""

    def __init__(self) -> None:
        self.states: dict[str, SourceState] = {}
        """The first state of each that is not waiting."""
        self.good_ages: dict[str, list[float]] = {name: [] for name in GOOD}
        self.slowest_s = 0.0
        self._last: float | None = None

    def take(self, frame: Frame) -> None:
        """Take a frame."""
        for state in frame.sources:
            if not state.host and state.availability is not Availability.WAITING:
                self.states.setdefault(state.name, state)
        now = time.monotonic()
        for name in GOOD:
            own = [sample.at_ns for one, taken in frame.samples.items() if one.host == name for sample in taken]
            if own:
                self.good_ages[name].append(now - max(own) / 1e9)
        if self._last is not None:
            self.slowest_s = max(self.slowest_s, now - self._last)
        self._last = now


@pytest.fixture(scope="module")
def seen(far_lab: FarHosts) -> Seen:
    """Watch all at once until each has said something."""
    host = far_lab.hosts["hv01"]
    specs = [HostSpec(name, name) for name in (*ENTRIES, "hv01")]
    specs += [HostSpec(name, "hv01", f"vmtop-{name}") for name in (*PROGRAMS, "nowhere")]
    specs[-1] = HostSpec("no-program", "hv01", "vmtop-nowhere")
    found = Seen()
    with skip_or_fail(), faulty(far_lab, host), far_lab.as_client():
        sampler = Sampler(specs_of(specs), load_source, 1.0)
        sampler.on_frame(found.take)
        sampler.start()
        try:
            wait_until(lambda: found.states.keys() >= SENTENCES.keys() | set(GOOD), 60, "a word of each host")
        except TimeoutError as error:
            raise AssertionError(f"{error}: {(SENTENCES.keys() | set(GOOD)) - found.states.keys()}") from None
        finally:
            sampler.stop(5)
    return found


@pytest.mark.parametrize("name", SENTENCES)
def test_what_went_wrong_is_a_sentence_with_a_remedy(seen: Seen, name: str) -> None:
    state = seen.states[name]
    assert state.availability in (Availability.DOWN, Availability.DENIED, Availability.ABSENT)
    assert re.search(SENTENCES[name], state.reason), state
    assert state.remedy
    assert state.reason.isprintable()
    assert state.remedy.isprintable()


@pytest.mark.parametrize("name", GOOD)
def test_hosts_beside_them_are_watched_all_the_time(seen: Seen, name: str) -> None:
    assert seen.states[name].availability is Availability.OK, seen.states[name]
    assert len(seen.good_ages[name]) > 5
    assert sorted(seen.good_ages[name])[len(seen.good_ages[name]) // 2] < 3


def test_two_hosts_with_one_hostname_are_two_hosts(far_lab: FarHosts) -> None:
    other = far_lab.hosts["hv03"]
    other.inside("hostname", "hv01")
    with far_lab.as_client():
        watch = Watch(specs_of([HostSpec("first", "hv01"), HostSpec("second", "hv03")]), 1.0, load_source)
        try:
            watch.until_all(Availability.OK, "first", "second")
            frame = watch.next().frame
        finally:
            watch.stop()
            other.inside("hostname", "hv03")
    hosts = [one for one in frame.workloads.values() if one.kind is Kind.HOST]
    assert sorted((one.id.host, one.name) for one in hosts) == [("first", "hv01"), ("second", "hv01")]
    assert frame.hosts["first"].run != frame.hosts["second"].run


def test_64_hosts_of_which_a_third_is_dead_are_watched_in_time(far_lab: FarHosts) -> None:
    host = far_lab.hosts["hv01"]
    path = host.folder / "player"
    write_stream(path, Believable(10).frames(100))
    far_lab.extra |= {"dead": "HostName 127.0.0.1\nPort 1", "deaf": "HostName 10.255.255.1"}
    far_lab.write_client_files()
    dead = {f"h{number}" for number in range(0, 64, 3)}
    specs = [
        HostSpec(name, ("dead", "deaf")[number % 2]) if name in dead else HostSpec(name, "hv01", play_command(path))
        for number, name in enumerate(f"h{number}" for number in range(64))
    ]
    with far_lab.as_client():
        watch = Watch(specs_of(specs), 1.0, load_source)
        try:
            alive = [spec.name for spec in specs if spec.name not in dead]
            watch.until_all(Availability.OK, *alive, frames=60)
            began = time.monotonic()
            frames = [watch.newest() for _ in range(5)]
            spent_s = time.monotonic() - began
            states = {one.name: one for one in frames[-1].sources if not one.host}
        finally:
            watch.stop()
    assert spent_s < 10, "a frame a second, whoever is dead"
    assert len(frames[-1].readings) >= len(alive) * 10
    assert {name for name, one in states.items() if one.availability is not Availability.OK} == dead


def test_a_host_that_floods_with_frames_is_read_or_given_up(seen: Seen) -> None:
    state = seen.states["floods-frames"]
    assert state.availability is Availability.OK or "more than can be read" in state.reason
