"""LXC's folders, configuration and sockets, which users may fill with anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.engines.lxc import containers
from collectors.engines.lxc.access import find_log
from collectors.engines.lxc.actions import parse_info
from collectors.engines.lxc.containers import (
    Container,
    configured_folders,
    container_of,
    owner_of,
    parse_config,
    parse_sockets,
    read_config,
)
from collectors.engines.lxc.shell_commands import commands
from collectors.engines.lxc.source import LxcSource
from collectors.model.actions import AfterTimeout, Request, Verb
from collectors.model.errors import AccessDenied, SourceError, WorkloadGone
from collectors.model.workloads import Kind, State, Workload, WorkloadId

SOCKETS = b"""Num       RefCount Protocol Flags    Type St Inode Path
000000002583797c: 00000002 00000000 00010000 0001 01 6679867 @/var/lib/lxc/web/command
00000000d80b914f: 00000002 00000000 00010000 0001 01 6679986 @/var/lib/lxd/containers/shop_app/command
00000000d80b914f: 00000002 00000000 00010000 0001 01 6679986 /run/systemd/notify
00000000d80b914f: 00000002 00000000 00010000 0001 01 6679986 @lxc/ad055575fe28ddd5//var/lib/lxc/command
00000000d80b914f: 00000002 00000000 00010000 0001 01 6679986
"""


def make(folder: Path, name: str, config: str = "lxc.uts.name = x\n") -> Container:
    (folder / name).mkdir(parents=True)
    (folder / name / "config").write_text(config)
    return Container(str(folder), name)


def workload(identity: str) -> Workload:
    return Workload(WorkloadId("lxc", identity), Kind.CONTAINER, "x")


def test_the_containers_that_run_are_those_whose_monitor_listens() -> None:
    assert parse_sockets(SOCKETS) == {
        Container("/var/lib/lxc", "web"),
        Container("/var/lib/lxd/containers", "shop_app"),
    }


@given(st.binary())
def test_no_table_is_a_fault(table: bytes) -> None:
    parse_sockets(b"a @/" + table + b"/command\n" + table)


@given(st.text())
def test_no_configuration_is_a_fault(text: str) -> None:
    parse_config(text)
    parse_info(text)


def test_a_configuration_has_keys_values_quotes_and_comments() -> None:
    text = '# a = b\n\nlxc.uts.name = web\nlxc.net.0.type=empty\nlxc.a = "x = y"\nnonsense\n= none\n'
    assert parse_config(text) == [("lxc.uts.name", "web"), ("lxc.net.0.type", "empty"), ("lxc.a", "x = y")]


def test_an_id_is_the_name_in_the_systems_folder_and_a_path_elsewhere() -> None:
    for container in (Container("/var/lib/lxc", "web"), Container("/home/me/.local/share/lxc", "web")):
        assert container_of(workload(container.id)) == container
    assert Container("/var/lib/lxc", "web").id == "web"


def test_stopped_ones_are_listed_and_what_is_none_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "_LONGEST_SOCKET", 1000)  # wherever the folder of the test is
    folder, proc = tmp_path / "lxc", tmp_path / "proc"
    make(folder, "idle")
    make(folder, "web")
    (folder / "empty").mkdir()
    (folder / "link").symlink_to(folder / "idle")
    (folder / "fifo").mkdir()
    os.mkfifo(folder / "fifo" / "config")
    (proc / "net").mkdir(parents=True)
    (proc / "net" / "unix").write_bytes(SOCKETS.replace(b"/var/lib/lxc/web", str(folder / "web").encode()))
    source = LxcSource(str(folder), str(proc))
    source.open(lambda: None)
    reading = source.read()
    mine = {one.name: one.state for key, one in reading.workloads.items() if key.id.startswith(str(tmp_path))}
    assert mine == {"idle": State.STOPPED, "web": State.UNKNOWN}, "the kernel tells the state of one that runs"
    assert not [one for one in reading.workloads.values() if "shop" in one.name], "LXD's are LXD's"


def test_one_whose_path_is_too_long_for_a_socket_is_not_said_to_be_stopped(tmp_path: Path) -> None:
    name = "x" * 100
    make(tmp_path / "lxc", name)
    source = LxcSource(str(tmp_path / "lxc"), str(tmp_path))
    source.open(lambda: None)
    assert [one.state for one in source.read().workloads.values() if one.name == name] == [State.UNKNOWN]


def test_the_systems_settings_may_name_another_folder(tmp_path: Path) -> None:
    settings = tmp_path / "lxc.conf"
    assert configured_folders(str(settings)) == set()
    settings.write_text("lxc.lxcpath = /srv/lxc/\n")
    assert configured_folders(str(settings)) == {"/srv/lxc"}
    settings.write_text("lxc.lxcpath = relative\n")
    assert configured_folders(str(settings)) == set()


def test_what_is_not_there_is_gone_and_a_link_is_not_followed(tmp_path: Path) -> None:
    with pytest.raises(WorkloadGone):
        owner_of(Container(str(tmp_path), "none"))
    container = make(tmp_path, "web")
    os.rename(container.config, f"{container.config}.real")
    os.symlink("/etc/shadow", container.config)
    with pytest.raises(SourceError, match="not a readable file"):
        read_config(container)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
def test_a_folder_and_a_configuration_of_different_users_are_nobodys(tmp_path: Path) -> None:
    container = make(tmp_path, "web")
    os.chown(container.config, 12345, -1)
    with pytest.raises(AccessDenied, match="different users"):
        read_config(container)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
def test_a_users_configuration_cannot_have_roots_files_shown_as_a_log(tmp_path: Path) -> None:
    container = make(tmp_path / "theirs", "web")
    secret = tmp_path / "secret"
    secret.write_text("root's\n")
    for path in (tmp_path / "theirs", container.config):
        os.chown(path, 12345, -1)
    assert find_log(container, {"lxc.console.logfile": str(secret)}, str(tmp_path)) is None
    os.chown(secret, 12345, -1)
    assert find_log(container, {"lxc.console.logfile": str(secret)}, str(tmp_path)) == str(secret)


def test_the_equivalent_commands_name_the_folder_and_quote_the_name() -> None:
    def of(verb: Verb, identity: str, after: AfterTimeout = AfterTimeout.FORCE) -> tuple[str, ...]:
        return commands(Request(verb, workload(identity), after=after))

    assert of(Verb.START, "web") == ("lxc-start --name=web",)
    assert of(Verb.KILL, "/srv/lxc/a b") == ("lxc-stop --kill '--name=a b' --lxcpath=/srv/lxc",)
    assert of(Verb.STOP, "web", AfterTimeout.LEAVE) == ("lxc-stop --timeout=10 --nokill --name=web",)
    assert of(Verb.RESTART, "web") == ("lxc-stop --timeout=10 --name=web", "lxc-start --name=web")
