"""What is packaged: the source distribution carries all that its tests read."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

from tests.helpers.checkout import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
_READ = re.compile(r'(?:ROOT|CHECKOUT) / "([^"]+)"')


def test_the_source_distribution_carries_what_tests_read() -> None:
    included = set(PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"])
    sources = [path.read_text() for path in (ROOT / "tests").rglob("*.py")]
    read = {name for text in sources for name in _READ.findall(text)} - {".venv", "build", "dist"}
    assert {"docs", "SECURITY.md"} <= read
    always = {"pyproject.toml"}
    assert {name for name in read - included - always if not ("*.md" in included and name.endswith(".md"))} == set()


def test_every_dependency_declares_a_lowest_version() -> None:
    done = subprocess.run([sys.executable, ROOT / ".ci" / "lowest.py"], capture_output=True, text=True, check=True)
    pins = done.stdout.split()
    extras = PROJECT["project"]["optional-dependencies"]
    declared = [*PROJECT["project"]["dependencies"], *extras["libvirt"], *extras["vsphere"]]
    assert len(pins) == len(declared)
    assert all(re.fullmatch(r"[\w-]+==[\d.]+", pin) for pin in pins)
