"""What crosses the edge of a network namespace counts once, whatever carries it inside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.kernel.links import Link, NamespaceView, parse_link
from collectors.kernel.network_edge import EDGE, NetworkEdge, roles, roles_by_name

HOST, INNER, OTHER = 0, 1, 2
LO = Link(b"lo", 1, is_loopback=True)
ETH0 = Link(b"eth0", 2, "veth", lower=40, lower_namespace=HOST)


def edge(*links: Link, is_host: bool = False, host: int | None = HOST) -> set[str]:
    """Return what is counted of a namespace."""
    seen = NamespaceView([LO, *links], frozenset({INNER}), None if is_host else host)
    return {name.decode() for name, role in roles(seen, is_host).items() if role == EDGE}


def table(**received: int) -> bytes:
    """Return a net/dev table: what each interface received, and as much sent."""
    lines = (f"  {name}: {count} 1 0 0 0 0 0 0 {count} 1 0 0 0 0 0 0\n" for name, count in received.items())
    return b"Inter-|\n face |\n" + "".join(lines).encode()


class TestWorkload:
    """The namespace of a container or service."""

    def test_a_bridge_inside_and_its_pair_to_an_inner_namespace_are_not_the_edge(self) -> None:
        bridge = Link(b"br0", 3, "bridge")
        member = Link(b"v0", 4, "veth", lower=2, lower_namespace=INNER, master=3)
        assert edge(ETH0, bridge, member) == {"eth0"}
        assert edge(ETH0, bridge, member._replace(lower_namespace=OTHER)) == {"eth0"}, "in a cgroup elsewhere"

    def test_an_inner_namespace_without_a_bridge_is_inside_too(self) -> None:
        assert edge(ETH0, Link(b"cali1", 4, "veth", lower=3, lower_namespace=INNER)) == {"eth0"}

    def test_both_ends_of_a_pair_inside_are_inside(self) -> None:
        ends = Link(b"v0", 3, "veth", lower=4), Link(b"v1", 4, "veth", lower=3)
        assert edge(ETH0, *ends) == {"eth0"}

    def test_a_pair_to_another_workload_leads_out(self) -> None:
        assert edge(ETH0, Link(b"eth1", 3, "veth", lower=3, lower_namespace=OTHER)) == {"eth0", "eth1"}

    def test_the_edge_may_be_a_member_of_a_bridge_as_of_a_pod_that_runs_a_machine(self) -> None:
        links = Link(b"k6t-eth0", 3, "bridge"), Link(b"tap0", 4, "tun", master=3)
        assert edge(ETH0._replace(master=3), *links) == {"eth0"}

    @pytest.mark.parametrize("kind", ["tun", "wireguard", "ovpn", "ipip", "gre", "xfrm", "ppp"])
    def test_a_tunnel_is_carried_by_the_edge(self, kind: str) -> None:
        assert edge(ETH0, Link(b"vpn0", 3, kind)) == {"eth0"}

    @pytest.mark.parametrize("kind", ["tun", "wireguard"])
    def test_a_tunnel_is_the_edge_where_there_is_no_other(self, kind: str) -> None:
        """WireGuard moved into the namespace; the tap device of a rootless container."""
        assert edge(Link(b"tap0", 2, kind), Link(b"br0", 3, "bridge"), Link(b"dummy0", 4, "dummy")) == {"tap0"}

    @pytest.mark.parametrize("kind", ["vlan", "macvlan", "ipvlan", "vxlan", "macsec"])
    def test_what_is_built_on_an_interface_here_is_carried_by_it(self, kind: str) -> None:
        assert edge(ETH0, Link(b"up0", 3, kind, lower=2)) == {"eth0"}

    @pytest.mark.parametrize("kind", ["vlan", "macvlan", "macvtap", "ipvlan"])
    def test_what_is_built_on_an_interface_of_the_host_is_the_edge(self, kind: str) -> None:
        assert edge(Link(b"eth0", 2, kind, lower=2, lower_namespace=HOST), Link(b"wg0", 3, "wireguard")) == {"eth0"}

    def test_a_bond_repeats_its_members(self) -> None:
        members = [Link(name, 3 + place, lower=None, master=9) for place, name in enumerate((b"eth1", b"eth2"))]
        upper = Link(b"bond0", 9, "bond"), Link(b"bond0.5", 10, "vlan", lower=9)
        assert edge(*members, *upper) == {"eth1", "eth2"}
        pairs = [link._replace(kind="veth", lower=5, lower_namespace=OTHER) for link in members]
        assert edge(*pairs, *upper) == {"eth1", "eth2"}

    def test_hardware_given_to_a_workload_is_its_edge(self) -> None:
        assert edge(ETH0, Link(b"net1", 3, has_device=True)) == {"eth0", "net1"}

    def test_the_member_of_an_interface_with_hardware_is_in_its_counters(self) -> None:
        """Accelerated networking of Azure, and virtio's failover."""
        links = Link(b"eth0", 2, has_device=True), Link(b"enP1s1", 3, has_device=True, master=2)
        assert edge(*links) == {"eth0"}
        assert edge(*links, is_host=True) == {"eth0"}

    def test_what_the_kernel_puts_into_each_namespace_is_not_looked_at(self) -> None:
        assert edge(ETH0, Link(b"tunl0", 3, "ipip"), Link(b"sit0", 4, "sit"), Link(b"ifb0", 5, "ifb")) == {"eth0"}


