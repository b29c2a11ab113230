"""Questions to a server, and what comes back when it is not what was hoped for: one sentence, within bounds."""

from __future__ import annotations

import base64
import gzip
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from collectors.model.errors import AccessDenied, NotInTime, SourceDown, SourceError
from collectors.prometheus import answers, client
from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.server import Server, read_secret
from tests.helpers.certificates import make_certificate
from tests.helpers.query_server import Exchange, query_server

_PATIENCE_S = 1
_ONE = {"metric": {"__name__": "up", "instance": "hv01"}, "value": [1700000000.5, "1"]}


def _ask(url: str, **server: object) -> list[answers.Series]:
    asking = PrometheusClient(Server(url, **server), answer_s=_PATIENCE_S)  # type: ignore[arg-type]  # as annotated
    try:
        return asking.instant("up")
    finally:
        asking.close()


def _error(answer: Callable[[Exchange], object], **server: object) -> SourceError:
    with query_server(answer) as (url, _), pytest.raises(SourceError) as caught:
        _ask(url, **server)
    return caught.value


def test_a_series_arrives_with_its_labels_and_its_value() -> None:
    with query_server(lambda exchange: exchange.send_series(_ONE)) as (url, asked):
        (series,) = _ask(url)
    assert series.metric["instance"] == "hv01"
    assert series.value == (1700000000.5, "1")
    assert asked[0].path == "/api/v1/query"
    assert asked[0].parameters == {"query": "up", "nocache": "1"}


def test_a_path_in_the_address_stays_before_that_of_the_query() -> None:
    with query_server(lambda exchange: exchange.send_series()) as (url, asked):
        _ask(f"{url}/select/0/prometheus/")
    assert asked[0].path == "/select/0/prometheus/api/v1/query"


def test_a_question_is_asked_again_when_the_server_had_closed_the_idle_connection() -> None:
    def answer(exchange: Exchange) -> None:
        exchange.send_series(_ONE)
        exchange.handler.close_connection = True  # without a word about it in the answer

    with query_server(answer) as (url, asked):
        asking = PrometheusClient(Server(url), answer_s=_PATIENCE_S)
        assert asking.instant("up") == asking.instant("up")
        asking.close()
    assert len(asked) == 2


def test_an_answer_may_be_compressed() -> None:
    body = b'{"status":"success","data":{"resultType":"vector","result":[]}}'
    with query_server(lambda exchange: exchange.send(gzip.compress(body), 200, {"Content-Encoding": "gzip"})) as (
        url,
        _,
    ):
        assert _ask(url) == []


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LARGEST", 100_000)
    bomb = gzip.compress(bytes(10_000_000))
    error = _error(lambda exchange: exchange.send(bomb, 200, {"Content-Encoding": "gzip"}))
    assert "is longer than" in error.reason
    assert error.remedy == "narrow it: --match, --most"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (422, b'{"status":"error","error":"query processing would load too many samples"}', "too many samples"),
        (503, b'{"status":"error","errorType":"timeout","error":"query timed out"}', "query timed out"),
        (503, b"<html>starting</html>", "gave up a query, or is starting (HTTP 503)"),
        (404, b"404 page not found", "has no query API there"),
        (302, b"", "sends elsewhere (HTTP 302)"),
        (500, b"\xff\xfe", "answered with HTTP 500"),
        (401, b"Unauthorized", "does not allow it (HTTP 401)"),
    ],
)
def test_a_refusal_is_one_sentence_with_the_servers_own_words(status: int, body: bytes, words: str) -> None:
    error = _error(lambda exchange: exchange.send(body, status))
    assert words in error.reason
    assert "\n" not in error.reason


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"va',
        b"<html>Grafana</html>",
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":1}}]}}',
        b'{"status":"success"}',
        b"[" * 100_000,
    ],
)
def test_half_an_answer_and_rubbish_are_one_sentence(body: bytes) -> None:
    error = _error(lambda exchange: exchange.send(body))
    assert isinstance(error, SourceDown)
    assert len(error.reason) < 400


