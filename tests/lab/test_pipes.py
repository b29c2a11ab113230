"""What the screen shows of one workload, on the command line: logs, processes, shells and descriptions, and lists."""

from __future__ import annotations

import json
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import wait_until
from tests.helpers.pty_terminal import Terminal
from tui.cli.exit_codes import DONE, FAILED, NO_SUCH

pytestmark = pytest.mark.lab
VMTOP = str(Path(sys.executable).with_name("vmtop"))
HOSTILE = r"printf 'evil \033]0;title\007\033[31m red\n'; "


@pytest.fixture(scope="module")
def talkers(docker_lab: DockerLab) -> Iterator[DockerLab]:
    """Two containers that have written something, one of them hostile, and go on."""
    first = docker_lab.run(
        "pipe-one", f"{HOSTILE} for i in 1 2 3; do echo one $i; sleep 0.1; done; while :; do sleep 0.3; echo more; done"
    )
    second = docker_lab.run("pipe-two", "for i in 1 2 3; do echo two $i; sleep 0.1; done; sleep 1000")
    wait_until(lambda: b"two 3" in docker_lab.client.logs(second), 30, "its lines")
    wait_until(lambda: b"more" in docker_lab.client.logs(first), 30, "its lines")
    yield docker_lab
    docker_lab.remove(first)
    docker_lab.remove(second)


