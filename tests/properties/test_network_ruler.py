"""What workloads send out of the host never adds up to more than the host line: over generated interfaces."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from collectors.kernel.links import Link, NamespaceView
from collectors.kernel.network_edge import NetworkEdge, roles

HOST, INNER, OUTER = 0, 1, 7
LO = Link(b"lo", 1, is_loopback=True)


@dataclass
class Namespace:
    """Interfaces, and the ways on which traffic leaves: which interfaces count each byte of it."""

    links: list[Link]
    ways: list[list[Link]]
    is_host: bool = False
    sent: Counter[bytes] = field(default_factory=Counter)

    def send(self, way: int, amount: int) -> None:
        self.sent.update(dict.fromkeys((link.name for link in self.ways[way % len(self.ways)]), amount))

    def counted(self) -> int:
        """Return what vmtop says that it sent."""
        seen = NamespaceView(self.links, frozenset({INNER}), None if self.is_host else HOST)
        rows = (f"{link.name.decode()}: 0 0 0 0 0 0 0 0 {self.sent[link.name]} 0 0 0 0 0 0 0\n" for link in self.links)
        summed = NetworkEdge(lambda: roles(seen, self.is_host)).read(f"Inter-|\n face |\n{''.join(rows)}".encode())
        assert summed is not None
        return summed.tx_bytes


@st.composite
def workloads(draw: st.DrawFn) -> Namespace:
    """Generate a workload with one or two interfaces to the host, and what it may have on top of them."""
    kinds = st.sampled_from(["veth", "macvlan", "ipvlan", "vlan", ""])
    edges = [
        Link(b"eth%d" % place, 2 + place, kind, lower=20 + place if kind else None, lower_namespace=HOST)
        for place, kind in enumerate(draw(st.lists(kinds, min_size=1, max_size=2)))
    ]
    ways = [[link] for link in edges]
    extra: list[Link] = []
    if draw(st.booleans()):  # VPN
        tunnel = Link(b"wg0", 10, draw(st.sampled_from(["wireguard", "tun", "vxlan"])))
        extra.append(tunnel)
        ways.append([tunnel, edges[0]])
    if draw(st.booleans()):  # VLAN
        vlan = Link(b"eth0.5", 11, "vlan", lower=2)
        extra.append(vlan)
        ways.append([vlan, edges[0]])
    if draw(st.booleans()):  # containers inside, behind a bridge or routed
        bridge = Link(b"br0", 12, "bridge")
        behind = Link(b"v0", 13, "veth", lower=2, lower_namespace=INNER, master=draw(st.sampled_from([12, None])))
        extra += [bridge, behind]
        ways.append([behind, bridge, *draw(st.sampled_from(ways))])
    if draw(st.booleans()):  # bond
        bond = Link(b"bond0", 14, "bond")
        edges[0] = edges[0]._replace(master=14)
        ways = [[edges[0] if link.name == b"eth0" else link for link in way] for way in ways]
        extra.append(bond)
        ways.append([bond, edges[0]])
    return Namespace([LO, *edges, *extra], ways)


@st.composite
def hosts(draw: st.DrawFn) -> Namespace:
    """Generate a host with hardware, or one that is a guest itself, and with what engines make on it."""
    card = draw(
        st.sampled_from([Link(b"eth0", 2, has_device=True), Link(b"eth0", 2, "veth", lower=9, lower_namespace=OUTER)])
    )
    bond = Link(b"bond0", 15, "bond")
    is_bonded = draw(st.booleans())
    card = card._replace(master=15) if is_bonded else card
    out = [bond, card] if is_bonded else [card]
    bridge = Link(b"docker0", 3, "bridge")
    member = Link(b"veth1", 4, "veth", lower=2, lower_namespace=INNER, master=3)
    routed = Link(b"cali1", 5, "veth", lower=2, lower_namespace=INNER)
    overlay = Link(b"flannel.1", 6, "vxlan", lower=2)
    vpn = Link(b"wg0", 7, "wireguard")
    ways = [out, [member, bridge, *out], [routed, *out], [routed, overlay, *out], [member, bridge, vpn, *out]]
    return Namespace([LO, card, bond, bridge, member, routed, overlay, vpn], ways, is_host=True)


PACKETS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(0, 9), st.integers(1, 9)), max_size=20)


@given(hosts(), st.lists(workloads(), min_size=3, max_size=3), PACKETS)
def test_rows_are_what_was_sent_and_never_exceed_the_host(
    host: Namespace, rows: list[Namespace], packets: list[tuple[int, int, int, int]]
) -> None:
    truth: Counter[int] = Counter()
    for row, way, way_out, amount in packets:
        rows[row].send(way, amount)
        host.send(way_out, amount)
        truth[row] += amount
    assert [row.counted() for row in rows] == [truth[place] for place in range(3)]
    assert sum(row.counted() for row in rows) <= host.counted()
    assert host.counted() == truth.total()
