"""The shim of a container, and what only calls itself one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collectors.kernel.oci.shim import Shim, shim_of

COMMAND = "/usr/bin/containerd-shim-runc-v2 -namespace default -id abc -address /run/containerd/containerd.sock"
NEEDS_ROOT = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root's processes are believed, and only root can give them away"
)


def host(folder: Path, command: str, space: str = "pid:[1]") -> str:
    for pid, parent in ((10, 1), (20, 10)):
        (folder / str(pid) / "ns").mkdir(parents=True)
        (folder / str(pid) / "stat").write_text(f"{pid} (x) S {parent} " + "0 " * 48)
    (folder / "10" / "cmdline").write_text(command.replace(" ", "\0") + "\0")
    (folder / "self" / "ns").mkdir(parents=True)
    for process, pids in (("self", "pid:[1]"), ("10", space)):
        (folder / process / "ns" / "pid").symlink_to(pids)
        (folder / process / "ns" / "user").symlink_to("user:[1]")
    return str(folder)


@NEEDS_ROOT
def test_a_shim_says_where_its_containerd_is(tmp_path: Path) -> None:
    assert shim_of(host(tmp_path, COMMAND), 20) == Shim("default", "/run/containerd/containerd.sock")


@NEEDS_ROOT
@pytest.mark.parametrize(
    ("command", "space", "owner"),
    [
        (COMMAND, "pid:[2]", 0),
        (COMMAND, "pid:[1]", 4711),
        ("/bin/sh -namespace a -address b", "pid:[1]", 0),
        ("", "pid:[1]", 0),
    ],
)
def test_what_only_calls_itself_a_shim_is_not_believed(tmp_path: Path, command: str, space: str, owner: int) -> None:
    proc = host(tmp_path, command, space)
    os.chown(tmp_path / "10", owner, 0)
    assert shim_of(proc, 20) is None


@NEEDS_ROOT
def test_a_shim_without_an_address_is_none(tmp_path: Path) -> None:
    assert shim_of(host(tmp_path, "containerd-shim -namespace a"), 20) is None
