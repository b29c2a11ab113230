"""What this host and the login session get from a control group: tunnels, file systems, the way back to the user."""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from collectors.actions.confirmation import besides, must_be_typed
from collectors.actions.dependents import DependentsFinder
from collectors.actions.nested_workloads import network_users
from collectors.actions.protection import Protection
from collectors.kernel.dependence import Mount, Served, Session, mounts, served_by, session
from collectors.model.actions import Dependents, Observed, Request, Verb
from collectors.model.workloads import State, Unmeasured, Workload
from tests.unit.collectors.actions.test_actions import container, domain, service

_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
MOUNTINFO = """\
25 1 254:0 / / rw - ext4 /dev/vda rw
40 25 0:40 / /srv/a\\040b rw - fuse.rclone remote: rw,user_id=0
41 25 0:41 / /srv/nfs rw - nfs4 10.0.0.9:/export rw,vers=4.2,clientaddr=10.0.0.1,addr=10.0.0.9
42 25 0:42 / /srv/smb rw - cifs //10.0.0.8/x rw,addr=10.0.0.8
43 25 0:43 / /sys/fs/fuse/connections rw - fusectl none rw
"""


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A procfs and a cgroup tree with process 7 in `/app.service/worker`, which holds a tunnel and serves /srv/a b."""
    proc = write(
        tmp_path / "proc",
        {
            "self/mountinfo": MOUNTINFO,
            "self/environ": "HOME=/root\0",
            "9/environ": "SHELL=/bin/sh\0SSH_CONNECTION=10.8.0.6 5000 10.8.0.1 22\0",
            "7/cmdline": "rclone\0mount\0remote:\0/srv/a b\0",
            "7/fdinfo/5": "pos:\t0\nflags:\t02\niff:\ttun0\n",
            "7/fdinfo/6": "pos:\t0\n",
        },
    )
    (proc / "7" / "fd").mkdir()
    for number, target in (("3", "/dev/null"), ("5", "/dev/net/tun"), ("6", "/dev/fuse")):
        (proc / "7" / "fd" / number).symlink_to(target)
    write(tmp_path / "cgroup", {"cgroup.controllers": "cpu\n", "cgroup.procs": "1\n", "app.service/cgroup.procs": ""})
    write(tmp_path / "cgroup", {"app.service/worker/cgroup.procs": "7\n8\n", "app.service2/cgroup.procs": "7\n"})
    return tmp_path


def test_mounts_that_another_process_serves_are_found_with_their_server(host: Path) -> None:
    assert mounts(host / "proc") == (
        Mount("/srv/a b", True),
        Mount("/srv/nfs", False, "10.0.0.9"),
        Mount("/srv/smb", False, "10.0.0.8"),
    )


def test_tunnels_and_file_systems_of_a_group_are_those_of_all_processes_below_it(host: Path) -> None:
    mounted, root = mounts(host / "proc"), str(host / "cgroup")
    served = Served(frozenset({"tun0"}), ("/srv/a b",))
    assert served_by("/app.service", host / "proc", mounted, root) == served
    assert served_by("/app.service/worker", host / "proc", mounted, root) == served
    assert served_by("/other.service", host / "proc", mounted, root) == Served()


def test_the_session_is_that_of_an_ancestor_when_sudo_removed_the_variable(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = {"tun0": ["10.8.0.1"], "eth0": ["192.0.2.1"]}
    interfaces = {name: [SimpleNamespace(address=value) for value in values] for name, values in addresses.items()}
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: interfaces)
    assert session(host / "proc", ("self", "9", "12")) == Session(frozenset({"10.8.0.6"}), frozenset({"tun0"}))
    assert session(host / "proc", ("self",)) == Session()


def finder(proc: Path, clients: set[str], interfaces: set[str] = frozenset()) -> DependentsFinder:  # type: ignore[assignment]
    return DependentsFinder(proc, lambda _proc: Session(frozenset(clients), frozenset(interfaces)))


@pytest.mark.parametrize("workload", [container(), domain()], ids=["container", "vm"])
def test_what_the_session_comes_from_is_protected_and_what_serves_a_mount_has_to_be_typed(
    host: Path, workload: Workload
) -> None:
    seen = Observed("x", State.RUNNING, addresses=frozenset({"10.0.0.9"}))
    served = finder(host / "proc", {"10.0.0.77"}).find(workload, seen)
    assert served == Dependents("", ("/srv/nfs",))
    assert Protection().reason(workload, seen, (), served) == ""
    for verb in (Verb.STOP, Verb.RESTART, Verb.PAUSE, Verb.KILL):
        request = Request(verb, workload, seen=seen, dependents=served)
        assert must_be_typed(request), verb
        assert "serves file systems mounted on this host, which will hang: /srv/nfs." in " ".join(besides(request))
    assert not must_be_typed(Request(Verb.RESUME, workload, seen=seen, dependents=served))
    carried = finder(host / "proc", {"10.0.0.9"}).find(workload, seen)
    assert "login session comes from its address 10.0.0.9" in Protection().reason(workload, seen, (), carried)
    assert Protection((workload.name,)).reason(workload, seen, (), carried) == "", "the configuration allows it"


def test_a_remote_workload_has_no_dependents_here(host: Path) -> None:
    remote = container(endpoint="ssh://other")
    assert (
        finder(host / "proc", {"10.0.0.9"}).find(
            remote, Observed("x", State.RUNNING, addresses=frozenset({"10.0.0.9"}))
        )
        == Dependents()
    )


def test_a_service_in_which_others_run_is_protected_and_a_container_has_to_be_typed() -> None:
    inner = container(name="inner", cgroup="/app.service/inner")
    assert "container inner run inside it" in Protection().reason(service("app.service"), None, (inner,))
    assert Protection().reason(service("app.service")) == ""
    assert Protection().reason(container(), None, (inner,)) == ""
    assert must_be_typed(Request(Verb.STOP, container(), nested=(inner,)))
    assert not must_be_typed(Request(Verb.STOP, container()))


def test_a_unit_that_takes_an_essential_one_with_it_is_protected() -> None:
    seen = Observed("base.service", State.RUNNING, dependents=("web.service", "ssh.service"))
    assert Protection().reason(service("base.service"), seen) == "ssh.service would stop or restart with it"
    assert Protection().reason(service("base.service"), seen._replace(dependents=("web.service",))) == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="making a tunnel needs root")
def test_a_real_tunnel_is_found_at_the_process_that_holds_it() -> None:
    name = f"vmt{os.getpid()}"[:15]
    with open("/dev/net/tun", "r+b", buffering=0) as tunnel:
        fcntl.ioctl(tunnel, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
        own_group = next(line.rpartition(":")[2] for line in Path("/proc/self/cgroup").read_text().splitlines() if line)
        assert name in served_by(own_group, Path("/proc"), ()).interfaces
    assert name not in served_by(own_group, Path("/proc"), ()).interfaces


def test_who_loses_the_network_has_it_typed_and_listed() -> None:
    owner = container(name="gateway", number=7)
    note = Unmeasured("network", "shared network", owner.id.id)
    user = container(name="behind", number=8, unmeasured=(note,))
    stopped = container(name="stopped", state=State.STOPPED, number=9, unmeasured=(note,))
    elsewhere = container(name="elsewhere", number=10, unmeasured=(note,), endpoint="ssh://other")
    assert network_users(owner, [owner, user, stopped, elsewhere]) == ("behind",)
    assert network_users(user, [owner, user]) == ()
    request = Request(Verb.STOP, owner, dependents=Dependents(network_users=("behind",)))
    assert must_be_typed(request)
    assert "These use its network and lose it: behind." in besides(request)
    assert not must_be_typed(Request(Verb.PAUSE, owner, dependents=Dependents(network_users=("behind",))))
