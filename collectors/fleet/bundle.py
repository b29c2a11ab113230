"""vmtop as one file, for a host that has none: a zip archive that Python runs, with the libraries that it needs.

Compiled libraries cannot be loaded from an archive, so it unpacks itself beside its own file when it is first run.
"""

from __future__ import annotations

import hashlib
import io
import os
import platform
import re
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from collectors.model.errors import SourceError
from collectors.model.installing import carries_its_python

FILE_NAME = "vmtop.pyz"
UNPACKED = "unpacked-"
"""What the names of the folders begin with that it unpacks itself into."""
VARIABLE = "VMTOP_BUNDLE"
"""The environment variable in which a running copy finds its own file."""
_PACKAGES = ("collectors", "tui")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LEFT_OUT = re.compile(r"(^|/)(__pycache__|tests?)/|\.pyc$|^\.\.|^/")
_STAMP = (1980, 1, 1, 0, 0, 0)
_MAIN = '''\
"""Runs the vmtop in this archive, which is unpacked beside it once."""
import os, sys, sysconfig

if sysconfig.get_config_var("SOABI") != {abi!r}:
    sys.exit("vmtop: this copy is for Python {python} on {machine}; 'vmtop host add' makes the right one")
bundle = os.path.dirname(os.path.abspath(__file__))
folder = os.path.join(os.path.dirname(bundle), {folder!r})
if not os.path.isdir(folder):
    import shutil, tempfile, zipfile

    before = os.umask(0o077)
    temporary = tempfile.mkdtemp(prefix=".unpacking-", dir=os.path.dirname(bundle))
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(temporary)
    try:
        os.rename(temporary, folder)
    except OSError:  # another one was quicker
        shutil.rmtree(temporary)
    os.umask(before)
sys.path[0] = folder
sys.argv[0] = "vmtop"
os.environ[{variable!r}] = bundle
from tui.cli.main import main

main()
'''


class Target(NamedTuple):
    """What a copy runs on."""

    abi: str
    """Python's name for its version and the machine, such as `cpython-311-x86_64-linux-gnu`."""
    python: str
    """Version without the patch level, such as `3.11`."""
    machine: str


class Bundle(NamedTuple):
    """The file."""

    data: bytes
    sha256: str
    unpacked_bytes: int
    """Size of all files in it."""


def own_target() -> Target:
    """Return what a copy of the running vmtop runs on."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Target(str(sysconfig.get_config_var("SOABI")), version, platform.machine())


def build() -> Bundle:
    """Make the file out of the running vmtop; the same vmtop makes the same file.

    Raises:
        SourceError: A library that it needs has no list of its files, or this vmtop carries its own Python.
    """
    if carries_its_python():
        raise SourceError(
            "vmtop cannot be packed: it is a program that carries its own Python",
            "copy the program there with scp, then: vmtop host add HOST --command PATH",
        )
    if own := os.environ.get(VARIABLE):
        data = Path(own).read_bytes()
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _bundle(data, sum(entry.file_size for entry in archive.infolist()))
    files = dict(sorted({**dict(_own_files()), **dict(_library_files())}.items()))
    key = hashlib.sha256()
    size = 0
    for name, path in files.items():
        content = path.read_bytes()
        size += len(content)
        key.update(f"{name}\0{len(content)}\0".encode() + content)
    return _bundle(_archive(files, f"{UNPACKED}{key.hexdigest()[:16]}"), size)


def _archive(files: dict[str, Path], folder: str) -> bytes:
    target = own_target()
    main = _MAIN.format(abi=target.abi, python=target.python, machine=target.machine, folder=folder, variable=VARIABLE)
    buffer = io.BytesIO()
    buffer.write(b"#!/usr/bin/env python3\n")
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py", _STAMP), main, zipfile.ZIP_DEFLATED)
        for name, path in files.items():
            archive.writestr(zipfile.ZipInfo(name, _STAMP), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _bundle(data: bytes, unpacked_bytes: int) -> Bundle:
    return Bundle(data, hashlib.sha256(data).hexdigest(), unpacked_bytes)


def _root() -> Path:
    """Return the folder that the packages are in."""
    return Path(__file__).resolve().parents[2]


def _own_files() -> Iterator[tuple[str, Path]]:
    for package in _PACKAGES:
        for path in (_root() / package).rglob("*"):
            name = path.relative_to(_root()).as_posix()
            if path.is_file() and not _LEFT_OUT.search(name):
                yield name, path


def _library_files() -> Iterator[tuple[str, Path]]:
    wanted, seen = _requirements(), set[str]()
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            library = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # for another system or another Python
        if library.files is None:
            raise SourceError(f"vmtop cannot be packed: nothing lists the files of {name}", "install vmtop with pip")
        wanted += _names(library.requires or ())
        for file in library.files:
            path = Path(str(library.locate_file(file)))
            if not _LEFT_OUT.search(file.as_posix()) and path.is_file():
                yield file.as_posix(), path


def _requirements() -> list[str]:
    """Return the libraries that vmtop itself names: as installed, or in its project file."""
    try:
        return _names(metadata.requires("vmtop") or ())
    except metadata.PackageNotFoundError:
        project = tomllib.loads((_root() / "pyproject.toml").read_text(encoding="utf-8"))
        return _names(project["project"]["dependencies"])


def _names(requirements: list[str] | tuple[str, ...]) -> list[str]:
    """Return the names in requirements (PEP 508), without those that only an extra needs."""
    plain = (requirement for requirement in requirements if "extra ==" not in requirement)
    return [match[0] for requirement in plain if (match := _NAME.match(requirement.strip()))]
