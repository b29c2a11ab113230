"""Which servers may be asked: TLS, this host, or what was allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.model.errors import AccessDenied, SourceDown, SourceError
from collectors.prometheus.server import Server, checked


@pytest.mark.parametrize(
    "url",
    ["https://prometheus.example.org", "http://127.0.0.1:9090", "http://[::1]:8428/select/0/prometheus",
     "http://localhost:9090/"],
)  # fmt: skip
def test_tls_and_this_host_may_be_asked(url: str) -> None:
    assert checked(Server(url)).url == url


@pytest.mark.parametrize("url", ["http://prometheus.example.org", "http://10.0.0.7:9090", "http://localhost.example"])
def test_another_host_over_plain_http_is_refused_unless_it_is_allowed(url: str) -> None:
    with pytest.raises(AccessDenied) as caught:
        checked(Server(url))
    assert caught.value.remedy == "use https://, or allow it with --insecure"
    assert checked(Server(url, insecure=True)).url == url


def test_a_password_in_an_address_is_refused_and_never_shown() -> None:
    with pytest.raises(SourceDown) as caught:
        checked(Server("https://ops:geheim@prometheus.example.org"))
    assert "geheim" not in caught.value.reason + caught.value.remedy


@pytest.mark.parametrize(
    "url",
    ["", "prometheus", "ftp://x", "http://", "https://x:99999", "https://[", "https://x/?query=up", "https://x y"],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(SourceDown):
        checked(Server(url))


def test_a_user_needs_a_file_with_a_password_and_has_no_token() -> None:
    with pytest.raises(SourceDown, match="no password_file"):
        checked(Server("https://x", user="ops"))
    with pytest.raises(SourceDown, match="both a user and a token_file"):
        checked(Server("https://x", user="ops", password_file="/p", token_file="/t"))  # noqa: S106


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_is_refused_with_a_sentence(url: str) -> None:
    reason = "may be asked"
    try:
        checked(Server(url))
    except SourceError as error:
        reason = error.reason
    assert reason
