"""Which interfaces of a network namespace are its edge: what crosses it is counted there, and once.

A bridge, a bond and its like repeat what their members carry; a VLAN, a tunnel or a VPN is carried by another
interface; a pair whose other end is further inside carries what the edge carries, or what never leaves. If there
are only tunnels, such as WireGuard moved into a namespace or the tap device of a rootless container, they are the
edge. The same holds for the host, but if it has hardware, that alone is its edge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Set

from collectors.kernel.cgroup import parsers
from collectors.kernel.links import Link, NamespaceView

EDGE = "edge"
INSIDE = "inside"
_TUNNEL = "tunnel"

_PAIRS = frozenset({"veth", "netkit", "vxcan"})
_SWITCHES = frozenset({"bridge", "openvswitch", "batadv"})
_MASTERS = _SWITCHES | {"bond", "team", "vrf", "hsr"}
"""They repeat what their members carry."""
_CLOSED = frozenset({"dummy", "ifb", "nlmon", "vcan", "vsockmon", "netdevsim"})
"""Nothing leaves through them."""
_TUNNELS = frozenset(
    {"tun", "wireguard", "ovpn", "vxlan", "geneve", "bareudp", "gre", "gretap", "erspan", "ip6gre", "ip6gretap"}
    | {"ip6erspan", "ipip", "sit", "ip6tnl", "vti", "vti6", "xfrm", "ppp", "gtp", "amt"}
)
_LOOK_EVERY = 60
"""Changed tables after which roles are determined again: an interface may have become a member of another."""
_FALLBACKS = frozenset(
    {b"tunl0", b"gre0", b"gretap0", b"erspan0", b"sit0", b"ip_vti0", b"ip6_vti0", b"ip6tnl0", b"ip6gre0"}
)
"""The kernel puts these into each namespace, if the modules are loaded."""
_REPRESENTOR = re.compile(rb"(?:c\d+)?pf\d+(?:vf|sf)\d+")
"""Ports of a card that stand for its virtual functions; what these send also leaves by the card's own port. See
Documentation/networking/representors.rst of the kernel."""
_PAIR_NAME = re.compile(rb"veth|cali|lxc[0-9a-f]")
_TUNNEL_NAME = re.compile(rb"tun|tap|wg|ppp|tailscale|utun|zt|ovpn|vti|gre|ipsec")
_INNER_NAME = re.compile(
    rb"docker|br\d|br-|vmbr|virbr|podman|cni|lxcbr|lxdbr|incusbr|nerdctl|kube-|nodelocaldns|ovs-|team\d|bond\d"
    rb"|veth|vnet|cali|cilium|lxc[0-9a-f]|fwbr|fwpr|fwln|flannel|vxlan|dummy|ifb"
)


def roles(view: NamespaceView, is_host: bool = False) -> dict[bytes, str]:
    """Return the role of each interface: `EDGE`, or the reason why it does not count.

    Args:
        view: The interfaces, and which namespaces are inside.
        is_host: Whether it is the host's namespace: if that has hardware, the hardware alone is its edge.
    """
    by_number = {link.number: link for link in view.links}
    by_name = {link.name: _role(link, by_number, view, is_host) for link in view.links}
    edge = [link for link in view.links if by_name[link.name] == EDGE]
    if is_host and any(map(_is_hardware, edge)):
        by_name.update({link.name: INSIDE for link in edge if not _is_hardware(link)})
    return _with_tunnels(by_name)


def has_hardware(view: NamespaceView) -> bool:
    """Return whether any interface has hardware behind it."""
    return any(_is_hardware(link) for link in view.links)


def roles_by_name(names: Iterable[bytes]) -> dict[bytes, str]:
    """Guess the roles from common names, for namespaces that this user may not enter."""
    by_name = dict.fromkeys(names, EDGE)
    for name in by_name:
        parent, _, vlan = name.rpartition(b".")
        if name == b"lo" or name in _FALLBACKS or _INNER_NAME.match(name):
            by_name[name] = INSIDE
        elif vlan.isdigit() and parent in by_name:
            by_name[name] = f"on {parent.decode('utf-8', 'replace')}"
        elif _TUNNEL_NAME.match(name):
            by_name[name] = _TUNNEL
    return _with_tunnels(by_name)


def _with_tunnels(by_name: dict[bytes, str]) -> dict[bytes, str]:
    """Make tunnels the edge if there is no other."""
    if EDGE in by_name.values():
        return by_name
    return {name: EDGE if role == _TUNNEL else role for name, role in by_name.items()}


def _role(link: Link, by_number: Mapping[int, Link], view: NamespaceView, is_host: bool) -> str:
    lower = by_number.get(link.lower) if link.lower is not None and link.lower_namespace is None else None
    if link.is_loopback or link.name in _FALLBACKS or link.kind in _CLOSED or _REPRESENTOR.fullmatch(link.port):
        return INSIDE
    if link.kind in _MASTERS:
        return link.kind
    if link.kind in _PAIRS:
        return _role_of_pair(link, by_number, view, is_host) if lower is None else INSIDE
    if lower is not None:
        return f"on {lower.name.decode('utf-8', 'replace')}"
    if link.kind in _TUNNELS:
        return _TUNNEL if link.master is None else INSIDE
    master = by_number.get(link.master) if link.master is not None else None
    if master is not None and _is_hardware(master):  # Azure's and virtio's failover: it repeats its members
        return f"in {master.name.decode('utf-8', 'replace')}"
    return INSIDE if link.lower_namespace in view.inner else EDGE


def _role_of_pair(link: Link, by_number: Mapping[int, Link], view: NamespaceView, is_host: bool) -> str:
    """Judge by the namespace of the other end. A member of a bridge leads further in, unless it leads to the host."""
    master = by_number.get(link.master) if link.master is not None else None
    is_switched = master is not None and master.kind in _SWITCHES
    leads_out = not is_switched or is_host or link.lower_namespace == view.host
    return EDGE if leads_out and link.lower_namespace not in view.inner else INSIDE


def _is_hardware(link: Link) -> bool:
    return not link.is_loopback and (link.has_device or not link.kind)


class NetworkEdge:
    """Adds up the traffic over the edge of one namespace."""

    def __init__(self, look: Callable[[], Mapping[bytes, str] | None]) -> None:
        """Take a function that returns the role of each interface, `None` if they are not visible."""
        self._look = look
        self._names: Set[bytes] = frozenset()
        self._edge: frozenset[bytes] = frozenset()
        self._until_look = 0
        self._table: bytes | None = None
        self.traffic: parsers.Network | None = None
        """The sums of the newest table; `None` when there was none."""
        self.usual: list[list[bytes]] = []
        """Its columns of the interfaces that not every namespace has."""

    def read(self, table: bytes) -> parsers.Network | None:
        """Return the sums of a `net/dev` table; `None` when there is no table."""
        if table != self._table:
            self._table = table
            self.traffic = self._sum(table)
        return self.traffic

    def _sum(self, table: bytes) -> parsers.Network | None:
        rows = parsers.interfaces(table)
        self.usual = [rows[name] for name in rows if is_usual(name)] if rows else []
        if rows is None:
            return None
        self._until_look -= 1
        if rows.keys() != self._names and not self._differs_by_pairs(rows.keys()):
            self._until_look = -1
        self._names = rows.keys()
        if self._until_look < 0:
            self._until_look = _LOOK_EVERY
            self._edge = edge_of(rows, self._look)
        return parsers.traffic(rows[name] for name in rows if name in self._edge)

    def _differs_by_pairs(self, names: Set[bytes]) -> bool:
        """Return whether only ends of containers' pairs came or went, and the edge is something else.

        Otherwise all interfaces of a host with thousands of containers would be read whenever one starts.
        """
        changed = names ^ self._names
        return bool(self._edge) and all(_PAIR_NAME.match(name) and name not in self._edge for name in changed)


def is_usual(name: bytes) -> bool:
    """Whether an interface is another one than those that the kernel puts into each namespace."""
    return name != b"lo" and name not in _FALLBACKS


def edge_of(names: Iterable[bytes], look: Callable[[], Mapping[bytes, str] | None]) -> frozenset[bytes]:
    """Return the interfaces to count. `look` is not called if there is only one, as in most containers."""
    usual = list(filter(is_usual, names))
    if len(usual) <= 1:
        return frozenset(usual)
    by_name = look()
    if by_name is None or not by_name.keys() >= set(usual):  # not visible, or those of another namespace
        by_name = roles_by_name(usual)
    return frozenset(name for name in usual if by_name[name] == EDGE)