def run(lab: DockerLab, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command on the lab's engine."""
    argv = [VMTOP, words[0], "--docker", lab.url, *words[1:]]
    return subprocess.run(argv, capture_output=True, text=True, input=stdin, timeout=90)


def test_logs_print_everything_and_nothing_that_acts_on_a_terminal(talkers: DockerLab) -> None:
    done = run(talkers, "logs", "pipe-one")
    assert (done.returncode, done.stderr) == (DONE, "")
    assert "one 1\none 2\none 3\n" in done.stdout
    assert "evil" in done.stdout
    assert not {"\x1b", "\x07"} & set(done.stdout)


def test_logs_of_several_are_merged_by_time_and_named(talkers: DockerLab) -> None:
    lines = run(talkers, "logs", "pipe-one", "pipe-two", "--tail", "500").stdout.splitlines()
    assert "pipe-two | two 3" in lines
    assert lines.index("pipe-one | one 1") < lines.index("pipe-two | two 3")


def test_logs_can_be_limited_by_number_and_time(talkers: DockerLab) -> None:
    assert run(talkers, "logs", "pipe-two", "--tail", "2").stdout == "two 2\ntwo 3\n"
    assert run(talkers, "logs", "pipe-two", "--since", "1ms").stdout == ""
    assert run(talkers, "logs", "pipe-two", "--since", "1h").stdout.splitlines()[0] == "two 1"
    stamped = run(talkers, "logs", "-t", "pipe-two", "--tail", "1").stdout
    assert stamped[:4].isdecimal()
    assert stamped.endswith("Z two 3\n")


def test_followed_logs_come_line_by_line_and_end_with_their_reader(talkers: DockerLab) -> None:
    argv = [VMTOP, "logs", "--docker", talkers.url, "pipe-one", "-f", "--tail", "0"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "more\n"
    process.stdout.close()
    assert process.wait(60) == DONE
    assert process.stderr.read() == ""


def test_top_shows_the_processes_and_their_rates(talkers: DockerLab) -> None:
    busy = talkers.run_busy("pipe-busy", 0.2)
    head, row, *_ = [line.split() for line in run(talkers, "top", "pipe-busy").stdout.splitlines()]
    assert head[0] == "PID"
    assert float(row[head.index("S") + 1]) > 1, "the column after it, CPU%"
    tree = run(talkers, "top", "pipe-one", "--tree").stdout
    assert "sleep" in tree
    talkers.remove(busy)


def test_exec_runs_a_command_with_its_own_exit_code_and_streams(talkers: DockerLab) -> None:
    done = run(talkers, "exec", "pipe-two", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")
    refused = run(talkers, "exec", "pipe-two")
    assert refused.returncode == 2
    assert "needs a terminal" in refused.stderr


def test_exec_opens_the_shell_in_a_terminal_and_gives_it_back(talkers: DockerLab) -> None:
    with closing(Terminal([VMTOP, "exec", "--docker", talkers.url, "pipe-two"])) as terminal:
        terminal.wait_for(lambda: b"Ctrl-] comes back" in terminal.received, 60, "the console")
        terminal.press("echo $((6 * 7))x\r")
        terminal.wait_for(lambda: b"42x" in terminal.received, 30, "the answer")
        terminal.press("exit 3\r")
        assert terminal.wait_exit(30) == DONE
        assert b"the shell ended with exit code 3" in terminal.received
        now = termios.tcgetattr(terminal.fd)
        assert now[:4] == terminal.settings[:4]


def test_exec_in_a_terminal_has_the_exit_code_of_its_command(talkers: DockerLab) -> None:
    with closing(
        Terminal([VMTOP, "exec", "--docker", talkers.url, "pipe-two", "--", "sh", "-c", "exit 9"])
    ) as terminal:
        assert terminal.wait_exit(60) == 9


def test_inspect_is_the_description_of_the_engine_as_it_is(talkers: DockerLab) -> None:
    assert json.loads(run(talkers, "inspect", "pipe-two").stdout)["Name"] == "/pipe-two"
    (document,) = json.loads(run(talkers, "inspect", "--json", "pipe-two").stdout)["documents"]
    assert document["name"] == "pipe-two"


@pytest.mark.parametrize("command", ["logs", "top", "inspect"])
def test_an_unknown_name_has_the_exit_code_of_one_and_a_suggestion(talkers: DockerLab, command: str) -> None:
    done = run(talkers, command, "pipe-twoo")
    assert done.returncode == NO_SUCH
    assert done.stdout == ""
    assert "did you mean container:pipe-two?" in done.stderr
    assert "nothing was done" not in done.stderr.lower()


def test_a_virtual_machine_has_a_console_log_a_description_and_no_commands(
    docker_lab: DockerLab, libvirt_lab: LibvirtLab, linux_guests: Sequence[str]
) -> None:
    name = f"vm:{linux_guests[0]}"
    places = ("--libvirt", libvirt_lab.uri)
    assert "READY" in run(docker_lab, "logs", *places, name).stdout
    assert run(docker_lab, "inspect", *places, name).stdout.startswith("<domain")
    done = run(docker_lab, "exec", *places, name, "--", "ls")
    assert done.returncode == FAILED
    assert "runs no commands" in done.stderr
    assert "qemu" in run(docker_lab, "top", *places, name).stdout


def test_a_list_measures_for_the_time_that_was_asked_for(
    docker_lab: DockerLab, libvirt_lab: LibvirtLab, linux_guests: Sequence[str]
) -> None:
    busy = docker_lab.run_busy("pipe-quota", 0.25)
    tiny = libvirt_lab.start_tiny("pipe-tiny", BootSector.IDLE)
    time.sleep(1)
    done = run(docker_lab, "list", "--libvirt", libvirt_lab.uri, "--json", "--over", "2s", "pipe-quota", *linux_guests)
    document = json.loads(done.stdout)
    rows = {row["name"]: row["metrics"] for row in document["workloads"]}
    assert set(rows) == {"pipe-quota", *linux_guests}
    assert document["rates_over_seconds"] >= 1.8
    assert 0 < rows["pipe-quota"]["cpu_percent"] < 31, "its quota is 25 %"
    assert rows["pipe-quota"]["cpu_throttled_percent"] is not None
    assert all(rows[name]["vcpu_percent"] is not None for name in linux_guests), "libvirt was read twice"
    libvirt_lab.connection.lookupByName(tiny).destroy()
    docker_lab.remove(busy)


def test_of_a_virtual_machine_the_share_of_its_limit_is_what_the_guest_uses(
    libvirt_lab: LibvirtLab, docker_lab: DockerLab, linux_guests: Sequence[str]
) -> None:
    document = json.loads(
        run(docker_lab, "list", "--libvirt", libvirt_lab.uri, "--json", *linux_guests, "--over", "3s").stdout
    )
    for row in document["workloads"]:
        metrics = row["metrics"]
        if metrics["memory_inside_bytes"] is None:
            assert metrics["memory_of_limit_percent"] is None
            assert "balloon" in row["reasons"]["memory_of_limit_percent"]
            continue
        assert 0 < metrics["memory_of_limit_percent"] <= 100
        overhead = metrics["memory_overhead_bytes"]
        assert overhead is None or 0 <= overhead < metrics["memory_host_bytes"]
