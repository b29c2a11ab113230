"""What a scraper may ask, and in which format it is answered."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.exposition.text import Dialect
from collectors.exposition.web.request import (
    BadRequest,
    Request,
    credentials,
    dialect_for,
    is_gzip_welcome,
    parse_request,
)

PROMETHEUS_2_42 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
VICTORIA_METRICS_1_79 = "text/plain;version=0.0.4;q=1,*/*;q=0.1"


@pytest.mark.parametrize(
    ("accept", "dialect"),
    [
        (PROMETHEUS_2_42, Dialect.OPENMETRICS),
        (VICTORIA_METRICS_1_79, Dialect.PROMETHEUS),
        ("", Dialect.PROMETHEUS),
        ("*/*", Dialect.PROMETHEUS),
        ("application/openmetrics-text;q=0.1,text/plain;q=0.9", Dialect.PROMETHEUS),
        ("application/openmetrics-text;q=bad", Dialect.PROMETHEUS),
    ],
)
def test_only_who_asks_for_openmetrics_gets_it(accept: str, dialect: Dialect) -> None:
    assert dialect_for({"accept": accept}) is dialect


def test_gzip_is_sent_to_who_takes_it() -> None:
    assert is_gzip_welcome({"accept-encoding": "gzip"})
    assert is_gzip_welcome({"accept-encoding": "br, GZIP;q=0.5"})
    assert not is_gzip_welcome({"accept-encoding": "gzip;q=0, *"})
    assert not is_gzip_welcome({})


def test_a_scrape_is_understood() -> None:
    head = b"GET /metrics?x=1 HTTP/1.1\r\nHost: hv01:9922\r\nAccept: a\r\naccept:b"
    assert parse_request(head) == Request(False, "/metrics", {"host": "hv01:9922", "accept": "a,b"})
    assert parse_request(b"HEAD / HTTP/1.0").is_head


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /metrics HTTP/1.1\r\nHost: x", 405),
        (b"DELETE / HTTP/1.1", 405),
        (b"GET /metrics", 400),
        (b"GET  /metrics HTTP/1.1", 400),
        (b"GET metrics HTTP/1.1", 400),
        (b"GET / HTTP/2.0", 400),
        (b"GET / HTTP/1.1\r\nno colon", 400),
        (b"GET / HTTP/1.1\r\n folded: x", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 5", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked", 400),
        (b"GET / HTTP/1.1" + b"\r\na: b" * 101, 400),
    ],
)
def test_everything_else_is_refused(head: bytes, status: int) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_request(head)
    assert caught.value.status == status


@given(st.binary(max_size=200), st.text(max_size=60))
def test_no_bytes_break_the_parsers(head: bytes, value: str) -> None:
    with contextlib.suppress(BadRequest):
        parse_request(b"GET / HTTP/1.1\r\n" + head)
    dialect_for({"accept": value})
    is_gzip_welcome({"accept-encoding": value})
    credentials({"authorization": f"Basic {value}"})


def test_a_password_may_hold_a_colon() -> None:
    token = base64.b64encode(b"ann:a:b").decode()
    assert credentials({"authorization": f"basic {token}"}) == ("ann", b"a:b")
    assert credentials({"authorization": "Bearer x"}) is None
    assert credentials({"authorization": "Basic %%%"}) is None
    assert credentials({}) is None
