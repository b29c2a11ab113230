"""A recording of real containers and a real guest: killed, replayed, and read by other tools."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from collectors.model.workloads import Frame
from collectors.session.reader import Session
from tests.helpers.checkout import DOCS as DOCUMENTS
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import find_program, wait_until
from tests.unit.tui.cli.test_main import FLEET_COMMAND

pytestmark = pytest.mark.lab

VMTOP = str(Path(sys.executable).parent / "vmtop")
DOCS = DOCUMENTS / "session-format.md"
PAUSE_S = float(os.environ.get("VMTOP_RECORDED_PAUSE", "4"))
"""Between two things that happen; a person who wants a longer recording sets it."""


class Story:
    """A recording in which things happen, and when they did."""

    def __init__(self, path: Path, docker: DockerLab, libvirt: LibvirtLab) -> None:
        self.path, self.docker, self.libvirt = path, docker, libvirt
        self.times: dict[str, float] = {}
        self.ends: dict[str, float] = {}
        self.busy = docker.run_busy("story-busy", 0.2)
        self.guest = libvirt.start_tiny("story")
        sources = ("--docker", docker.url, "--libvirt", libvirt.uri)
        self.recorder = subprocess.Popen(
            [VMTOP, "record", str(path), *sources], stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def wait(self, seconds: float = PAUSE_S) -> None:
        time.sleep(seconds)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Note when something began and ended."""
        self.times[what] = time.time()
        yield
        self.ends[what] = time.time()

    def live(self) -> None:
        """Start, stop and starve a container, pause a guest."""
        wait_until(self.has_frames, 60, "the first frames")
        self.wait()
        with self.timed("start"):
            web = self.docker.run("story-web", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
        self.wait()
        with self.timed("stop"):
            self.docker.client.stop(web, timeout=5)
        self.wait()
        with self.timed("oom"):
            hog = self.docker.run_memory_hog("story-hog", held_mib=80, limit_mib=32)
            wait_until(lambda: not self._has_dd(hog), 60, "the kernel's kill")
        self.wait()
        with self.timed("pause"):
            self.libvirt.connection.lookupByName(self.guest).suspend()
        self.wait(max(PAUSE_S, 6.0))

    def _has_dd(self, container: str) -> bool:
        return any(words[-1].startswith("dd ") for words in self.docker.client.top(container)["Processes"])

    def has_frames(self) -> bool:
        return self.path.exists() and self.path.stat().st_size > 4000

    def kill(self) -> None:
        os.kill(self.recorder.pid, signal.SIGKILL)
        self.recorder.wait(10)
        self.times["killed"] = time.time()

    def end(self) -> None:
        if self.recorder.poll() is None:
            self.kill()
        for name in ("story-busy", "story-web", "story-hog"):
            self.docker.remove(name)
        self.libvirt.remove(self.guest)


@pytest.fixture(scope="module")
def story(docker_lab: DockerLab, libvirt_lab: LibvirtLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    told = Story(tmp_path_factory.mktemp("story") / "story.vmtop.gz", docker_lab, libvirt_lab)
    try:
        told.live()
        told.kill()
        yield told
    finally:
        told.end()


@pytest.fixture(scope="module")
def frames(story: Story) -> list[Frame]:
    session = Session([story.path])
    try:
        return [frame for _, frame in session.frames()]
    finally:
        session.close()


def vmtop(*arguments: str) -> str:
    return subprocess.run([VMTOP, *arguments], check=True, capture_output=True, text=True, timeout=120).stdout


def test_a_killed_recording_is_whole_to_its_last_frame(story: Story, frames: list[Frame]) -> None:
    assert subprocess.run(["gzip", "-t", str(story.path)], check=False).returncode == 0
    assert abs(story.path.stat().st_mtime - frames[-1].wall) < 2.5, "the last thing written is the last frame"
    assert json.loads(vmtop("info", "--json", str(story.path)))["damage"] == []


def test_what_happened_is_told_with_names_at_the_right_moments(story: Story, frames: list[Frame]) -> None:
    events = [event for frame in frames for event in frame.events]
    for name, what, key in (
        ("story-web", "start", "start"),
        ("story-web", "die", "stop"),
        ("story-hog", "oom", "oom"),
        (story.guest, "pause", "pause"),
    ):
        found = [event for event in events if event.name == name and event.what == what]
        assert found, f"{what} of {name} in {[(event.name, event.what) for event in events]}"
        assert story.times[key] - 0.5 <= found[0].wall <= story.ends[key] + 5, f"{what} of {name}"


def test_the_frames_have_the_names_and_states_of_their_moments(story: Story, frames: list[Frame]) -> None:
    def states(name: str, since: float, until: float) -> set[str]:
        return {
            str(workload.state)
            for frame in frames
            if since < frame.wall < until
            for workload in frame.workloads.values()
            if workload.name == name
        }

    times, ends = story.times, story.ends
    assert states("story-web", 0, times["start"]) == set()
    assert states("story-web", ends["start"] + 2, times["stop"]) == {"running"}
    assert states("story-web", times["oom"], times["pause"]) == {"stopped"}
    assert states(story.guest, times["oom"], times["pause"]) == {"running"}
    assert "paused" in states(story.guest, ends["pause"] + 2, times["killed"])


def _exported(story: Story) -> dict[str, float]:
    text = vmtop("export", str(story.path), "--metric", "cpu_seconds", "--only", "container")
    rows = list(csv.DictReader(io.StringIO(text)))
    return {row["name"]: float(row["cpu_seconds"]) for row in rows if row["cpu_seconds"] and row["name"][:5] == "story"}


def _block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def test_duckdb_and_jq_give_the_cpu_seconds_of_the_export(story: Story) -> None:
    exported = _exported(story)
    assert exported["story-busy"] > 1
    answer = duckdb.connect().execute(_block("sql").replace("FILE", str(story.path))).fetchall()
    by_duckdb = {name: seconds for name, seconds in answer if name in exported}
    zcat = subprocess.Popen(["zcat", str(story.path)], stdout=subprocess.PIPE)
    jq = subprocess.run(
        [find_program("jq"), "-n", _block("jq")], stdin=zcat.stdout, check=True, capture_output=True, text=True
    )
    zcat.wait(10)
    by_jq = {name: seconds for name, seconds in json.loads(jq.stdout).items() if name in exported}
    assert by_duckdb == pytest.approx(exported, abs=0.001)
    assert by_jq == pytest.approx(exported, abs=0.001)


def test_a_cut_around_an_event_has_that_event_and_no_other(story: Story, frames: list[Frame], tmp_path: Path) -> None:
    part = tmp_path / "part.vmtop.gz"
    killed = next(frame.wall for frame in frames if any(event.what == "oom" for event in frame.events))
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(killed))
    vmtop("cut", str(story.path), "--from", at, "--to", "+2s", "-o", str(part))
    told = json.loads(vmtop("info", "--json", str(part)))
    assert told["damage"] == []
    assert "oom" in told["events"]
    assert "pause" not in told["events"]
    hog = next(one for one in told["workloads"] if one["name"] == "story-hog")
    assert hog["kind"] == "container"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "vmtop-lab", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_pauses_the_recording_until_there_is_room(small_disk: Path) -> None:
    path = small_disk / "a.vmtop.gz"
    command = [*FLEET_COMMAND, "record", str(path), "--interval", "0.2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stderr is not None
    try:
        assert "recording to" in process.stderr.readline()
        assert "not recording: no space left on device" in process.stderr.readline()
        before = _whole_frames(path)
        time.sleep(1)
        assert _whole_frames(path) == before
        subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
        assert "recording again" in process.stderr.readline()
        wait_until(lambda: _whole_frames(path) > before + 3, 10, "more frames")
        process.send_signal(signal.SIGINT)
        words = process.stderr.read()
        assert process.wait(10) == 1, "frames were lost"
        assert "were not kept" in words
    finally:
        process.kill()
        process.wait(10)
        process.stderr.close()
    told = json.loads(vmtop("info", "--json", str(path)))
    assert told["damage"] == []
    gaps = [gap for gap in told["gaps"] if not gap["why"].startswith("suspended")]  # as on a machine that is too busy
    assert [gap["why"] for gap in gaps] == ["no space left on device"]
    assert gaps[0]["frames"] > 3


def _whole_frames(path: Path) -> int:
    """Count the frames, and require whole gzip; in the moment of a write it is not."""
    for _ in range(5):
        done = subprocess.run(["gzip", "-dc", str(path)], check=False, capture_output=True)
        if done.returncode == 0:
            return done.stdout.count(b'{"k":"frame"')
        time.sleep(0.05)
    raise AssertionError(done.stderr)
