"""The interfaces of a network namespace, by rtnetlink: what `ip -details link` shows.

sysfs has less, and only for a container with its own sysfs, at a path that the container controls.

Source: rtnetlink(7), include/uapi/linux/{if_link,net_namespace,netlink}.h of the kernel.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

_NLM_F_REQUEST, _NLM_F_DUMP = 0x1, 0x300
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_RTM_NEWLINK, _RTM_GETLINK, _RTM_NEWNSID, _RTM_GETNSID = 16, 18, 88, 90
_IFLA_IFNAME, _IFLA_LINK, _IFLA_MASTER, _IFLA_LINKINFO = 3, 5, 10, 18
_IFLA_LINK_NETNSID, _IFLA_PHYS_PORT_NAME, _IFLA_PARENT_DEV_NAME = 37, 38, 56
_IFLA_INFO_KIND = 1
_NETNSA_NSID, _NETNSA_PID, _NETNSA_FD = 1, 2, 3
_IFF_LOOPBACK = 0x8
_CLONE_NEWNET = 0x40000000
_HEADER, _LINK, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BxHiII"), struct.Struct("=HH")
_BUFFER = 1 << 17
_PATIENCE_S = 2.0
_PAIRS = frozenset({"veth", "netkit"})
_AT_ONCE = 64
"""Requests sent before their replies are read; more could fill a buffer."""


class Link(NamedTuple):
    """One interface."""

    name: bytes
    number: int
    kind: str = ""
    """The type of a virtual interface, such as `veth`; empty for hardware and the loopback."""
    lower: int | None = None
    """Number of the other end of a pair, or of the interface that it is built on; `None`: neither, or unknown."""
    lower_namespace: int | None = None
    """Id, in this namespace, of the namespace of `lower`; `None`: the same namespace."""
    master: int | None = None
    """Number of the bridge, bond or other interface that it is a member of."""
    is_loopback: bool = False
    has_device: bool = False
    """Whether the kernel names a device behind it, whatever its kind; always false before Linux 5.14."""
    port: bytes = b""
    """Name of its port on a network card, such as `p0`, or `pf0vf3` for what represents a virtual function."""


class NamespaceView(NamedTuple):
    """The interfaces of one namespace, and other namespaces as seen from it."""

    links: list[Link]
    inner: frozenset[int] = frozenset()
    """Ids, in this namespace, of the namespaces inside the workload or host."""
    host: int | None = None
    """Id, in this namespace, of the host's namespace; `None` if no interface leads there."""


def view(namespace: int | None, inner_pids: Iterable[int] = (), host_pid: int | None = None) -> NamespaceView | None:
    """Look into a network namespace.

    Args:
        namespace: Descriptor of `/proc/PID/ns/net`; `None`: this process's own.
        inner_pids: Processes whose namespaces are inside; the namespace itself may be among them.
        host_pid: A process in the host's namespace.

    Returns:
        `None` without the right to enter it.
    """
    if namespace is None:
        return _view(inner_pids, host_pid)
    views: list[NamespaceView | None] = []

    def enter() -> None:
        # The thread ends inside the namespace and never has to return.
        if _setns(namespace):
            views.append(_view(inner_pids, host_pid))

    thread = threading.Thread(target=enter, name="network-namespace")
    thread.start()
    thread.join()
    return views[0] if views else None


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def view_of(process: int, inner_pids: Iterable[int] = (), host_pid: int | None = None) -> NamespaceView | None:
    """Look into a process's network namespace, given a descriptor of its directory in procfs; else as `view`."""
    try:
        namespace = os.open("ns/net", os.O_RDONLY | os.O_CLOEXEC, dir_fd=process)
    except OSError:
        return None
    try:
        return view(namespace, inner_pids, host_pid)
    finally:
        os.close(namespace)


def pair_ends() -> dict[int, list[bytes]]:
    """Return the ends of pairs in this process's namespace, by the id in it of the namespace of the other end.

    It is empty if they cannot be listed.
    """
    ends: dict[int, list[bytes]] = {}
    try:
        with _route() as route:
            for link in _dump(route):
                if link.kind in _PAIRS and link.lower_namespace is not None:
                    ends.setdefault(link.lower_namespace, []).append(link.name)
    except OSError:
        return {}
    return ends


def namespace_id(process: int) -> int | None:
    """Return the id, in this process's network namespace, of the one of another process.

    Args:
        process: A descriptor of its directory in procfs.

    Returns:
        `None` if it has none, as when no interface leads there, or without the right to see it.
    """
    try:
        namespace = os.open("ns/net", os.O_RDONLY | os.O_CLOEXEC, dir_fd=process)
    except OSError:
        return None
    try:
        with _route() as route:
            return next(iter(_namespace_ids(route, [namespace], _NETNSA_FD)), None)
    except OSError:
        return None
    finally:
        os.close(namespace)