def test_what_a_server_sends_steers_no_terminal() -> None:
    error = _error(lambda exchange: exchange.send(b"\x1b]0;owned\x07" * 3))
    assert "\x1b" not in error.reason
    refused = _error(lambda exchange: exchange.send(b'{"error":"\\u001b[2J"}', 422))
    assert "\x1b" not in refused.reason


def test_ten_million_series_are_counted_and_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_SERIES", 1000)
    many = b",".join([b'{"metric":{},"value":[0,"1"]}'] * 2000)
    body = b'{"status":"success","data":{"resultType":"vector","result":[' + many + b"]}}"
    error = _error(lambda exchange: exchange.send(body))
    assert "has more than 1,000 series (2,000)" in error.reason


def test_a_server_that_says_nothing_is_given_up() -> None:
    ended = threading.Event()
    error = _error(lambda exchange: ended.wait(10) and None)
    ended.set()
    assert isinstance(error, NotInTime)
    assert "did not answer within 1 s" in error.reason


def test_a_server_that_goes_on_sending_for_ever_is_given_up() -> None:
    def answer(exchange: Exchange) -> None:
        exchange.handler.send_response(200)
        exchange.handler.end_headers()
        try:
            while True:
                exchange.handler.wfile.write(b" " * 1000)
        except OSError:
            return

    error = _error(answer)
    assert isinstance(error, SourceError)


def test_nobody_who_listens_is_one_sentence() -> None:
    with query_server(lambda exchange: None) as (url, _):
        pass
    with pytest.raises(SourceDown, match="cannot be asked: Connection refused"):
        _ask(url)


def test_a_token_and_a_password_come_from_files_that_only_their_owner_can_read(tmp_path: Path) -> None:
    token, password = tmp_path / "token", tmp_path / "password"
    token.write_text("s3cret\n")
    password.write_text("geheim\n")
    token.chmod(0o600)
    password.chmod(0o600)
    with query_server(lambda exchange: exchange.send_series()) as (url, asked):
        _ask(url, token_file=str(token))
        _ask(url, user="ops", password_file=str(password))
    assert asked[0].headers["Authorization"] == "Bearer s3cret"
    assert asked[1].headers["Authorization"] == "Basic " + base64.b64encode(b"ops:geheim").decode()


def test_a_secret_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    token.chmod(0o644)
    with query_server(lambda exchange: exchange.send_series()) as (url, asked), pytest.raises(AccessDenied) as caught:
        _ask(url, token_file=str(token))
    assert caught.value.remedy == f"chmod 600 {token}"
    assert "s3cret" not in caught.value.reason
    assert asked == []


@pytest.mark.parametrize("content", ["", "\n", "with\x1bescape\n", "\u00e4\n"])
def test_a_file_without_a_usable_secret_is_refused_without_showing_it(content: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(content)
    token.chmod(0o600)
    with pytest.raises(AccessDenied, match="no secret in its first line") as caught:
        read_secret(str(token))
    assert "escape" not in caught.value.reason


def test_a_secret_is_one_line_so_that_it_adds_no_header(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\r\nHost: evil\r\n")
    token.chmod(0o600)
    assert read_secret(str(token)) == "s3cret"


def test_a_certificate_of_an_authority_that_is_named_is_accepted_and_no_other(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    both = tmp_path / "both.pem"
    both.write_text(certificate.read_text() + certificate.with_suffix(".key").read_text())
    with query_server(lambda exchange: exchange.send_series(_ONE), both) as (url, _):
        assert len(_ask(url, ca_file=str(certificate))) == 1
        with pytest.raises(AccessDenied, match="is not valid: self-signed certificate") as caught:
            _ask(url)
        assert 'ca_file = "FILE"' in caught.value.remedy
        with pytest.raises(AccessDenied, match="cannot be used: No such file"):
            _ask(url, ca_file=str(tmp_path / "none.pem"))
