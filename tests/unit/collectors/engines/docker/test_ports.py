"""The text for a container's ports: whoever reads it sees which of them the whole network reaches."""

from __future__ import annotations

from typing import Any

import pytest

from collectors.engines.docker.ports import ports_text


def published(inside: int, outside: int | None = None, address: str = "0.0.0.0", kind: str = "tcp") -> dict[str, Any]:  # noqa: S104
    """Return an entry as the engine lists it."""
    if outside is None:
        return {"PrivatePort": inside, "Type": kind}
    return {"IP": address, "PrivatePort": inside, "PublicPort": outside, "Type": kind}


@pytest.mark.parametrize(
    ("ports", "text"),
    [
        ([published(80, 18080, "127.0.0.1")], "127.0.0.1:18080→80/tcp"),
        ([published(80, 18080), published(80, 18080, "::")], "*:18080→80/tcp"),
        ([published(80, 18080, "")], "*:18080→80/tcp"),
        ([published(80, 18080, "::1")], "[::1]:18080→80/tcp"),
        ([published(80, 80, "192.0.2.7"), published(80, 80, "127.0.0.1")], "127.0.0.1:80→80/tcp, 192.0.2.7:80→80/tcp"),
        ([published(53, 53, kind="udp"), published(53, 53)], "*:53→53/tcp, *:53→53/udp"),
        ([published(5432), published(443, 443)], "*:443→443/tcp, 5432/tcp"),
        ([published(port, port) for port in range(8000, 8011)], "*:8000-8010→8000-8010/tcp"),
        (
            [published(8000, 9000), published(8001, 9001), published(8002, 9005)],
            "*:9000-9001→8000-8001/tcp, *:9005→8002/tcp",
        ),
        ([published(port) for port in (1, 2, 3, 7)], "1-3/tcp, 7/tcp"),
        ([published(80, 80, "\x1b[2J")], "*"),
    ],
)
def test_each_port_has_the_address_it_listens_on(ports: list[dict[str, Any]], text: str) -> None:
    shown = ports_text(ports)
    assert shown is not None
    if text == "*":
        assert "\x1b" not in shown
    else:
        assert shown == text


def test_the_order_of_the_engines_list_does_not_matter() -> None:
    ports = [published(port, port) for port in range(8000, 8006)] + [published(22, 2222, "127.0.0.1")]
    assert ports_text(ports) == ports_text(ports[::-1])


def test_entries_are_few() -> None:
    text = ports_text([published(port) for port in range(1, 200, 2)])
    assert text is not None
    assert text.startswith("1/tcp, 3/tcp")
    assert text.endswith("…")
    assert text.count(",") == 12


@pytest.mark.parametrize("ports", [[], None, "80", [None, {"PrivatePort": "x"}, {"PublicPort": 80}]])
def test_without_ports_there_is_no_text(ports: object) -> None:
    assert ports_text(ports) is None
