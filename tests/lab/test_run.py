"""`vmtop run` with real hogs, in real groups of v1, of pure v2, and of systemd."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.outsider import Outsider
from tests.helpers.lab.process import wait_until
from tests.helpers.lab.run_folder import VMTOP, RunFolder, run_folder
from tests.helpers.lab.uml import UmlLab
from tui.cli.exit_codes import OVER_BUDGET, UNKNOWN

MIB = 1 << 20
PYTHON = "/usr/bin/python3"
HOG = "import time; held = bytearray(300 << 20); time.sleep(0.05)"
REST = "exec >/dev/null 2>&1; sleep 60 & sleep 60 & exit 3"
BURNER = "import time\nwhile time.process_time() < 1.0: pass"


@pytest.fixture
def folder() -> Iterator[RunFolder]:
    """Groups of this test's own, removed afterwards; nothing of vmtop's is left in them."""
    with skip_or_fail(), run_folder() as folder:
        yield folder
        assert folder.left_behind() == []


def on_both(uml: bool) -> pytest.MarkDecorator:
    return pytest.mark.uml if uml else pytest.mark.lab


def check_short_hog(folder: RunFolder) -> None:
    done, document = folder.run("--max", "mem=200M", "--", PYTHON, "-c", HOG)
    assert done.returncode == OVER_BUDGET, done.stderr
    peak = document["usage"]["mem"]
    assert 300 * MIB <= peak["value"] < 330 * MIB
    assert not peak["is_lower_bound"]
    assert ("memory.peak" if folder.is_v2 else "memory.max_usage_in_bytes") in peak["how"]
    assert "over budget" in done.stderr
    assert "peak memory" in done.stderr


def check_burner(folder: RunFolder) -> None:
    done, document = folder.run("--max", "cpu_seconds=0.5", "--", PYTHON, "-c", BURNER)
    assert done.returncode == OVER_BUDGET, done.stderr
    usage = document["usage"]
    assert usage["cpu_seconds"]["value"] == pytest.approx(1.0, abs=0.3)
    assert usage["user_seconds"]["value"] + usage["system_seconds"]["value"] == pytest.approx(
        usage["cpu_seconds"]["value"], abs=0.1
    )


def check_throttled(folder: RunFolder) -> None:
    folder.limit_cpu(0.5)
    done, document = folder.run("--max", "throttled_percent=5", "--", PYTHON, "-c", BURNER)
    assert done.returncode == OVER_BUDGET, done.stderr
    usage = document["usage"]
    # In user-mode Linux the clock of the scheduler stands still between ticks, longer than a throttled period lasts.
    assert usage["throttled_seconds"]["value"] > 0 or folder.is_v2
    assert usage["throttled_percent"]["value"] > 5
    assert folder.folders[0].name in usage["throttled_seconds"]["how"], "the group that has the quota is named"


def check_oom(folder: RunFolder) -> None:
    folder.limit_memory(100 * MIB)
    done, document = folder.run("--max", "oom_kills=0", "--", "sh", "-c", f"{PYTHON} -c '{HOG}'; exit 0")
    assert document["usage"]["oom_kills"]["value"] == 1, "the limit on vmtop's own group holds for the command"
    assert done.returncode == OVER_BUDGET, done.stderr
    assert document["usage"]["mem"]["value"] <= 100 * MIB


def check_rest(folder: RunFolder) -> None:
    done, document = folder.run("--", "sh", "-c", REST)
    assert (done.returncode, document["rest"], document["rest_ended"]) == (3, 2, False)
    assert "2 processes still run in it" in done.stderr
    tree = folder.job("memory")
    wait_until(lambda: len((tree / "cgroup.procs").read_text().split()) == 2, 5, "both are in vmtop's group again")
    done, document = folder.run("--kill-rest", "--", "sh", "-c", REST)
    assert (done.returncode, document["rest"], document["rest_ended"]) == (3, 2, True)


def check_killed(folder: RunFolder) -> None:
    """What a vmtop that was killed left behind is removed by the next one.

    With a neighbour, as in a shell's group: one that held vmtop alone ends with it.
    """
    neighbour = folder.start(["sleep", "60"])
    wait_until(lambda: bool((folder.job("memory") / "cgroup.procs").read_text()), 5, "the neighbour")
    child = folder.start([VMTOP, "run", "--", "sleep", "30"], stderr=subprocess.DEVNULL)
    wait_until(lambda: bool(folder.left_behind()), 20, "its group")
    wait_until(lambda: any("sleep" in _commands(path) for path in folder.left_behind()), 20, "the command")
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    for path in folder.left_behind():
        for pid in (path / "cgroup.procs").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
    wait_until(lambda: all(not (path / "cgroup.procs").read_text() for path in folder.left_behind()), 5, "its end")
    assert folder.left_behind() != []
    done, _ = folder.run("--", "true")
    assert done.returncode == 0
    neighbour.kill()
    neighbour.wait()


def _commands(group: Path) -> str:
    pids = (group / "cgroup.procs").read_text().split()
    return " ".join(Path(f"/proc/{pid}/cmdline").read_text() for pid in pids if Path(f"/proc/{pid}").exists())


CHECKS = (check_short_hog, check_burner, check_throttled, check_oom, check_rest, check_killed)


@pytest.mark.lab
@pytest.mark.parametrize("check", CHECKS)
def test_on_this_machine(check: object, folder: RunFolder) -> None:
    check(folder)  # type: ignore[operator]


@pytest.mark.lab
def test_inside_a_kernel_with_pure_v2(uml_lab: UmlLab) -> None:
    argv = [sys.executable, "-m", "pytest", "-m", "uml", "-q", "-p", "no:cacheprovider", __file__]
    finished = uml_lab.run(argv, timeout_s=280)
    assert finished.returncode == 0, finished.stdout
    assert "skipped" not in finished.stdout, finished.stdout


@pytest.mark.uml
@pytest.mark.parametrize("check", CHECKS)
def test_on_pure_v2(check: object, folder: RunFolder) -> None:
    before = (folder.job("memory") / "cgroup.subtree_control").read_text()
    check(folder)  # type: ignore[operator]
    assert (folder.job("memory") / "cgroup.subtree_control").read_text() == before == ""


@pytest.mark.uml
def test_other_processes_in_its_group_are_left_where_they_are_and_memory_is_sampled(folder: RunFolder) -> None:
    neighbour = folder.start(["sleep", "60"])
    wait_until(lambda: bool((folder.job("memory") / "cgroup.procs").read_text()), 5, "the neighbour")
    done, document = folder.run("--", PYTHON, "-c", HOG.replace("0.05", "1"))
    assert done.returncode == 0, done.stderr
    assert document["is_group"], "the group still tells whose CPU time it is"
    assert any("1 other process" in note for note in document["notes"]), document["notes"]
    assert document["usage"]["mem"]["is_lower_bound"]
    assert document["usage"]["mem"]["value"] > 290 * MIB
    assert document["usage"]["cpu_seconds"]["how"].startswith("cpu.stat")
    assert (folder.job("memory") / "cgroup.procs").read_text().split() == [str(neighbour.pid)]
    neighbour.kill()
    neighbour.wait()


@pytest.mark.lab
def test_a_container_that_the_command_starts_is_followed(docker_lab: DockerLab) -> None:
    with skip_or_fail(), run_folder() as folder:
        name = f"run-new-{os.getpid()}"
        script = (
            "import sys, time, docker; client = docker.DockerClient(sys.argv[1]);"
            "client.api.start(sys.argv[2]); time.sleep(3)"
        )
        old = docker_lab.run(name, "dd if=/dev/zero of=/dev/null bs=64M count=20; sleep 1000")
        docker_lab.client.stop(old, timeout=0)
        done, document = folder.run(
            *("--new", "--docker", docker_lab.url, "--max", "mem=10M", "--", sys.executable, "-c", script),
            *(docker_lab.url, name),
        )
        docker_lab.remove(old)
        (followed,) = (followed for followed in document["workloads"] if followed["name"] == name)
        assert (followed["is_new"], followed["is_running"]) == (True, True)
        assert followed["usage"]["mem"]["value"] > 60 * MIB
        assert followed["usage"]["cpu_seconds"]["value"] > 0
        assert done.returncode == OVER_BUDGET, done.stderr
        assert folder.left_behind() == []


@pytest.mark.lab
def test_a_container_that_is_removed_before_the_end_is_still_measured(docker_lab: DockerLab) -> None:
    with skip_or_fail(), run_folder() as folder:
        name = f"run-brief-{os.getpid()}"
        script = (
            "import sys, docker; client = docker.DockerClient(sys.argv[1], timeout=120);"
            "words = ['sh', '-c', 'dd if=/dev/zero of=/dev/null bs=64M count=20; sleep 2'];"
            "client.containers.run('busybox:lab', words, name=sys.argv[2], remove=True)"
        )
        words = ("--new", "--docker", docker_lab.url, "--", sys.executable, "-c", script, docker_lab.url, name)
        done, document = folder.run(*words)
        assert done.returncode == 0, done.stderr
        (followed,) = (followed for followed in document["workloads"] if followed["name"] == name)
        assert (followed["is_new"], followed["is_running"]) == (True, False)
        assert followed["usage"]["mem"]["value"] > 60 * MIB


@pytest.mark.lab
def test_a_machine_that_starts_meanwhile_is_followed(libvirt_lab: LibvirtLab, tmp_path: Path) -> None:
    with skip_or_fail(), run_folder() as folder:
        begun, flag, path = (tmp_path / name for name in ("begun", "flag", "run.json"))
        script = f"touch {begun}; while [ ! -e {flag} ]; do sleep 0.1; done; sleep 3"
        words = ["run", "--new", "--libvirt", libvirt_lab.uri, "--json", str(path), "--", "sh", "-c", script]
        child = folder.start([VMTOP, *words], stderr=subprocess.PIPE)
        wait_until(begun.exists, 60, "the command")
        name = libvirt_lab.start_tiny("run", BootSector.BUSY)
        flag.touch()
        _, errors = child.communicate(timeout=120)
        libvirt_lab.remove(name)
        assert child.returncode == 0, errors
        found = [one for one in json.loads(path.read_text())["workloads"] if one["name"] == name]
        assert len(found) == 1, found
        (followed,) = found
        assert (followed["kind"], followed["is_new"], followed["is_running"]) == ("vm", True, True)
        assert followed["usage"]["cpu_seconds"]["value"] > 0.5
        assert followed["usage"]["mem"]["value"] > MIB


@pytest.mark.lab
def test_where_nothing_new_was_seen_its_budget_is_unknown(docker_lab: DockerLab) -> None:
    with skip_or_fail(), run_folder() as folder:
        name = f"run-before-{os.getpid()}"
        running = docker_lab.run(name, "sleep 1000")
        done, document = folder.run("--new", "--docker", docker_lab.url, "--max", "mem=10M", "--", "true")
        docker_lab.remove(running)
    names = [followed["name"] for followed in document["workloads"]]
    assert name not in names, "what ran before is not the command's"
    assert done.returncode == UNKNOWN or names, done.stderr  # other tests start containers on this machine, too


@pytest.mark.lab
def test_a_user_without_any_right_is_measured_by_the_process_tree_and_told_so(lab_root: Path) -> None:
    lab_root.chmod(0o755)
    outsider = Outsider(lab_root)
    done = outsider.run("run", "--json", "-", "--quiet", "--", PYTHON, "-c", HOG.replace("0.05", "1"))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["is_group"], "process tree" in document["way"]) == (False, True)
    assert any("no control group could be made" in note for note in document["notes"])
    peak = document["usage"]["mem"]
    assert (peak["value"] > 290 * MIB, peak["is_lower_bound"]) == (True, True)
    assert document["usage"]["oom_kills"]["value"] is None
    script = "exec >/dev/null 2>&1; sleep 60 & sleep 0.5; exit 3"
    done = outsider.run("run", "--kill-rest", "--", "sh", "-c", script)
    assert (done.returncode, "1 process was ended" in done.stderr) == (3, True), done.stderr
