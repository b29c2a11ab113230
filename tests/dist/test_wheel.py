"""The wheel and the source distribution: installed by pip into an environment of their own, used, removed."""

from __future__ import annotations

import subprocess
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dist.conftest import artefact, shows_the_demo
from tests.helpers.checkout import ROOT

pytestmark = pytest.mark.dist
_PYTHON = "/usr/bin/python3"


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A new virtual environment of this system's Python."""
    subprocess.run([_PYTHON, "-m", "venv", tmp_path / "venv"], check=True)
    return tmp_path / "venv"


def pip(environment: Path, *words: str | Path) -> str:
    """Run pip in an environment, and return what it printed."""
    command = [environment / "bin/python", "-m", "pip", "--disable-pip-version-check", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("pattern", ["vmtop-*.whl", "vmtop-*.tar.gz"])
def test_pip_installs_it_and_removes_all_of_it(
    pattern: str, environment: Path, record_property: Callable[[str, object], None]
) -> None:
    package = artefact(pattern)
    record_property("artefact", package.name)
    record_property("system", "this one, in a venv")
    pip(environment, "install", "-c", ROOT / "constraints.txt", package)
    program = environment / "bin/vmtop"
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, cwd="/").stdout
    assert version.split()[1] in package.name
    subprocess.run([program, "list", "--json"], check=True, cwd="/", stdout=subprocess.DEVNULL)
    shows_the_demo([str(program), "demo"])
    pip(environment, "uninstall", "--yes", "vmtop")
    assert not program.exists()
    left = [path for name in ("tui", "collectors", "vmtop*") for path in environment.glob(f"lib/*/site-packages/{name}")]
    assert left == []


def test_the_wheel_has_the_compiled_program_and_its_source(record_property: Callable[[str, object], None]) -> None:
    package = artefact("vmtop-*.whl")
    record_property("artefact", package.name)
    record_property("system", "-")
    with zipfile.ZipFile(package) as archive:
        assert archive.read("collectors/kernel/bpf/cgroup_rows.bpf.o")[:4] == b"\x7fELF"
        assert "collectors/kernel/bpf/cgroup_rows.bpf.c" in archive.namelist()


def test_the_source_distribution_has_the_sources_and_nothing_built(
    record_property: Callable[[str, object], None],
) -> None:
    package = artefact("vmtop-*.tar.gz")
    record_property("artefact", package.name)
    record_property("system", "-")
    with tarfile.open(package) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        project = archive.extractfile(next(name for name in archive.getnames() if name.endswith("/pyproject.toml")))
        assert project is not None
        assert tomllib.loads(project.read().decode())["project"]["name"] == "vmtop"
    assert {".ci/dist/build", "tui/cli/main.py", "collectors/__init__.py", "LICENSE"} <= names
    assert not [name for name in names if name.startswith(("build/", "dist/", ".venv")) or name.endswith(".pyc")]
