"""The command that is shown and logged can mean no other workload than the one that vmtop acts on."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.actions.confirmation import equivalent
from collectors.engines.connections import EngineConnections
from collectors.engines.docker import shell_commands as docker
from collectors.engines.libvirt import shell_commands as libvirt
from collectors.model.actions import AfterTimeout, Request, Verb
from collectors.model.workloads import Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.unit.collectors.actions.test_actions import container, domain, service

UUID = domain().id.id


@pytest.mark.parametrize(
    "name",
    [
        "5", "007", "+5", "-1", " 5", "5 ", "0x5", "--all", "-", "a b", "a;b", "ä", "web…", "",
        "11111111-2222-3333-4444-555555555555", "abcdefab-2222-3333-4444-555555555555", "A" * 32, "abcd-" * 8,
    ],
)  # fmt: skip
def test_a_domain_is_called_by_its_uuid_where_virsh_could_take_its_name_for_another(name: str) -> None:
    assert libvirt.argument(domain(name)) == UUID


@pytest.mark.parametrize("name", ["db", "_db", "db.example.org", "win10+sp1", "a@b", "deadbeef", "fedora-39"])
def test_a_domain_with_a_plain_name_is_called_by_it(name: str) -> None:
    assert libvirt.argument(domain(name)) == name


@given(st.text())
def test_no_name_of_a_domain_is_a_number_an_option_or_a_uuid_to_virsh(name: str) -> None:
    said = libvirt.argument(domain(name))
    assert said == UUID or re.fullmatch(r"[A-Za-z_][^\s'\"$`\\;&|<>()]*", said)


def test_a_container_is_called_by_its_name_unless_that_is_somebody_elses_id() -> None:
    assert docker.argument(container("web")) == "web"
    assert docker.argument(container("12345")) == "12345"
    assert docker.argument(container("a" * 64, number=3)) == f"{3:064x}"
    assert docker.argument(container("-rm", number=3)) == f"{3:064x}"
    assert docker.argument(msgspec.structs.replace(container("abc", number=3), name_is_known=False)) == f"{3:064x}"


def test_a_unit_that_begins_like_an_option_is_none() -> None:
    request = Request(Verb.STOP, service("-x.service"))
    first, second = equivalent(request)
    assert first == "systemctl stop -- -x.service"
    assert second.startswith("systemctl kill --signal=SIGKILL -- -x.service")


@pytest.mark.parametrize("verb", list(Verb))
@pytest.mark.parametrize("after", list(AfterTimeout))
def test_by_id_no_command_has_the_name(verb: Verb, after: AfterTimeout) -> None:
    for workload in (container("zebra", number=9), domain("zebra")):
        lines = equivalent(Request(verb, workload, after=after, by_id=True))
        assert lines
        assert all(workload.id.id in line and "zebra" not in line for line in lines)


DOCKER, LIBVIRT = SourceSpec("docker", {"url": None}), SourceSpec("libvirt", {"uri": None})
HERE = "unix:///tmp/d.sock"


@pytest.mark.parametrize(
    ("specs", "environ", "needs_id"),
    [
        ([DOCKER], {}, False),
        ([DOCKER], {"DOCKER_HOST": HERE}, False),
        ([SourceSpec("docker", {"url": HERE})], {"DOCKER_HOST": HERE}, False),
        ([SourceSpec("docker", {"url": HERE})], {}, True),
        ([SourceSpec("docker", {"url": HERE})], {"DOCKER_HOST": "tcp://x"}, True),
        ([DOCKER, DOCKER], {}, True),
        ([SourceSpec("demo")], {}, False),
    ],
)
def test_a_container_is_called_by_its_id_where_the_docker_command_may_ask_another_engine(
    specs: list[SourceSpec], environ: dict[str, str], needs_id: bool
) -> None:
    assert EngineConnections(specs, environ, True).needs_id(container()) is needs_id


def test_what_is_elsewhere_or_podmans_is_called_by_its_id() -> None:
    reach = EngineConnections([DOCKER], {}, True)
    assert reach.needs_id(container(endpoint="far:2376"))
    assert reach.needs_id(msgspec.structs.replace(container(), id=WorkloadId("podman", "a" * 64)))


SYSTEM, SESSION = "qemu:///system", "qemu:///session"


@pytest.mark.parametrize(
    ("uri", "environ", "is_root", "needs_id"),
    [
        (None, {}, True, False),
        (None, {}, False, True),
        (SYSTEM, {}, True, False),
        (SYSTEM, {}, False, True),
        (SYSTEM, {"LIBVIRT_DEFAULT_URI": SYSTEM}, False, False),
        (None, {"LIBVIRT_DEFAULT_URI": SESSION}, False, False),
        (SYSTEM, {"LIBVIRT_DEFAULT_URI": SESSION}, True, True),
        (None, {"VIRSH_DEFAULT_CONNECT_URI": SESSION}, True, True),
        ("qemu+ssh://far/system", {}, True, True),
    ],
)
def test_a_domain_is_called_by_its_uuid_where_virsh_may_ask_another_libvirt(
    uri: str | None, environ: dict[str, str], is_root: bool, needs_id: bool
) -> None:
    assert EngineConnections([SourceSpec("libvirt", {"uri": uri})], environ, is_root).needs_id(domain()) is needs_id


def test_of_two_libvirts_none_is_the_one_that_virsh_asks() -> None:
    assert EngineConnections([LIBVIRT, LIBVIRT], {}, True).needs_id(domain())


FAR = "qemu+unix:///system?socket=/x/l.sock&mode=direct"


@pytest.mark.parametrize(
    ("source", "environ", "workload", "command"),
    [
        (SourceSpec("docker", {"url": HERE}), {}, container("web"), f"docker -H {HERE} pause "),
        (DOCKER, {"DOCKER_HOST": HERE}, container("web"), f"docker -H {HERE} pause "),
        (DOCKER, {}, container("web"), "docker pause "),
        (SourceSpec("docker", {"url": "unix:///var/run/docker.sock"}), {}, container("web"), "docker pause "),
        (SourceSpec("docker", {"url": "unix:///a b"}), {}, container("web"), "docker -H 'unix:///a b' pause "),
        (SourceSpec("libvirt", {"uri": FAR}), {}, domain("db"), f"virsh -c '{FAR}' suspend "),
        (LIBVIRT, {"LIBVIRT_DEFAULT_URI": SESSION}, domain("db"), f"virsh -c {SESSION} suspend "),
        (LIBVIRT, {"VIRSH_DEFAULT_CONNECT_URI": SESSION}, domain("db"), f"virsh -c {SYSTEM} suspend "),
        (LIBVIRT, {}, domain("db"), "virsh suspend "),
        (SourceSpec("demo"), {}, container("web"), "docker pause "),
    ],
)
def test_the_command_names_the_engine_unless_it_is_the_default_one(
    source: SourceSpec, environ: dict[str, str], workload: Workload, command: str
) -> None:
    address = EngineConnections([source], environ, True).command_address(workload)
    assert all(line.startswith(command) for line in equivalent(Request(Verb.PAUSE, workload, address=address)))


def test_virsh_of_a_user_who_is_not_root_is_given_the_system_connection() -> None:
    assert EngineConnections([LIBVIRT], {}, False).command_address(domain()) == SYSTEM


def test_of_two_engines_the_address_is_that_of_the_workloads_host() -> None:
    reach = EngineConnections([DOCKER, SourceSpec("docker", {"url": "ssh://root@far"})], {}, True)
    assert reach.command_address(container(endpoint="far")) == "ssh://root@far"
    assert reach.command_address(container()) == "", "its id names it"


def test_the_forced_second_command_and_podmans_name_the_engine_too() -> None:
    first, second = equivalent(Request(Verb.STOP, domain("db"), after=AfterTimeout.FORCE, address=SESSION))
    assert first.startswith(f"virsh -c {SESSION} shutdown")
    assert second.startswith(f"virsh -c {SESSION} destroy")
    podman = msgspec.structs.replace(container("web"), id=WorkloadId("podman", "a" * 64))
    assert equivalent(Request(Verb.KILL, podman, address=HERE)) == (f"podman --url {HERE} kill web",)