class TestHost:
    """The namespace of the first process."""

    INSIDE = (
        Link(b"docker0", 3, "bridge"),
        Link(b"veth1", 4, "veth", lower=2, lower_namespace=INNER, master=3),
        Link(b"cali1", 5, "veth", lower=2, lower_namespace=INNER),
        Link(b"flannel.1", 6, "vxlan", lower=2),
        Link(b"wg0", 7, "wireguard"),
        Link(b"vnet0", 8, "tun", master=3),
        Link(b"lxdbr0", 9, "bridge"),
    )

    def test_hardware_alone_is_the_edge(self) -> None:
        bond = Link(b"bond0", 30, "bond"), Link(b"bond0.7", 31, "vlan", lower=30), Link(b"macv", 32, "macvlan", lower=2)
        cards = [Link(name, 20 + place, master=30) for place, name in enumerate((b"eth1", b"eth2"))]
        foreign = Link(b"veth9", 33, "veth", lower=3, lower_namespace=OTHER)
        found = edge(Link(b"eth0", 2, has_device=True), *cards, *bond, *self.INSIDE, foreign, is_host=True)
        assert found == {"eth0", "eth1", "eth2"}

    def test_what_stands_for_a_virtual_function_is_carried_by_the_card(self) -> None:
        card, stand_in = (
            Link(b"eth0", 2, has_device=True, port=b"p0"),
            Link(b"eth5", 3, has_device=True, port=b"pf0vf3"),
        )
        assert edge(card, stand_in, is_host=True) == {"eth0"}

    def test_without_hardware_it_is_what_leads_out_of_the_guest(self) -> None:
        outer = Link(b"eth0", 2, "veth", lower=77, lower_namespace=OTHER)
        assert edge(outer, *self.INSIDE, is_host=True) == {"eth0"}
        assert edge(outer._replace(master=9), *self.INSIDE, is_host=True) == {"eth0"}, "it is in the guest's own bridge"
        assert edge(outer, outer._replace(name=b"eth1", number=11), is_host=True) == {"eth0", "eth1"}


def test_where_interfaces_may_not_be_looked_at_their_names_tell() -> None:
    names = b"lo eth0 eth0.5 wg0 podman0 lxdbr0 flannel.1 cali12 br0 veth1 tun0 bond0 tunl0 virbr0 br-1a2b".split()
    assert [name for name, role in roles_by_name(names).items() if role == EDGE] == [b"eth0"]
    assert [name for name, role in roles_by_name([b"lo", b"tap0", b"br0"]).items() if role == EDGE] == [b"tap0"]


class TestNetworkEdge:
    """The sums, reading after reading."""

    def test_an_only_interface_is_counted_without_a_look(self) -> None:
        def look() -> None:
            raise AssertionError

        assert NetworkEdge(look).read(table(lo=9, tun0=5, tunl0=0)) == (5, 5, 1, 1, 0)

    def test_a_namespace_with_only_a_loopback_is_a_measured_zero(self) -> None:
        assert NetworkEdge(lambda: None).read(table(lo=9)) == (0, 0, 0, 0, 0)
        assert NetworkEdge(lambda: None).read(b"") is None

    def test_it_is_looked_at_again_when_interfaces_come(self) -> None:
        looks: list[int] = []

        def look() -> dict[bytes, str]:
            looks.append(1)
            return {b"lo": "inside", b"eth0": EDGE, b"eth1": EDGE, b"br0": "bridge"}

        counted = NetworkEdge(look)
        assert [counted.read(table(eth0=count, br0=count)) for count in (5, 6)][1] == (6, 6, 1, 1, 0)
        assert len(looks) == 1
        assert counted.read(table(eth0=6, br0=6, eth1=10)) == (16, 16, 2, 2, 0)
        assert len(looks) == 2

    def test_a_container_that_starts_is_no_reason_to_look_at_thousands_of_others(self) -> None:
        looks: list[int] = []

        def look() -> dict[bytes, str]:
            looks.append(1)
            return {b"eth0": EDGE, b"veth1": "inside"}

        counted = NetworkEdge(look)
        for names in ({"veth1": 3}, {"veth1": 3, "veth2": 4}, {"veth2": 5}, {}):
            sums = counted.read(table(eth0=7, **names))
            assert sums is not None
            assert sums.rx_bytes == 7
        assert len(looks) == 1

    def test_another_namespace_than_that_of_the_table_is_not_believed(self) -> None:
        counted = NetworkEdge(lambda: {b"eth9": EDGE})
        assert counted.read(table(eth0=5, br0=5)) == (5, 5, 1, 1, 0)


@given(st.binary(max_size=200))
def test_no_message_of_the_kernel_makes_the_parser_raise(message: bytes) -> None:
    parse_link(message)
