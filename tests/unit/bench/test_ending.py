"""The folder of a run is gone when it ends, however it ends, or else when the next one begins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from bench.ending import sweep_folders, working_folder

_RUNS = """
import sys, time
from bench.ending import working_folder
with working_folder(sys.argv[1]) as folder:
    print("made", flush=True)
    time.sleep(60)
"""
_DEAD = "vmtop-bench-4194305-x"
"""Of a process id beyond the highest that a kernel gives."""


def _begun(parent: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", _RUNS, str(parent)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"made\n"
    return process


def test_a_run_that_is_ended_leaves_no_folder(tmp_path: Path) -> None:
    process = _begun(tmp_path)
    assert len(os.listdir(tmp_path)) == 1
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert os.listdir(tmp_path) == []


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    process = _begun(tmp_path)
    process.kill()
    process.communicate(timeout=30)
    (left,) = tmp_path.iterdir()
    (left / "docker").mkdir()
    with working_folder(str(tmp_path)) as folder:
        assert list(tmp_path.iterdir()) == [folder]


def test_the_folder_of_a_running_one_and_one_in_use_stay(tmp_path: Path) -> None:
    running, in_use = tmp_path / f"vmtop-bench-{os.getpid()}-x", tmp_path / _DEAD
    for folder in (running, in_use, tmp_path / "vmtop-bench-x"):
        folder.mkdir()
    code = "import sys; print(flush=True); sys.stdin.read()"
    daemon = subprocess.Popen([sys.executable, "-c", code, str(in_use)], stdin=-1, stdout=-1)
    try:
        assert daemon.stdout is not None
        daemon.stdout.readline()  # the kernel has no command line of a program that is only being loaded
        assert sweep_folders(tmp_path) == []
    finally:
        daemon.communicate()
    assert sweep_folders(tmp_path) == [in_use]
    assert sorted(tmp_path.iterdir()) == sorted([running, tmp_path / "vmtop-bench-x"])
