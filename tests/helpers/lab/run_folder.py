"""Control groups of a test's own, in which it runs vmtop: vmtop makes its groups below the one that it is in."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from collectors.kernel.cgroup.hierarchy import Hierarchy, detect
from tests.helpers.lab.process import LabUnavailable
from tests.helpers.patience import PATIENCE

VMTOP = str(Path(sys.executable).with_name("vmtop"))
_TREES = ("unified", "memory", "cpu", "cpuacct", "blkio", "pids")
_ENTER = 'for group in $GROUPS_OF_TEST; do echo $$ >"$group/cgroup.procs"; done; unset GROUPS_OF_TEST; exec "$@"'


class RunFolder:
    """A group `job` in every tree, below a folder of the test's own."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.is_v2 = "memory" not in hierarchy.mounts
        self.folders = [
            Path(root) / f"vmtop-test-runs-{os.getpid()}"
            for root in dict.fromkeys(hierarchy.mounts[key] for key in _TREES if key in hierarchy.mounts)
        ]
        self.by_tree = {key: Path(root) / self.folders[0].name for key, root in hierarchy.mounts.items()}
        for folder in self.folders:
            folder.mkdir()
            if self.is_v2:
                with contextlib.suppress(OSError):
                    (folder / "cgroup.subtree_control").write_text("+cpu +memory +io +pids")
            (folder / "job").mkdir()

    def job(self, controller: str) -> Path:
        """Return the directory of `job` in the tree of a controller."""
        return self.by_tree["unified" if self.is_v2 else controller] / "job"

    def limit_memory(self, size: int) -> None:
        """Limit the memory of `job`, swap included."""
        folder = self.job("memory")
        (folder / ("memory.max" if self.is_v2 else "memory.limit_in_bytes")).write_text(str(size))
        for name, text in (("memory.swap.max", "0"), ("memory.memsw.limit_in_bytes", str(size))):
            with contextlib.suppress(OSError):
                (folder / name).write_text(text) if (folder / name).exists() else None

    def limit_cpu(self, cores: float) -> None:
        """Give `job` a CPU quota, in periods of 20 ms."""
        folder, quota = self.job("cpu"), int(cores * 20_000)
        if self.is_v2:
            (folder / "cpu.max").write_text(f"{quota} 20000")
        else:
            (folder / "cpu.cfs_period_us").write_text("20000")
            (folder / "cpu.cfs_quota_us").write_text(str(quota))

    def start(
        self, argv: Sequence[str], environment: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        """Start a program in `job`."""
        groups = " ".join(str(folder / "job") for folder in self.folders)
        variables = {**os.environ, **(environment or {}), "GROUPS_OF_TEST": groups}
        return subprocess.Popen(["sh", "-c", _ENTER, "sh", *argv], env=variables, text=True, **options)

    def run(
        self, *words: str, environment: Mapping[str, str] | None = None
    ) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
        """Run `vmtop run` in `job`, and return how it ended, and its document; empty if it wrote none."""
        path = Path(os.environ.get("VMTOP_LAB_ROOT", "/tmp")) / f"run-{os.getpid()}-{time.monotonic_ns()}.json"  # noqa: S108
        argv = [VMTOP, "run", "--json", str(path), *words]
        child = self.start(argv, environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        output, errors = child.communicate(timeout=120)
        try:
            document = json.loads(path.read_text()) if path.exists() else {}
        finally:
            path.unlink(missing_ok=True)
        return subprocess.CompletedProcess(argv, child.returncode, output, errors), document

    def left_behind(self) -> list[Path]:
        """Return the groups that vmtop made and did not remove."""
        return [path for folder in self.folders for path in folder.glob("**/vmtop-run-*")]

    def close(self) -> None:
        """End what runs in the groups and remove them."""
        deadline = time.monotonic() + PATIENCE * 10
        for folder in self.folders:
            while folder.exists() and time.monotonic() < deadline:
                for group in sorted(folder.glob("**/"), reverse=True):
                    for pid in (group / "cgroup.procs").read_text().split():
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(int(pid), 9)
                    with contextlib.suppress(OSError):
                        group.rmdir()


@contextlib.contextmanager
def run_folder() -> Iterator[RunFolder]:
    """Make the groups, and remove them afterwards; needs root."""
    if os.geteuid() != 0:
        raise LabUnavailable("making control groups needs root")
    folder = RunFolder(detect())
    try:
        yield folder
    finally:
        folder.close()
