"""What a broken, refusing or lying end of an action on another host means. A shell script stands for the SSH client."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from collectors.actions.confirmation import equivalent, words_elsewhere
from collectors.actions.log import ActionLog
from collectors.actions.runner import Action, Runner
from collectors.fleet import remote_actions
from collectors.fleet.access import HostAccess
from collectors.fleet.hosts import HostSpec
from collectors.model.actions import Observed, Request, Result, Verb
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tests.helpers.lab.process import wait_until

ID = "a" * 64
WEB = Workload(WorkloadId("docker", ID, "hv01"), Kind.CONTAINER, "web", State.RUNNING)
SEEN = Observed("web", State.RUNNING, "run-1")


def line(**fields: object) -> str:
    return json.dumps({"schema": "vmtop.action/1", **fields})


DONE = line(result="done", sentence="web was stopped", remedy="", seconds=1.5)
ASKED = line(phase="asked")


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the place of the script that is found as `ssh`."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "ssh"


def play(ssh: Path, body: str) -> None:
    ssh.write_text(f'#!/bin/sh\necho "$@" >>{ssh.parent}/calls\ncase "$*" in *answer*) exit 255;; esac\n{body}\n')
    ssh.chmod(0o755)


def act(verb: Verb = Verb.PAUSE, log: ActionLog | None = None, seen: Observed | None = SEEN) -> Action:
    access = HostAccess(HostSpec("hv01", "admin@hv01", "vmtop"))
    runner = Runner(access.actions, log or ActionLog(), "tester")
    action = runner.submit(Request(verb, WEB, 0.5, seen=seen, address="ssh admin@hv01"))
    wait_until(lambda: action.outcome is not None or action.phase == "outcome unknown", 20, "the outcome")
    return action


def test_what_the_host_found_out_is_the_outcome_and_its_name_is_said(ssh: Path) -> None:
    play(ssh, f"echo 'welcome to hv01'; echo '{ASKED}'; echo '{DONE}'")
    log = ActionLog()
    action = act(log=log)
    assert action.outcome is not None
    assert (action.outcome.result, action.outcome.sentence) == (Result.DONE, "hv01: web was stopped")
    assert [(entry.host, entry.command) for entry in log.recent(9)] == [("hv01", "ssh admin@hv01 docker pause web")]


def test_the_full_id_and_the_run_that_was_confirmed_are_asked_for(ssh: Path) -> None:
    play(ssh, f"echo '{DONE}'")
    act(Verb.STOP)
    (call,) = (ssh.parent / "calls").read_text().splitlines()
    options = "--host local --json --yes --timeout 0.5 --then force --if-epoch=run-1"
    assert call.endswith(f"-- admin@hv01 vmtop stop {options} -- container:{ID}")


@pytest.mark.parametrize(
    ("body", "result", "words"),
    [
        (
            "echo 'ssh: connect to host hv01 port 22: Connection refused' >&2; exit 255",
            Result.FAILED,
            "nothing listens",
        ),
        ("echo 'admin@hv01: Permission denied (publickey).' >&2; exit 255", Result.DENIED, "accepts no key"),
        ("echo 'sh: vmtop: not found' >&2; exit 127", Result.FAILED, "has no vmtop"),
        ("echo 'vmtop: x: no such workload; nothing was done' >&2; exit 3", Result.GONE, "is gone: nothing was done"),
        ("echo 'vmtop: config.toml line 3: x is unknown' >&2; exit 1", Result.FAILED, "not done: config.toml line 3"),
        ("echo 'vmtop: web could be a, b: specify one of them' >&2; exit 3", Result.FAILED, "could be a, b"),
        ("echo 'vmtop: not done: config.toml says read_only = true' >&2; exit 5", Result.REFUSED, "read_only"),
        ("echo 'Error: No such option: --if-epoch' >&2; exit 2", Result.FAILED, "No such option"),
        (f"echo '{line(result='refused', sentence='web is protected: x')}'; exit 5", Result.REFUSED, "is protected"),
    ],
)
def test_where_it_is_certain_nothing_was_done(ssh: Path, body: str, result: Result, words: str) -> None:
    play(ssh, body)
    outcome = act().outcome
    assert outcome is not None
    assert outcome.result is result
    assert words in outcome.sentence


@pytest.mark.parametrize(
    "body",
    [
        f"echo '{ASKED}'; exit 255",
        "echo 'client_loop: send disconnect: Broken pipe' >&2; exit 255",
        f"echo '{ASKED}'; exit 1",
        f"echo '{ASKED}'; exit 3",
        f"echo '{ASKED}'; kill -9 $$",
        f"echo '{line(result='a lie', sentence='x')}'; exit 7",
    ],
)
def test_an_end_in_between_is_unknown_and_never_a_failure(ssh: Path, body: str) -> None:
    play(ssh, body)
    action = act()
    assert action.outcome is None
    assert action.phase == "outcome unknown"


def test_a_host_that_never_ends_is_given_up_and_the_outcome_is_unknown(
    ssh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_actions, "_GRACE_S", 0.5)
    play(ssh, "sleep 60")
    assert act().phase == "outcome unknown"


def test_with_nothing_to_compare_with_it_stays_unknown(ssh: Path) -> None:
    play(ssh, f"echo '{ASKED}'; exit 255")
    outcome = act(Verb.START, seen=None).outcome
    assert outcome is not None
    assert outcome.result is Result.UNKNOWN


def test_without_a_client_nothing_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("collectors.engines.child_process._SYSTEM_PATH", str(tmp_path))
    outcome = act().outcome
    assert outcome is not None
    assert outcome.result is Result.FAILED
    assert "there is no ssh on this host" in outcome.sentence


def test_what_the_host_says_cannot_steer_the_terminal(ssh: Path) -> None:
    evil = line(result="failed", sentence="web \x1b[2J\x07", remedy="\x9b31m")
    play(ssh, f"cat <<'END'\n{evil}\nEND\nexit 1")
    outcome = act().outcome
    assert outcome is not None
    assert "\x1b" not in outcome.sentence
    assert "\x9b" not in outcome.remedy


def test_a_command_over_there_is_one_word_where_it_has_to_be() -> None:
    odd = Workload(WorkloadId("systemd", "/system.slice/a;b.service", "hv01"), Kind.SERVICE, "a;b.service")
    shown, later = equivalent(Request(Verb.STOP, odd, address="ssh hv01"))
    assert shlex.split(shown) == ["ssh", "hv01", "systemctl stop 'a;b.service'"]
    assert later.endswith("  # after 10 s")
    assert words_elsewhere(Request(Verb.KILL, WEB))[-2:] == ["--", f"container:{ID}"]
    box = Workload(WorkloadId("lxc", "web", "hv01"), Kind.CONTAINER, "web", State.RUNNING)
    assert words_elsewhere(Request(Verb.KILL, box))[-1] == "lxc:web"
