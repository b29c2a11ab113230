"""What a measurement makes is gone afterwards: at its end, when a signal ends it, and after it was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.made_cgroups import cgroups, sweep
from bench.sampling import bare_read

_MAKES = """
import sys, time
from bench.made_cgroups import cgroups
with cgroups(3, sys.argv[1:]):
    print("made", flush=True)
    time.sleep(60)
"""
_OF_NOBODY = "vmtop-bench-4194305.slice"
"""Of a process id beyond the highest that a kernel gives."""


def _begun(root: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", _MAKES, str(root)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"made\n"
    return process


def test_groups_are_there_in_every_hierarchy_and_gone_afterwards(tmp_path: Path) -> None:
    roots = [tmp_path / "v1", tmp_path / "v2"]
    for root in roots:
        root.mkdir()
    with cgroups(2, map(str, roots)) as name:
        assert [sorted(os.listdir(root / name)) for root in roots] == [["w0.service", "w1.service"]] * 2
    assert [os.listdir(root) for root in roots] == [[], []]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_run_that_a_signal_ends_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    process = _begun(tmp_path)
    assert os.listdir(tmp_path)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert os.listdir(tmp_path) == []


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    process = _begun(tmp_path)
    process.kill()
    process.communicate(timeout=30)
    assert os.listdir(tmp_path)
    with cgroups(1, [str(tmp_path)]) as name:
        assert os.listdir(tmp_path) == [name]
    assert os.listdir(tmp_path) == []


def test_what_a_running_one_made_and_what_has_another_name_stay(tmp_path: Path) -> None:
    kept = [tmp_path / f"vmtop-bench-{os.getpid()}.slice", tmp_path / "vmtop-bench-x.slice", tmp_path / "user.slice"]
    for path in (*kept, tmp_path / _OF_NOBODY):
        (path / "w0.service").mkdir(parents=True)
    assert sweep([str(tmp_path)]) == [tmp_path / _OF_NOBODY]
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_a_file_is_read_alike_with_and_without_a_descriptor(tmp_path: Path) -> None:
    file = tmp_path / "cpu.stat"
    file.write_bytes(b"usage_usec 7\n")
    descriptor = os.open(file, os.O_RDONLY)
    try:
        assert bare_read(descriptor, str(file)) == bare_read(-1, str(file)) == b"usage_usec 7\n"
    finally:
        os.close(descriptor)
