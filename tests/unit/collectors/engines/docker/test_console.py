"""Which process of a container is hung up when its shell is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.engines.docker.console import _pid_inside

CONTAINER = "ab" * 32


@pytest.mark.parametrize(
    ("group", "pids", "inside"),
    [
        (f"0::/system.slice/docker-{CONTAINER}.scope\n", "4711\t23", 23),
        (f"4:memory:/docker/{CONTAINER}\n", "4711", 4711),
        (f"4:memory:/docker/{'cd' * 32}\n", "4711\t23", None),
    ],
)
def test_only_a_process_of_the_container_is_found_by_its_own_number(
    tmp_path: Path, group: str, pids: str, inside: int | None
) -> None:
    folder = tmp_path / "4711"
    folder.mkdir()
    (folder / "cgroup").write_text(group)
    (folder / "status").write_text(f"Name:\tsh\nNSpid:\t{pids}\nThreads:\t1\n")
    assert _pid_inside(CONTAINER, 4711, str(tmp_path)) == inside


def test_a_process_of_another_host_is_not_looked_for(tmp_path: Path) -> None:
    assert _pid_inside(CONTAINER, 4711, str(tmp_path)) is None
    assert _pid_inside(CONTAINER, None, str(tmp_path)) is None
