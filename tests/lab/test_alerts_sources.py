"""Each built-in rule about sources begins by a real cause and ends with it: an engine of the test's own fails."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.alerts.rule import Level
from tests.helpers.lab.alert_recording import AlertRecording, alert_recording, shortened
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.frail import FrailEngine, frail_engine
from tests.helpers.lab.process import made_anew

pytestmark = pytest.mark.lab

RULES = shortened(
    ("source stuck", "source=stale for 5s", ""),
    ("source down", "source=down for 5s", ""),
    ("engine disk", "engine disk > 90% for 3s", ""),
)
FRAMES = 12


@pytest.fixture(scope="module")
def folder(lab_root: Path) -> Path:
    return lab_root / "alerts"


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[FrailEngine]:
    """An engine whose images are on a file system of 64 MiB."""
    place = made_anew(folder / "engine") / "data"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "vmtop-lab", str(place)], check=True)
    with skip_or_fail(), frail_engine(folder / "engine") as lab:
        yield lab


@pytest.fixture
def recording(engine: FrailEngine, folder: Path, request: pytest.FixtureRequest) -> Iterator[AlertRecording]:
    own = folder / str(abs(hash(request.node.name)))
    with alert_recording(own, ["--docker", engine.url], RULES) as made:
        yield made


def test_a_disk_of_an_engine_that_is_nearly_full_is_an_alert_until_it_is_emptied(
    engine: FrailEngine, folder: Path, recording: AlertRecording
) -> None:
    filler = folder / "engine" / "data" / "filler"
    filler.write_bytes(bytes(40 << 20))
    recording.go_on(FRAMES)
    assert recording.alerts("docker") == [], "it is not full enough"
    filler.write_bytes(bytes(60 << 20))
    try:
        alert = recording.begun("engine disk", "docker")
        assert alert.level is Level.CRITICAL
        assert alert.sentence.startswith("the disk that it writes to is nearly full (9")
        engine.dockerd.freeze()
        try:
            recording.begun("source stuck", "docker")
            assert [one.ended_wall for one in recording.of("engine disk", "docker")] == [None], "nothing is known of it"
        finally:
            engine.dockerd.thaw()
        assert recording.ended("source stuck", "docker").end == "over"
    finally:
        filler.unlink()
    assert recording.ended("engine disk", "docker").end == "over"


def test_an_engine_that_stands_still_is_an_alert_and_one_that_is_slow_for_a_moment_is_not(
    engine: FrailEngine, recording: AlertRecording
) -> None:
    recording.answered("docker")
    engine.dockerd.freeze()
    try:
        recording.go_on(3)
    finally:
        engine.dockerd.thaw()
    recording.go_on(FRAMES)
    assert recording.alerts("docker") == []
    engine.dockerd.freeze()
    try:
        alert = recording.begun("source stuck", "docker")
        assert alert.sentence.startswith("it does not answer any more (docker has not responded for ")
    finally:
        engine.dockerd.thaw()
    assert recording.ended("source stuck", "docker").end == "over"


def test_an_engine_that_was_killed_is_one_that_does_not_answer_any_more(
    engine: FrailEngine, recording: AlertRecording
) -> None:
    recording.answered("docker")
    engine.dockerd.kill()
    try:
        recording.begun("source stuck", "docker")
        assert recording.of("source down", "docker") == []
    finally:
        engine.start()
    assert recording.ended("source stuck", "docker").end == "over"


def test_an_engine_that_was_never_reached_is_down_and_one_that_this_host_has_not_is_no_alert(
    engine: FrailEngine, folder: Path
) -> None:
    engine.dockerd.kill()
    try:
        with alert_recording(folder / "down", ["--docker", engine.url], RULES) as recording:
            alert = recording.begun("source down", "docker")
            assert alert.sentence.startswith("it cannot be reached (")
            engine.start()
            assert recording.ended("source down", "docker").end == "over"
            assert {one.name for one in recording.alerts()} == {"docker"}
    finally:
        if not engine.dockerd.is_running:
            engine.start()