def _setns(namespace: int) -> bool:
    return bool(_libc().setns(namespace, _CLONE_NEWNET) == 0)  # os.setns needs Python 3.12


def _view(inner_pids: Iterable[int], host_pid: int | None) -> NamespaceView | None:
    try:
        with _route() as route:
            links = list(_dump(route))
            inner = _namespace_ids(route, list(inner_pids))
            host = _namespace_ids(route, [] if host_pid is None else [host_pid])
    except OSError:
        return None
    return NamespaceView(links, frozenset(inner), next(iter(host), None))


def _route() -> socket.socket:
    """Open a socket to rtnetlink.

    Raises:
        OSError: There is none.
    """
    route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    route.settimeout(_PATIENCE_S)
    return route


def _dump(route: socket.socket) -> Iterator[Link]:
    body = _LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
    route.send(_HEADER.pack(_HEADER.size + len(body), _RTM_GETLINK, _NLM_F_REQUEST | _NLM_F_DUMP, 1, 0) + body)
    while True:
        for kind, message in _messages(route.recv(_BUFFER)):
            if kind in (_NLMSG_DONE, _NLMSG_ERROR):
                return
            if kind == _RTM_NEWLINK and (link := parse_link(message)) is not None:
                yield link


def _namespace_ids(route: socket.socket, named: list[int], by: int = _NETNSA_PID) -> set[int]:
    """Return the ids that namespaces have in this one; there is none for most.

    Args:
        route: A socket to rtnetlink.
        named: The namespaces: pids of processes in them, or descriptors.
        by: Which of the two.
    """
    ids: set[int] = set()
    for start in range(0, len(named), _AT_ONCE):
        asked = named[start : start + _AT_ONCE]
        for name in asked:
            body = struct.pack("=B3xHHI", socket.AF_UNSPEC, 8, by, name)
            route.send(_HEADER.pack(_HEADER.size + len(body), _RTM_GETNSID, _NLM_F_REQUEST, 1, 0) + body)
        answers = 0
        while answers < len(asked):
            for kind, message in _messages(route.recv(_BUFFER)):
                answers += 1
                if kind == _RTM_NEWNSID and (value := _number(_attributes(message[4:]).get(_NETNSA_NSID))) is not None:
                    ids.add(value)
    ids.discard(-1)  # NETNSA_NSID_NOT_ASSIGNED
    return ids


def parse_link(message: bytes) -> Link | None:
    """Parse the body of an RTM_NEWLINK message; `None` for one without a name."""
    if len(message) < _LINK.size:
        return None
    _family, _type, index, flags, _change = _LINK.unpack_from(message)
    attributes = _attributes(message[_LINK.size :])
    if (name := attributes.get(_IFLA_IFNAME, b"").rstrip(b"\0")) == b"":
        return None
    kind = _attributes(attributes.get(_IFLA_LINKINFO, b"")).get(_IFLA_INFO_KIND, b"")
    lower = _number(attributes.get(_IFLA_LINK))
    namespace = _number(attributes.get(_IFLA_LINK_NETNSID))
    return Link(
        name=name,
        number=index,
        kind=kind.rstrip(b"\0").decode("ascii", "replace"),
        lower=None if not lower or (lower == index and namespace is None) else lower,
        lower_namespace=namespace,
        master=_number(attributes.get(_IFLA_MASTER)) or None,
        is_loopback=bool(flags & _IFF_LOOPBACK),
        has_device=_IFLA_PARENT_DEV_NAME in attributes,
        port=attributes.get(_IFLA_PHYS_PORT_NAME, b"").rstrip(b"\0"),
    )


def _messages(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Split what a netlink socket received into types and bodies."""
    while len(text) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(text)
        if length < _HEADER.size:
            return
        yield kind, text[_HEADER.size : length]
        text = text[(length + 3) & ~3 :]


def _attributes(text: bytes) -> dict[int, bytes]:
    """Split attributes into types and values; a broken one ends them."""
    found: dict[int, bytes] = {}
    while len(text) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(text)
        if length < _ATTRIBUTE.size:
            break
        found[kind & 0x3FFF] = text[_ATTRIBUTE.size : length]  # without the flags NLA_F_NESTED, NLA_F_NET_BYTEORDER
        text = text[(length + 3) & ~3 :]
    return found


def _number(value: bytes | None) -> int | None:
    return struct.unpack_from("=i", value)[0] if value is not None and len(value) >= 4 else None
