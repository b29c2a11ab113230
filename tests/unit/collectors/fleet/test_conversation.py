"""Questions to another host and what can be wrong with the answers. A script stands for the SSH client."""

from __future__ import annotations

import json
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.fleet import conversation
from collectors.fleet.conversation import Conversation
from collectors.fleet.hosts import HostSpec
from collectors.fleet.questions import Answer as Reply
from collectors.fleet.questions import Ask, error_of, inert, problem_of, value_of
from collectors.fleet.remote_log import RemoteLog
from collectors.model.actions import Look, Observed
from collectors.model.details import Details
from collectors.model.errors import AccessDenied, SourceAbsent, SourceDown, SourceError, WorkloadGone
from collectors.model.workloads import Kind, State, Workload, WorkloadId

WEB = Workload(WorkloadId("docker", "a" * 64), Kind.CONTAINER, "web", State.RUNNING)
HOST = HostSpec("hv01", "hv01")
GREETING = 'say({"schema": "vmtop.answer/1", "wall": time.time() + AHEAD})'
SCRIPT = f"""#!{sys.executable}
import json, sys, time
AHEAD = 0
def say(document):
    print(json.dumps(document), flush=True)
"""


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "ssh"


def play(ssh: Path, body: str) -> Conversation:
    ssh.write_text(SCRIPT + body)
    ssh.chmod(0o755)
    return Conversation(HOST)


ANSWERING = f"""
print("Welcome to hv01\\x1b[2J")
{GREETING}
for line in sys.stdin:
    question = json.loads(line)
    say({{"n": question["n"] + 1000, "value": "for nobody"}})
    say({{"n": question["n"], "value": ["web", "running", "run-1", "\\x1b[31m"]}})
"""


def test_answers_find_those_who_asked_and_are_inert(ssh: Path) -> None:
    talk = play(ssh, ANSWERING)
    seen: list[Observed] = []
    threads = [
        threading.Thread(target=lambda: seen.append(talk.ask(Observed, Ask.OBSERVE, workload=WEB))) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    talk.close()
    assert len(seen) == 5
    assert seen[0][:3] == ("web", State.RUNNING, "run-1")
    assert "\x1b" not in seen[0].detail


def test_one_that_left_when_it_had_nothing_to_do_is_started_again(ssh: Path) -> None:
    talk = play(ssh, ANSWERING + "    break\n")
    for _ in range(3):
        assert talk.ask(Observed, Ask.OBSERVE, workload=WEB).name == "web"
    talk.close()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (f"{GREETING}\nsys.stdin.readline()\nprint('rubbish', flush=True)\ntime.sleep(9)", "no answer of vmtop"),
        ("while True: print('flood' * 100)", "no answer of vmtop"),
        (f"{GREETING}\nsys.stdin.readline()\nsay([[[]]])\ntime.sleep(9)", "no answer of vmtop"),
        (f"{GREETING}\nsys.stdin.readline()\nsay({{'n': 1, 'value': ['x']}})\ntime.sleep(9)", "of another form"),
        (f"{GREETING}\nsys.stdin.readline()\nsay({{'n': 1}})\ntime.sleep(9)", "gave no answer"),
        ("sys.exit('ssh: connect to host hv01 port 22: Connection refused\\n')", "hv01"),
        (f"{GREETING}\nsys.stdin.readline()\nsys.exit(7)", "hv01"),
        (f"{GREETING}\nsys.stdin.readline()\nsys.exit(0)", "left"),
    ],
)
def test_a_host_that_answers_with_something_else_is_one_sentence(ssh: Path, body: str, words: str) -> None:
    talk = play(ssh, body)
    with pytest.raises(SourceError, match=words):
        talk.ask(Observed, Ask.OBSERVE, workload=WEB)
    talk.close()


def test_a_host_that_says_nothing_is_given_up(ssh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "_LOGIN_S", 0.5)
    talk = play(ssh, "time.sleep(60)")
    with pytest.raises(SourceDown, match="answered"):
        talk.ask(Observed, Ask.OBSERVE, timeout_s=1, workload=WEB)


def test_lines_of_a_log_have_the_times_of_this_hosts_clock(ssh: Path) -> None:
    body = (
        GREETING.replace("AHEAD", "7200")
        + """
for line in sys.stdin:
    question = json.loads(line)
    at = time.time() + 7200
    line = [[1, 2], at, False, f"asked {question.get('wall', 0) - at:.0f}"]
    say({"n": question["n"], "value": "the engine" if question["ask"] == "log open" else [line]})
"""
    )
    play(ssh, body)
    log = RemoteLog(HOST, WEB)
    (line,) = log.last(5)
    assert log.title == "hv01: the engine"
    assert line.at == pytest.approx(time.time(), abs=60)
    (asked,) = log.until(time.time(), 5)
    assert asked.text in ("asked 0", "asked -0", "asked -1")
    log.close()


@pytest.mark.parametrize("error", [WorkloadGone("x"), AccessDenied("x", "y"), SourceAbsent("x"), SourceDown("x")])
def test_errors_arrive_as_they_were_raised(error: SourceError) -> None:
    there = error_of(problem_of(error))
    assert (type(there), there.reason, there.remedy) == (type(error), error.reason, error.remedy)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.sampled_from([Observed, Look, Details, list[str]]))
def test_any_value_is_the_asked_for_type_or_an_error(value: object, kind: type[object]) -> None:
    assert "\x1b" not in json.dumps(inert(value), ensure_ascii=False)
    with suppress(SourceError):
        value_of(Reply(1, inert(value)), kind)
