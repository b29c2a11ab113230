"""Real network namespaces: traffic that passes several interfaces counts once, at the edge."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from collectors.kernel import procfs
from collectors.kernel.cgroup.networks import roles_of_process
from collectors.kernel.details import KernelDetails
from collectors.model.workloads import Sample
from tests.helpers.checkout import ROOT
from tests.helpers.lab.network import namespace
from tests.helpers.lab.process import require_root, wait_until
from tests.helpers.lab.uml import UmlLab
from tests.helpers.patience import EXTERNAL_S
from tests.unit.collectors.kernel.cgroup.test_source import ID, LiveGroups, find, opened

PACKETS, LENGTH = 100, 1000
ETHERNET_UDP = 42
"""Bytes of headers on a packet of an interface that carries frames."""
SEND = (
    "import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
    f"for _ in range({PACKETS}): s.sendto(b'x' * {LENGTH}, (sys.argv[1], 4999))"
)
VPN = """
import fcntl, os, socket, struct
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH", b"tun0", 0x1001))  # TUNSETIFF, IFF_TUN | IFF_NO_PI
os.system("ip address add 10.213.2.1/24 dev tun0 && ip link set tun0 up")
carrier = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    carrier.sendto(os.read(tun, 4096), ("10.213.0.1", 4999))
"""
GUEST = """
while ! ip link show eth0 >/dev/null 2>&1; do sleep 0.1; done
ip link add podman0 type bridge
unshare --net sleep 1000 & inner=$!
sleep 0.5
ip link add veth1 type veth peer name eth0 netns $inner
ip link set veth1 master podman0
ip link add cali1 type veth peer name eth1 netns $inner
ip tuntap add tun0 mode tun
"$1" -c '
from collectors.kernel.devices import Interfaces
print(*sorted(name.decode() for name, role in (Interfaces().roles() or {}).items() if role == "edge"))'
kill $inner
"""
KINDS = """
for name in dummy bonding macvlan 8021q vrf vxlan ipip sit ip_gre veth; do modprobe -d /run/modules $name; done
mkdir -p /run/netns; ip netns add own
ip link add parent type dummy
ip link add mv0 link parent netns own type macvlan mode bridge
ip link add link parent name vlan5 type vlan id 5
ip link set vlan5 netns own
ip link add outside type veth peer name eth0 netns own
ip -n own link add bond0 type bond
ip -n own link set eth0 master bond0
ip -n own link add link mv0 name mv0.7 type vlan id 7
ip -n own link add vx0 type vxlan id 4 dev mv0 dstport 4789
ip -n own link add gre9 type gre local 192.0.2.1 remote 192.0.2.2
ip -n own link add vrf9 type vrf table 10
ip -n own link add dummy9 type dummy
exec ip netns exec own sleep 1000
"""


@pytest.fixture(autouse=True)
def _as_root() -> None:
    require_root()


def ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


def traffic_of(inside: str, name: str) -> tuple[int, int]:
    """Return the bytes that an interface received and sent, by the kernel's other interface."""
    (link,) = json.loads(ip("-n", inside, "-s", "-j", "link", "show", name))
    return link["stats64"]["rx"]["bytes"], link["stats64"]["tx"]["bytes"]


def send(inside: str, address: str) -> None:
    subprocess.run(["ip", "netns", "exec", inside, sys.executable, "-c", SEND, address], check=True)


@pytest.fixture
def live() -> Iterator[LiveGroups]:
    """A cgroup on this host, removed afterwards."""
    groups = LiveGroups(f"vmtop-networks-{os.getpid()}")
    try:
        yield groups
    finally:
        groups.close()


