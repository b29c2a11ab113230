"""`vmtop run`: the command is as it would be without vmtop, and so is its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from collectors.session.reader import Session
from tests.helpers import junit
from tests.helpers.lab.process import wait_until
from tests.helpers.lab.run_folder import VMTOP, RunFolder, run_folder
from tests.unit.tui.cli.test_main import FLEET_COMMAND
from tui.cli.exit_codes import FAILED, NOT_MEASURABLE, OVER_BUDGET, USAGE

PYTHON = sys.executable


class Runner:
    """Starts vmtop: as root in groups of the test's own, otherwise where the test is."""

    def __init__(self, folder: RunFolder | None) -> None:
        self._folder = folder

    def start(self, *words: str, program: Sequence[str] = (VMTOP,), **options: Any) -> subprocess.Popen[str]:
        argv = [*program, "run", *words]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        if self._folder is not None:
            return self._folder.start(argv, **options)
        return subprocess.Popen(argv, text=True, **options)

    def run(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        child = self.start(*words, **options)
        output, errors = child.communicate(timeout=120)
        assert "Traceback" not in (errors or "")
        return subprocess.CompletedProcess(words, child.returncode, output, errors)


@pytest.fixture
def runner() -> Iterator[Runner]:
    """Start vmtop where its groups are removed; none may be left behind."""
    if os.geteuid() != 0:
        yield Runner(None)
        return
    with run_folder() as folder:
        yield Runner(folder)
        assert folder.left_behind() == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 42"], 42),
        (["sh", "-c", "kill -SEGV $$"], 128 + signal.SIGSEGV),
        (["sh", "-c", "kill -KILL $$"], 128 + signal.SIGKILL),
        (["no-such-command-anywhere"], 127),
        (["/nonexistent/program"], 127),
        (["/etc/passwd"], 126),
        (["/"], 126),
    ],
)
def test_the_exit_code_is_what_a_shell_would_say(words: list[str], code: int, runner: Runner) -> None:
    done = runner.run("--", *words)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr


