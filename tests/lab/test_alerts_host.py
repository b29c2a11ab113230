"""A host that runs out of memory is an alert while it has; one whose page cache fills all memory is none.

The host is a user-mode kernel, whose memory is its own.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.alerts.rule import Level
from tests.app.test_replay import replaying
from tests.helpers.lab.alert_recording import AlertRecording, alert_recording, shortened
from tests.helpers.lab.process import made_anew
from tests.helpers.lab.uml import UmlLab

RULES = shortened(("host memory", "kind=host limit > 95% for 3s", "limit < 92%"))
FRAMES = 8
LEFT = 0.035
"""Share of all memory that is left available: less than the rule asks for, and enough for what watches."""
_HOLD = """
import mmap, sys, time
from pathlib import Path
Path("/proc/self/oom_score_adj").write_text("1000")
def available():
    rows = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(rows["MemAvailable"].split()[0]) / int(rows["MemTotal"].split()[0])
held, page = [], bytes(4 << 20)
while available() > {left}:
    {take}
print("held", flush=True)
time.sleep(10000)
"""
TAKES = {
    "anonymous memory": "held.append(mmap.mmap(-1, len(page))); held[-1].write(page)",
    "files in memory": "held.append(Path(sys.argv[1], str(len(held)))); held[-1].write_bytes(page)",
}


@pytest.mark.lab
def test_in_a_kernel_with_memory_of_its_own(uml_lab: UmlLab) -> None:
    argv = [sys.executable, "-m", "pytest", "-m", "uml", "-q", "-p", "no:cacheprovider", __file__]
    finished = uml_lab.run(argv, timeout_s=400)
    assert finished.returncode == 0, finished.stdout
    assert "4 passed" in finished.stdout


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlertRecording]:
    with alert_recording(tmp_path_factory.mktemp("alerts") / "host", [], RULES) as made:
        yield made


def meminfo() -> dict[str, int]:
    """Return /proc/meminfo, in KiB."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return {key: int(value.split()[0]) for key, value in (line.split(":") for line in lines)}


@pytest.mark.uml
@pytest.mark.parametrize("what", TAKES)
def test_memory_that_cannot_be_had_is_an_alert_until_it_is_freed(
    recording: AlertRecording, tmp_path: Path, what: str
) -> None:
    name = socket.gethostname()
    earlier = len(recording.of("host memory", name))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100%", "tmpfs", str(tmp_path)], check=True)
    code = _HOLD.format(left=LEFT, take=TAKES[what])
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as hog:
        try:
            assert hog.stdout is not None
            assert hog.stdout.readline() == "held\n"
            alert = recording.begun("host memory", name)
            assert alert.level is Level.CRITICAL
            assert alert.sentence.startswith("the host is nearly out of memory (limit 9")
        finally:
            hog.kill()
    subprocess.run(["umount", str(tmp_path)], check=True)
    assert recording.ended("host memory", name).end == "over"
    assert len(recording.of("host memory", name)) == earlier + 1


def taken() -> float:
    """Return the share of all memory that is neither free nor page cache at rest."""
    rows = meminfo()
    return (rows["MemTotal"] - rows["MemFree"] - rows["Inactive(file)"]) / rows["MemTotal"]


@pytest.mark.uml
def test_page_cache_that_fills_all_memory_is_no_alert(recording: AlertRecording) -> None:
    folder, before = Path("/run/lab/read-often"), len(recording.alerts())
    made_anew(folder)
    try:
        for number in range(80):
            with (folder / str(number)).open("wb") as file:
                file.truncate(32 << 20)  # its holes fill the cache as data does
            for _ in range(3):
                file_words = [f"if={folder}/{number}", "of=/dev/null", "bs=4M", "status=none"]
                subprocess.run(["dd", *file_words], check=True)
            if taken() > 0.96:
                break
        recording.go_on(FRAMES)
        assert taken() > 0.95, "most of the cache has to be in use, and looks like memory that is gone"
        assert recording.alerts()[before:] == []
    finally:
        shutil.rmtree(folder)


@pytest.mark.uml
async def test_the_replay_lists_what_was_recorded(recording: AlertRecording) -> None:
    async with replaying(recording.path) as replay:
        await replay.press("end", "B")
        over = replay.text().partition("Over:")[2]
        rows = [
            line for line in over.splitlines() if "the host is nearly out of memory (limit 9" in line and "▲" in line
        ]
        assert len(rows) == len(TAKES), replay.text()
