"""`vmtop run` where a real systemd runs: in a scope of its own, unless a limit would be lost or systemd is silent."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.lab.process import wait_until
from tests.helpers.lab.run_folder import VMTOP
from tests.helpers.lab.uml import UmlLab
from tests.helpers.lab.uml_systemd import run_under_systemd

MIB = 1 << 20
PYTHON = "/usr/bin/python3"
HOG = "import time; held = bytearray(300 << 20); time.sleep(0.05)"
ROOT_GROUP = Path("/sys/fs/cgroup")
_LIMITED = (
    "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nMemoryMax=150M\nOOMPolicy=continue\nWorkingDirectory=/run/lab\n"
    f"Environment=HOME=/run/lab\nExecStart={VMTOP} run --json /run/lab/limited.json -- {PYTHON} -c '{HOG}'\n"
)


@pytest.mark.lab
def test_under_a_real_systemd(uml_lab: UmlLab) -> None:
    argv = [sys.executable, "-m", "pytest", "-m", "uml", "-q", "-p", "no:cacheprovider", __file__]
    environment = {"TMPDIR": "/run/lab/tmp", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8", "VMTOP_INSIDE_UML": "1"}
    units = {"limited.service": _LIMITED}
    finished = run_under_systemd(uml_lab.folder / "run-systemd", argv, units, environment, 280)
    assert finished.returncode == 0, finished.stdout
    assert "skipped" not in finished.stdout, finished.stdout


def run(
    tmp_path: Path, *words: str, environment: Mapping[str, str] | None = None
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    path = tmp_path / "run.json"
    argv = ["/usr/bin/env", *(f"{key}={value}" for key, value in (environment or {}).items())]
    argv += [VMTOP, "run", "--json", str(path), *words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    return done, json.loads(path.read_text())


def scopes() -> list[Path]:
    return list(ROOT_GROUP.glob("**/vmtop-run-*"))


@pytest.mark.uml
def test_the_command_is_in_a_scope_that_ends_with_it(tmp_path: Path) -> None:
    done, document = run(tmp_path, "--", PYTHON, "-c", HOG)
    assert done.returncode == 0, done.stderr
    assert ".scope, a scope of systemd" in document["way"]
    assert "/system.slice/vmtop-run-" in document["way"], "next to the service that vmtop was in"
    assert document["notes"] == []
    peak = document["usage"]["mem"]
    assert (300 * MIB <= peak["value"] < 330 * MIB, peak["is_lower_bound"]) == (True, False)
    for key in ("cpu_seconds", "oom_kills", "read", "written"):
        assert document["usage"][key]["value"] is not None, key
    wait_until(lambda: scopes() == [], 20, "the end of the scope")


@pytest.mark.uml
def test_a_run_in_a_run_is_in_what_the_outer_one_measures(tmp_path: Path) -> None:
    inner = [VMTOP, "run", "--", PYTHON, "-c", HOG]
    done, document = run(tmp_path, "--", *inner)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("scope of systemd") == 1, "the inner one stays where the outer one looks"
    assert document["usage"]["mem"]["value"] >= 300 * MIB
    assert document["notes"] == []


@pytest.mark.uml
def test_a_group_that_systemd_has_given_to_vmtop_alone_is_used(tmp_path: Path) -> None:
    words = ["--scope", "--quiet", "-p", "Delegate=yes", VMTOP, "run", "--json", "/run/lab/given.json"]
    done = subprocess.run(["systemd-run", *words, "--", PYTHON, "-c", HOG], capture_output=True, text=True, timeout=120)
    document = json.loads(Path("/run/lab/given.json").read_text())
    assert "vmtop-run" not in document["way"].rpartition("/")[0], done.stderr
    assert document["usage"]["mem"]["value"] >= 300 * MIB
    assert document["notes"] == []


@pytest.mark.uml
def test_what_is_left_runs_on_in_the_scope(tmp_path: Path) -> None:
    script = f"exec >/dev/null 2>&1; sleep 60 & echo $! >{tmp_path}/pid; exit 3"
    done, document = run(tmp_path, "--", "sh", "-c", script)
    assert (done.returncode, document["rest"]) == (3, 1), done.stderr
    pid = int((tmp_path / "pid").read_text())
    assert ".scope" in Path(f"/proc/{pid}/cgroup").read_text()
    subprocess.run(["kill", "-9", str(pid)], check=True)
    wait_until(lambda: scopes() == [], 20, "the end of the scope")


@pytest.mark.uml
def test_a_bus_that_is_not_there_is_said_once_and_a_group_is_made_without_it(tmp_path: Path) -> None:
    nowhere = {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere"}
    done, document = run(tmp_path, "--", "true", environment=nowhere)
    assert (done.returncode, document["is_group"]) == (0, True), done.stderr
    (note,) = [note for note in document["notes"] if "scope" in note]
    assert note.startswith("not in a scope of systemd: systemd's D-Bus is not present")
    assert done.stderr.count("scope") == 1
    assert scopes() == []


@pytest.mark.uml
def test_a_service_with_a_limit_keeps_it(tmp_path: Path) -> None:
    """A scope next to it would have none."""
    subprocess.run(["systemctl", "start", "limited.service"], check=False, timeout=120)
    document = json.loads(Path("/run/lab/limited.json").read_text())
    assert any("the memory limit of /system.slice/limited.service would not hold" in note for note in document["notes"])
    assert document["exit_code"] == 128 + 9, "it was killed at the limit"
    assert document["usage"]["oom_kills"]["value"] == 1
    assert "/system.slice/limited.service/vmtop-run-" in document["way"]