def test_a_command_that_cannot_be_started_is_one_sentence_with_the_way_out(runner: Runner, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("echo hello\n")
    refused = runner.run("--", str(script))
    assert refused.returncode == 126
    assert refused.stderr == f"vmtop: {script} cannot be executed: permission denied; fix: chmod +x {script}\n"
    script.chmod(0o755)
    assert f"run it as: sh {script}" in runner.run("--", str(script)).stderr
    script.write_text("#!/nonexistent/interpreter\n")
    done = runner.run("--", str(script))
    assert (done.returncode, "interpreter" in done.stderr) == (126, True)
    assert runner.run("--", "no-such").stderr == "vmtop: no-such was not found: no folder of PATH has it\n"


def test_standard_output_is_the_commands_alone_and_the_rest_goes_to_standard_error(runner: Runner) -> None:
    done = runner.run("--", "sh", "-c", "echo out; echo err >&2")
    assert done.stdout == "out\n"
    assert done.stderr.startswith("err\nvmtop: sh -c 'echo out; echo err >&2' ended with exit code 0\n")
    for label in ("duration", "peak memory", "CPU time", "user", "system", "throttled", "OOM kills", "read from disk"):
        assert f"\n  {label} " in done.stderr
    assert runner.run("--quiet", "--", "true").stderr == ""


def test_options_after_the_command_are_its_own(runner: Runner) -> None:
    assert runner.run("echo", "--max", "mem=1").stdout == "--max mem=1\n"
    assert runner.run("--", "echo", "--", "-x").stdout == "-- -x\n"


def test_no_command_is_a_mistake_of_usage(runner: Runner) -> None:
    assert runner.run().returncode == USAGE


@pytest.mark.parametrize(
    "typed", ["mem", "memory=2G", "mem=lots", "seconds=never", "pids=-1", "pids=nan", "cpu_seconds=inf"]
)
def test_a_limit_that_means_nothing_is_refused_before_the_command_runs(typed: str, runner: Runner) -> None:
    done = runner.run("--max", typed, "--", "echo", "ran")
    assert (done.returncode, done.stdout) == (USAGE, "")


def status(runner: Runner, key: str, **options: Any) -> int:
    """Return a mask of signals as the command has it, from /proc."""
    text = runner.run("--quiet", "--", "cat", "/proc/self/status", **options).stdout
    return int(next(line for line in text.splitlines() if line.startswith(f"{key}:")).split()[1], 16)


def bit(number: int) -> int:
    return 1 << (number - 1)


def ignored_here() -> int:
    """Return the mask of signals that this process ignores, and that every program it starts is given so."""
    text = Path("/proc/self/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("SigIgn:")).split()[1], 16)


def test_the_command_has_the_signals_that_vmtop_was_given(runner: Runner) -> None:
    as_nohup = ("env", "--ignore-signal=HUP,CHLD", "--block-signal=USR2", VMTOP)
    given = ignored_here() & ~(bit(signal.SIGPIPE) | bit(signal.SIGXFSZ))  # whoever runs the tests may ignore others
    assert status(runner, "SigIgn") == given, "what Python ignores is the command's again"
    assert status(runner, "SigBlk") == 0
    assert status(runner, "SigIgn", program=as_nohup) == given | bit(signal.SIGHUP) | bit(signal.SIGCHLD)
    assert status(runner, "SigBlk", program=as_nohup) == bit(signal.SIGUSR2)
    done = runner.run("--", "sh", "-c", "exit 3", program=as_nohup)
    assert done.returncode == 3, "where children are not waited for their exit codes would be lost"


def test_a_reader_that_goes_away_ends_the_command_as_in_a_shell(runner: Runner) -> None:
    script = f"{VMTOP} run --quiet -- yes | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("y\n", 128 + signal.SIGPIPE)


def test_the_environment_is_the_one_that_vmtop_was_given(runner: Runner) -> None:
    done = runner.run("--quiet", "--", "/usr/bin/env", program=("env", "-i", "NAME=of mine", VMTOP))
    assert done.stdout == "NAME=of mine\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGQUIT])
def test_a_signal_to_vmtop_alone_reaches_the_command_once(number: signal.Signals, runner: Runner) -> None:
    program = (
        f"import signal, time; seen = []; signal.signal({int(number)}, lambda *_: seen.append(1)); print('ready')\n"
        "while not seen: time.sleep(0.01)\n"
        "time.sleep(0.3); print(len(seen))"
    )
    child = runner.start("--", PYTHON, "-u", "-c", program)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(number)
    output, errors = child.communicate(timeout=60)
    assert (output, child.returncode) == ("1\n", 0), errors


def test_a_command_that_a_signal_ends_still_has_its_report(runner: Runner) -> None:
    child = runner.start("--", "sh", "-c", "echo ready; exec sleep 60")
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.terminate()
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 128 + signal.SIGTERM
    assert "was ended by signal 15 (exit code 143)" in errors
    assert "peak memory" in errors


def test_what_still_runs_is_said_and_ended_when_asked(runner: Runner, tmp_path: Path) -> None:
    script = f"sleep 60 & echo $! >{tmp_path}/pid; exit 3"
    done = runner.run("--", "sh", "-c", script, stdout=subprocess.DEVNULL)
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, signal.SIGKILL)  # it is still there
    assert (done.returncode, "vmtop: 1 process still runs in it\n" in done.stderr) == (3, True), done.stderr
    done = runner.run("--kill-rest", "--", "sh", "-c", script, stdout=subprocess.DEVNULL)
    assert (done.returncode, "vmtop: 1 process was ended\n" in done.stderr) == (3, True), done.stderr
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not is_running(pid), 5, "its end")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_budget_fails_with_a_code_of_its_own_and_says_which(runner: Runner, tmp_path: Path) -> None:
    files = ["--json", str(tmp_path / "run.json"), "--junit", str(tmp_path / "run.xml")]
    hog = [PYTHON, "-c", "held = bytearray(150 << 20)"]
    done = runner.run("--quiet", "--max", "mem=50M", "--max", "seconds=5m", *files, "--", *hog)
    assert done.returncode == OVER_BUDGET
    assert "over budget" in done.stderr
    assert "is more than 50M" in done.stderr
    assert "seconds" not in done.stderr, "only what failed"
    document = json.loads((tmp_path / "run.json").read_text())
    assert document["schema"] == "vmtop.run/1"
    assert document["exit_code"] == 0
    assert [row["outcome"] for row in document["budget"]] == ["failed", "passed"]
    outcomes = [case.outcome for case in junit.cases((tmp_path / "run.xml").read_text())]
    assert outcomes == ["failure", "passed"]
    failed = runner.run("--max", "seconds=0", "--", "sh", "-c", "exit 7")
    assert (failed.returncode, "over budget" in failed.stderr) == (7, True), "the command's own failure comes first"


