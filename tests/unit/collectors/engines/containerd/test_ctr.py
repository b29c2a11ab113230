"""What ctr is called with, and what it answers."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.engines.containerd.ctr import Task, commands, namespace_of, parse_tasks
from collectors.model.actions import AfterTimeout, Request, Verb
from collectors.model.workloads import Kind, State, Workload, WorkloadId

ID = "a" * 64
WEB = Workload(WorkloadId("containerd", ID), Kind.CONTAINER, "web; rm -rf /", cgroup=f"/default/{ID}")


def test_tasks_are_read_from_ctrs_table() -> None:
    table = f"TASK    PID      STATUS    \n{ID}    18442    RUNNING\nweb    18443    PAUSED\nold    0    STOPPED\n"
    assert parse_tasks(table) == {
        ID: Task(18442, State.RUNNING),
        "web": Task(18443, State.PAUSED),
        "old": Task(0, State.STOPPED),
    }


@given(st.text(max_size=200))
def test_any_table_is_read(text: str) -> None:
    assert all(task.pid >= 0 for task in parse_tasks(text).values())


@pytest.mark.parametrize(
    ("verb", "words"),
    [("pause", "task pause"), ("resume", "task resume"), ("kill", "task kill --signal SIGKILL")],
)
def test_the_command_names_the_namespace_and_the_id_only(verb: str, words: str) -> None:
    (command,) = commands(Request(Verb(verb), WEB))
    assert shlex.split(command) == ["ctr", "--namespace", "default", *words.split(), ID]


def test_a_stop_that_may_force_has_two_commands() -> None:
    first, second = commands(Request(Verb.STOP, WEB, timeout_s=3))
    assert "--signal SIGTERM" in first
    assert second.endswith("# after 3 s")
    assert len(commands(Request(Verb.STOP, WEB, after=AfterTimeout.LEAVE))) == 1


@pytest.mark.parametrize(
    ("cgroup", "namespace"),
    [(f"/k8s.io/{ID}", "k8s.io"), (f"/default/{ID}", "default"), (f"/system.slice/nerdctl-{ID}.scope", "default")],
)
def test_the_namespace_is_the_folder_of_the_cgroup(cgroup: str, namespace: str) -> None:
    assert namespace_of(Workload(WEB.id, Kind.CONTAINER, "x", cgroup=cgroup)) == namespace