@pytest.fixture
def outer(live: LiveGroups) -> Iterator[str]:
    """A container with a VPN, and with a bridge to a container inside; its group is `ID`."""
    with ExitStack() as stack:
        outer, inner = (stack.enter_context(namespace(purpose)) for purpose in ("outer", "inner"))
        on_host = f"vh{os.getpid()}"
        ip("link", "add", on_host, "type", "veth", "peer", "name", "eth0", "netns", outer)
        ip("address", "add", "10.213.0.1/24", "dev", on_host)
        ip("link", "set", on_host, "up")
        ip("-n", outer, "link", "add", "br0", "type", "bridge")
        ip("-n", outer, "link", "add", "v0", "type", "veth", "peer", "name", "eth0", "netns", inner)
        ip("-n", outer, "link", "set", "v0", "master", "br0", "up")
        for inside, name, address in (
            (outer, "eth0", "10.213.0.2"),
            (outer, "br0", "10.213.1.1"),
            (inner, "eth0", "10.213.1.2"),
        ):
            ip("-n", inside, "address", "add", f"{address}/24", "dev", name)
            ip("-n", inside, "link", "set", name, "up")
        ip("-n", inner, "route", "add", "default", "via", "10.213.1.1")
        ip("route", "add", "10.213.1.0/24", "via", "10.213.0.2")
        ip("netns", "exec", outer, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        live.make(ID)
        for inside, program in (
            (outer, ["sleep", "1000"]),
            (outer, [sys.executable, "-c", VPN]),
            (inner, ["sleep", "1000"]),
        ):
            child = stack.enter_context(subprocess.Popen(["ip", "netns", "exec", inside, *program]))
            stack.callback(child.kill)
            for folder in live.folders:
                (folder / ID / "cgroup.procs").write_text(str(child.pid))
        wait_until(lambda: has_vpn(outer), 20, "the VPN")
        yield outer


def has_vpn(inside: str) -> bool:
    return any(
        link["ifname"] == "tun0" and "UP" in link["flags"] for link in json.loads(ip("-n", inside, "-j", "link"))
    )


def row(live: LiveGroups, path: str) -> Sample:
    source = opened()
    found = find(source.read(), path)
    source.close()
    assert found is not None
    return found[1][0]


@pytest.fixture
def alone(live: LiveGroups) -> Iterator[str]:
    """A container that sleeps, with one pair to the host and nothing that sends by itself; its group is `ID`."""
    with ExitStack() as stack:
        inside = stack.enter_context(namespace("alone"))
        on_host = f"va{os.getpid()}"
        ip("link", "add", on_host, "type", "veth", "peer", "name", "eth0", "netns", inside)
        for where, name, number in (("", on_host, 1), (inside, "eth0", 2)):
            prefix = ["-n", inside] if where else []
            ip(*prefix, "link", "set", name, "addrgenmode", "none")
            ip(*prefix, "address", "add", f"10.213.3.{number}/24", "dev", name)
            ip(*prefix, "link", "set", name, "up")
        live.make(ID)
        child = stack.enter_context(subprocess.Popen(["ip", "netns", "exec", inside, "sleep", "1000"]))
        stack.callback(child.kill)
        wait_until(lambda: Path(f"/proc/{child.pid}/comm").read_text() == "sleep\n", 20, "the process inside")
        for folder in live.folders:
            (folder / ID / "cgroup.procs").write_text(str(child.pid))
        yield inside


@pytest.mark.lab
def test_a_sleeping_containers_table_is_read_when_the_hosts_end_of_its_pair_has_moved(
    live: LiveGroups, alone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, tables = f"/{live.folders[0].name}/{ID}", Counter[int]()
    read_bytes = procfs.read_bytes

    def counted(name: str, directory: int | None = None) -> bytes | None:
        if name == "net/dev" and directory is not None:
            tables[directory] += 1
        return read_bytes(name, directory)

    monkeypatch.setattr(procfs, "read_bytes", counted)
    with closing(opened()) as source:
        for _ in range(4):
            source.read()
        process = source._groups[path]._process
        tables.clear()
        for _ in range(20):
            source.read()
        assert 1 <= tables[process] <= 8, "most of its tables are left out"
        for _ in range(5):
            subprocess.run([sys.executable, "-c", SEND, "10.213.3.2"], check=True)
            reading = find(source.read(), path)
            assert reading is not None
            sample = reading[1][0]
            assert (sample.net_rx_total_bytes, sample.net_tx_total_bytes) == traffic_of(alone, "eth0")


@pytest.mark.lab
def test_what_an_inner_container_and_a_vpn_send_counts_once(live: LiveGroups, outer: str) -> None:
    path = f"/{live.folders[0].name}/{ID}"
    before, sent_before = row(live, path), traffic_of(outer, "eth0")[1]
    at_least = 2 * PACKETS * (LENGTH + ETHERNET_UDP)
    send(f"vmtop-inner-{os.getpid()}", "10.213.0.1")  # by v0, br0 and eth0
    send(outer, "10.213.2.9")  # by tun0 and eth0
    wait_until(lambda: traffic_of(outer, "eth0")[1] >= sent_before + at_least, 20, "the VPN's last packet")
    early, after, late = traffic_of(outer, "eth0"), row(live, path), traffic_of(outer, "eth0")
    assert early[0] <= (after.net_rx_total_bytes or 0) <= late[0]
    assert early[1] <= (after.net_tx_total_bytes or 0) <= late[1]
    sent = (after.net_tx_total_bytes or 0) - (before.net_tx_total_bytes or 0)
    assert at_least <= sent < at_least + 20_000, "with the packets that the VPN wraps, and some of IPv6 and ARP"
    assert traffic_of(outer, "br0")[0] >= PACKETS * LENGTH, "the bridge counted them too"
    assert traffic_of(outer, "tun0")[1] >= PACKETS * LENGTH, "and so did the tunnel"
    source = opened()
    found = find(source.read(), path)
    source.close()
    assert found is not None
    tables = KernelDetails().tables(found[0])
    shown = next(table for table in tables if table.title == "Network interfaces inside")
    assert {line[0]: line[1] for line in shown.rows} == {
        "lo": "no: inside",
        "eth0": "yes",
        "br0": "no: bridge",
        "v0": "no: inside",
        "tun0": "no: tunnel",
    }


@pytest.mark.lab
def test_a_host_without_hardware_counts_what_leads_out_of_it() -> None:
    """As an LXC guest: a namespace with its own first process, and containers behind a bridge and routed."""
    argv = ["unshare", "--net", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-s", sys.executable]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as guest:
        own = os.readlink("/proc/self/ns/net")
        wait_until(lambda: os.readlink(f"/proc/{guest.pid}/ns/net") != own, 10, "the guest's namespace")
        ip("link", "add", f"vg{os.getpid()}", "type", "veth", "peer", "name", "eth0", "netns", str(guest.pid))
        answer, _ = guest.communicate(GUEST, timeout=EXTERNAL_S)
    assert answer == "eth0\n"


@pytest.mark.lab
def test_in_a_kernel_with_all_kinds_of_interfaces(uml_lab: UmlLab) -> None:
    finished = uml_lab.run([sys.executable, "-m", "pytest", "-m", "uml", "-q", __file__])
    assert finished.returncode == 0, finished.stdout
    assert "1 passed" in finished.stdout


@pytest.mark.uml
def test_the_kernel_tells_what_each_kind_of_interface_is() -> None:
    with subprocess.Popen(["sh", "-ec", KINDS]) as child:
        own = f"/proc/{child.pid}"
        wait_until(lambda: b"sleep" in Path(f"{own}/cmdline").read_bytes().split(b"\0")[:1], 60, "the interfaces")
        process = os.open(own, os.O_PATH)
        found = roles_of_process(process, [])
        os.close(process)
        child.kill()
    assert found is not None
    outward = {name.decode(): role for name, role in found.items() if role != "inside"}
    assert outward == {
        "mv0": "edge", "vlan5": "edge", "eth0": "edge",
        "bond0": "bond", "vrf9": "vrf", "mv0.7": "on mv0", "vx0": "tunnel", "gre9": "tunnel",
    }  # fmt: skip
    assert {"lo", "tunl0", "sit0", "gre0", "dummy9"} <= {name.decode() for name in found} - outward.keys()
