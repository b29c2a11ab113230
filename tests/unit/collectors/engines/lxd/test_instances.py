"""What the API of LXD and Incus says, as workloads and events; it may say anything."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.engines.lxd.details import describe
from collectors.engines.lxd.events import to_event
from collectors.engines.lxd.instances import addresses_of, cpu_count, limits_sample, parse_size, to_workload
from collectors.engines.lxd.logs import PolledLog
from collectors.engines.lxd.shell_commands import commands
from collectors.kernel.vmm.qemu import read_qemu
from collectors.model.actions import AfterTimeout, Request, Verb
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tests.helpers.vmm_commands import COMMANDS

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
KEYS = ("name", "project", "type", "status", "expanded_config", "state", "snapshots", "expanded_devices", "profiles")
MACHINE: dict[str, Any] = {
    "name": "db",
    "project": "shop",
    "type": "virtual-machine",
    "status": "Running",
    "description": "the \x1b[31mdatabase",
    "expanded_config": {
        "image.description": "Debian bookworm amd64",
        "limits.cpu": "0-3",
        "limits.memory": "2GiB",
        "user.role": "db",
        "user.user-data": "#cloud-config\npassword: x",
        "environment.API_TOKEN": "hidden",
    },
    "state": {
        "network": {
            "eth0": {
                "addresses": [
                    {"address": "fd42::2", "scope": "global", "family": "inet6"},
                    {"address": "10.0.3.7", "scope": "global", "family": "inet"},
                    {"address": "fe80::1", "scope": "link", "family": "inet6"},
                ]
            },
            "lo": {"addresses": [{"address": "127.0.0.1", "scope": "local"}]},
        }
    },
}


def test_a_machine_of_incus_is_a_vm_with_its_facts() -> None:
    workload = to_workload(MACHINE, "incus")
    assert workload is not None
    assert workload.id == WorkloadId("incus", "shop/db")
    assert (workload.kind, workload.name, workload.state) == (Kind.VM, "db", State.RUNNING)
    assert (workload.project, workload.image) == ("shop", "Debian bookworm amd64")
    assert workload.addresses == ("10.0.3.7", "fd42::2")
    assert workload.labels == (("role", "db"),), "cloud-init's documents are not labels"
    assert "\x1b" not in (workload.description or "")
    sample = limits_sample(MACHINE, 7)
    assert sample is not None
    assert (sample.vcpus, sample.memory_maximum_bytes) == (4, 2 << 30)


@pytest.mark.parametrize("name", ["Incus", "LXD snap"])
def test_a_machine_of_the_api_is_the_one_that_its_process_is(name: str) -> None:
    command = COMMANDS[name]
    facts = read_qemu(command.words)
    assert facts is not None
    project, _, instance = (facts.id or "").rpartition("/")
    workload = to_workload({"name": instance, "project": project, "type": "virtual-machine"}, facts.engine)
    assert workload is not None
    assert workload.id == WorkloadId(command.engine, command.id)


def test_the_default_project_is_no_group_and_an_error_is_a_reason() -> None:
    workload = to_workload({"name": "web", "project": "default", "status": "Error", "type": "container"}, "lxd")
    assert workload is not None
    assert (workload.id.id, workload.project) == ("default/web", None)
    assert (workload.kind, workload.state, workload.state_reason) == (Kind.CONTAINER, State.UNKNOWN, "Error")
    assert limits_sample({"type": "container"}, 7) is None


@pytest.mark.parametrize("name", ["", "a/b", "-x", "a b", "x" * 64, None, 7, "../up"])
def test_an_entry_without_a_valid_name_is_no_workload(name: object) -> None:
    assert to_workload({"name": name}, "lxd") is None


@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING) | st.dictionaries(st.text(), ANYTHING))
def test_no_answer_is_a_fault(instance: dict[str, Any]) -> None:
    workload = to_workload(instance, "lxd")
    assert workload is None or workload.name.isprintable()
    limits_sample(instance, 1)
    for table in describe(instance):
        assert all(isinstance(fact.value, str | int | float | None) for fact in table.facts)


def test_the_page_masks_what_looks_like_a_secret() -> None:
    assert "hidden" not in str(describe(MACHINE))


@given(ANYTHING)
def test_addresses_of_anything(network: object) -> None:
    assert isinstance(addresses_of(network if isinstance(network, dict) else {}), list)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("2GiB", 2 << 30),
        ("500MB", 500_000_000),
        ("1024", 1024),
        ("64kB", 64_000),
        ("50%", None),
        ("", None),
        ("x", None),
    ],
)
def test_sizes(written: str, size: int | None) -> None:
    assert parse_size(written) == size


@pytest.mark.parametrize(
    ("written", "cpus"), [("4", 4), ("0-2,5", 4), ("0", None), ("3-1", None), ("", None), ("a", None), ("1,2", 2)]
)
def test_cpus(written: str, cpus: int | None) -> None:
    assert cpu_count(written) == cpus


def test_an_event_names_the_instance_with_its_project() -> None:
    message = {
        "type": "lifecycle",
        "timestamp": "2026-11-28T21:56:35.79264377Z",
        "metadata": {"action": "instance-restarted", "source": "/1.0/instances/app?project=engp"},
        "project": "engp",
    }
    event = to_event(message, "lxd")
    assert event is not None
    assert (event.workload, event.what, event.name) == (WorkloadId("lxd", "engp/app"), "restart", "app")
    assert event.wall == pytest.approx(1795902995.79, abs=0.1)
    noise = {"metadata": {"action": "instance-exec", "source": "/1.0/instances/app"}}
    assert to_event(noise, "lxd") is None


@given(ANYTHING)
def test_no_message_is_a_fault(message: object) -> None:
    to_event(message, "lxd")
    to_event({"metadata": message, "timestamp": message, "project": message}, "lxd")


def texts(log: PolledLog) -> list[tuple[int, str]]:
    return [(line.position, line.text) for line in log.last(100)]


def test_lines_keep_their_numbers_while_a_log_grows_and_its_beginning_is_dropped() -> None:
    third = b"c" * 80
    readings = [b"a\nb\n", b"a\nb\n" + third + b"\nhalf", third + b"\nhalf done\nd\n", b"all new\n"]
    log = PolledLog("console", lambda: readings.pop(0))
    assert texts(log) == [(0, "a"), (1, "b")]
    assert texts(log) == [(0, "a"), (1, "b"), (2, third.decode())]
    assert texts(log) == [(2, third.decode()), (3, "half done"), (4, "d")]
    assert texts(log) == [(5, "all new")]


def request(verb: Verb, identity: str, engine: str = "lxd", **options: Any) -> Request:
    return Request(verb, Workload(WorkloadId(engine, identity), Kind.CONTAINER, "x"), **options)


def test_the_equivalent_commands_name_project_and_instance() -> None:
    assert commands(request(Verb.PAUSE, "default/web")) == ("lxc pause web",)
    assert commands(request(Verb.RESUME, "shop/web", "incus")) == ("incus start --project shop web",)
    assert commands(request(Verb.STOP, "shop/web", after=AfterTimeout.LEAVE)) == (
        "lxc stop --timeout 10 --project shop web",
    )
    assert commands(request(Verb.RESTART, "default/web"))[1] == "lxc restart --force web  # after 10 s"
