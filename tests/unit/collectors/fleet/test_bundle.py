"""The one file that vmtop copies: what is in it, and that it runs."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from collectors import __version__
from collectors.fleet import bundle as bundle_module
from collectors.fleet.bundle import FILE_NAME, UNPACKED, VARIABLE, Bundle, build, own_target
from collectors.fleet.copying import Probe, Python, copied, fitting, is_copy
from collectors.fleet.hosts import HostSpec
from collectors.model.errors import SourceError

HOST = HostSpec("hv02", "hv02")


@pytest.fixture(scope="module")
def made() -> Bundle:
    return build()


def test_it_has_vmtop_and_its_libraries_and_no_tests(made: Bundle) -> None:
    names = zipfile.ZipFile(io.BytesIO(made.data)).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {"__main__.py", "collectors", "tui", "click", "msgspec", "textual", "rich", "docker"} <= tops
    assert not any("__pycache__" in name or name.startswith(("tests/", "/", "..")) for name in names)
    assert "collectors/fleet/bundle.py" in names
    assert made.sha256 == hashlib.sha256(made.data).hexdigest()


def test_the_same_vmtop_makes_the_same_file(made: Bundle) -> None:
    assert build().sha256 == made.sha256


def test_it_runs_by_itself_unpacks_once_and_copies_itself_on(made: Bundle, tmp_path: Path) -> None:
    place = tmp_path / FILE_NAME
    place.write_bytes(made.data)
    words = [sys.executable, "-I", "-S", str(place), "--version"]
    for _ in range(2):
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        assert done.stdout.startswith("vmtop "), done.stderr
    (unpacked,) = (path for path in tmp_path.iterdir() if path.is_dir())
    assert unpacked.name.startswith(UNPACKED)
    assert unpacked.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["doctor"], f"vmtop           {__version__}\n"),
        (["record", "-", "--duration", "1s"], f'"program":"vmtop {__version__}"'),
    ],
)
def test_a_copy_knows_its_version_where_nothing_of_vmtop_is_installed(
    made: Bundle, tmp_path: Path, words: list[str], said: str
) -> None:
    (tmp_path / FILE_NAME).write_bytes(made.data)
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(tmp_path / FILE_NAME), *words],
        capture_output=True,
        timeout=120,
        env=environment,
    )
    assert b"unexpected error" not in done.stderr, done.stderr
    out = gzip.decompress(done.stdout) if words[0] == "record" else done.stdout
    assert said in out.decode(), done.stderr


def test_a_copy_copies_its_own_file(made: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FILE_NAME).write_bytes(made.data)
    monkeypatch.setenv(VARIABLE, str(tmp_path / FILE_NAME))
    assert build().sha256 == made.sha256


def test_another_python_is_refused_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_module, "own_target", lambda: own_target()._replace(abi="cpython-309-other"))
    monkeypatch.setattr(bundle_module, "_library_files", lambda: iter(()))
    (tmp_path / FILE_NAME).write_bytes(build().data)
    done = subprocess.run([sys.executable, str(tmp_path / FILE_NAME)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("vmtop: this copy is for Python")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("pythons", "machine", "words", "remedy"),
    [
        ((), "x86_64", "has no Python on x86_64", "install python"),
        ((Python("python3", "cpython-39-x86_64-linux-gnu", "3.9.2"),), "x86_64", "has Python 3.9.2", "install python"),
        (
            (Python("python3", "cpython-311-aarch64-linux-gnu", "3.11.2"),),
            "aarch64",
            "on aarch64",
            "install vmtop itself",
        ),
    ],
)
def test_a_host_that_cannot_run_it_is_told_what_helps(
    pythons: tuple[Python, ...], machine: str, words: str, remedy: str
) -> None:
    target = own_target()._replace(abi="cpython-311-x86_64-linux-gnu", machine="x86_64")
    with pytest.raises(SourceError) as refused:
        fitting(HOST, Probe("", pythons, machine, "me", "/home/me"), target)
    assert words in refused.value.reason
    assert remedy in refused.value.remedy


def test_the_command_of_a_copy_is_known_again() -> None:
    command = copied(HOST, Python("python3.11", "", "3.11.2"))
    assert command == "python3.11 ~/.local/share/vmtop/vmtop.pyz"
    assert is_copy(HostSpec("hv02", "hv02", command))
    assert not is_copy(HOST)