def test_json_on_standard_output_comes_after_the_commands_own(runner: Runner) -> None:
    done = runner.run("--quiet", "--json", "-", "--", "echo", "hello")
    first, _, document = done.stdout.partition("\n")
    assert first == "hello"
    assert json.loads(document)["usage"]["seconds"]["value"] >= 0


def test_a_file_in_no_folder_is_refused_before_and_one_that_fails_leaves_the_exit_code(
    runner: Runner, tmp_path: Path
) -> None:
    done = runner.run("--json", str(tmp_path / "none" / "run.json"), "--", "echo", "ran")
    assert (done.returncode, done.stdout) == (USAGE, "")
    done = runner.run("--json", "/proc/run.json", "--", "sh", "-c", "exit 9")
    assert (done.returncode, "/proc/run.json cannot be written" in done.stderr) == (9, True)
    assert runner.run("--json", "/proc/run.json", "--", "true").returncode == FAILED


def test_a_session_is_recorded_meanwhile_and_a_fleet_is_no_news(runner: Runner, tmp_path: Path) -> None:
    path = tmp_path / "run.vmtop.gz"
    words = ("--new", "--max", "mem=1K", "--record", str(path), "--interval", "0.2", "--", "sleep", "1")
    done = runner.run(*words, program=FLEET_COMMAND)
    assert done.returncode == NOT_MEASURABLE, "nothing new was seen, so nothing is known"
    assert "no workload was seen that the command started" in done.stderr
    session = Session([path])
    assert session.members[-1].member.is_closed
    session.close()


def test_a_workload_by_its_name_is_followed_and_judged_by_itself(runner: Runner, tmp_path: Path) -> None:
    names = subprocess.run([*FLEET_COMMAND, "list", "--json"], capture_output=True, text=True, timeout=60, check=True)
    rows = json.loads(names.stdout)["workloads"]
    name = next(row["name"] for row in rows if row["kind"] == "container" and row["state"] == "running")
    path = tmp_path / "run.json"
    words = ("--workload", name, "--max", "mem=1K", "--max", "seconds=60", "--json", str(path), "--", "sleep", "1")
    done = runner.run(*words, program=FLEET_COMMAND)
    (followed,) = json.loads(path.read_text())["workloads"]
    assert (followed["name"], followed["is_new"], followed["is_running"]) == (name, False, True)
    assert followed["usage"]["cpu_seconds"]["value"] is not None
    assert done.returncode == OVER_BUDGET, done.stderr
    assert f"over budget: {name}: peak memory" in done.stderr


def test_the_result_is_added_to_the_summary_of_a_job(runner: Runner, tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    program = ("env", f"GITHUB_STEP_SUMMARY={path}", VMTOP)
    done = runner.run("--quiet", "--max", "seconds=0", "--summary", "--", "true", program=program)
    assert done.returncode == OVER_BUDGET
    assert "### vmtop run\n" in path.read_text()
    assert "❌" in path.read_text()
    words = ("--summary", "--", "echo", "ran")
    done = runner.run(*words, program=("env", "-u", "GITHUB_STEP_SUMMARY", VMTOP))
    assert (done.returncode, done.stdout, "GITHUB_STEP_SUMMARY" in done.stderr) == (USAGE, "", True)
    done = runner.run(*words, program=("env", "GITHUB_STEP_SUMMARY=/proc/summary.md", VMTOP))
    assert (done.returncode, done.stdout, "cannot be written" in done.stderr) == (FAILED, "ran\n", True)
