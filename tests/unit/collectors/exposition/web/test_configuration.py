"""The web configuration file, as other exporters have it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.exposition.web.configuration import Watched, WebError, read_web
from collectors.exposition.web.yaml_subset import Mapping, YamlError, parse
from tests.helpers.certificates import make_certificate

BCRYPT = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"
"""Of U*U*, from the test vectors of crypt_blowfish."""


def _plain(mapping: Mapping) -> dict[str, object]:
    return {key: _plain(value) if isinstance(value, Mapping) else value for key, value in mapping.values.items()}


def test_the_yaml_of_the_toolkits_documentation_is_read() -> None:
    text = """---
# comment
tls_server_config:
  cert_file: server.crt   # beside it
  key_file: 'it''s.key'
  cipher_suites: [ TLS_A, "TLS_B" ]
  client_allowed_sans:
  - one
  - two
http_server_config:
    headers:
        X-Frame-Options: deny
basic_auth_users:
  alice: $2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze
  "bob#1": "#x"
"""
    assert _plain(parse(text)) == {
        "tls_server_config": {
            "cert_file": "server.crt",
            "key_file": "it's.key",
            "cipher_suites": ["TLS_A", "TLS_B"],
            "client_allowed_sans": ["one", "two"],
        },
        "http_server_config": {"headers": {"X-Frame-Options": "deny"}},
        "basic_auth_users": {
            "alice": "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze",
            "bob#1": "#x",
        },
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: &x b", 1),
        ("a: *x", 1),
        ("a: {b: c}", 1),
        ("a: |\n  b", 1),
        ("a: !!str b", 1),
        ("a: b: c", 1),
        ("a: 'b", 1),
        ("a:\n\tb: c", 2),
        ("a: b\na: c", 2),
        ("a: b\n  c: d", 2),
        ("  a: b\nc: d", 2),
        ("a: [b", 1),
        ("a: b\n---\nc: d", 2),
        ("a:\n b:\n  c:\n   d:\n    e: f", 5),
        ("- a", 1),
    ],
)
def test_yaml_that_could_be_misread_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(YamlError, match=f"^line {line}: "):
        parse(text)


@given(st.text(alphabet="ab:-# \n\t'\"[],{}&*\\$.", max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(YamlError):
        parse(text)


def _write(folder: Path, text: str) -> Path:
    path = folder / "web.yml"
    path.write_text(text)
    return path


def test_an_empty_file_is_no_tls_and_no_passwords(tmp_path: Path) -> None:
    web = read_web(_write(tmp_path, "# nothing\n"))
    assert web.tls is None
    assert web.passwords is None


def test_passwords_are_checked_against_their_hashes(tmp_path: Path) -> None:
    passwords = read_web(_write(tmp_path, f"basic_auth_users:\n  ann: {BCRYPT}\n")).passwords
    assert passwords is not None
    assert passwords.may("ann", b"U*U*")
    assert passwords.may("ann", b"U*U*")
    assert not passwords.may("ann", b"U*U")
    assert not passwords.may("bob", b"U*U*")
    assert not passwords.may("", b"")
    assert not passwords.may("ann", b"U*U*\0")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("tls_config:\n  a: b", "line 1: vmtop has no tls_config"),
        ("tls_server_config:\n  cipher_suites: [a]", "line 2: vmtop has no tls_server_config.cipher_suites"),
        ("http_server_config:\n  headers:\n    Server: x", "line 3: vmtop has no http_server_config.headers.Server"),
        ("tls_server_config:\n  cert_file: a", "needs cert_file and key_file"),
        ("basic_auth_users:\n  ann: secret", "line 2: the password of ann has to be a bcrypt hash"),
        ("basic_auth_users: x", "line 1: basic_auth_users has to be a mapping"),
        ("tls_server_config:\n  cert_file: none.crt\n  key_file: none.key", "cannot be used: No such file"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(WebError) as caught:
        read_web(_write(tmp_path, text))
    assert sentence in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(WebError, match="cannot be read: No such file"):
        read_web(tmp_path / "none.yml")


def test_tls_files_are_relative_to_the_configuration(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    text = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  min_version: TLS13\n"
    web = read_web(_write(tmp_path, text))
    assert web.tls is not None
    assert tmp_path / "server.crt" in web.files
    for extra, sentence in (
        ("  client_auth_type: RequireAndVerifyClientCert\n", "needs client_ca_file"),
        ("  client_auth_type: Maybe\n", "line 5: client_auth_type can be NoClientCert"),
        ("  max_version: TLS10\n", "line 5: max_version can be TLS12, TLS13"),
    ):
        with pytest.raises(WebError, match=sentence):
            read_web(_write(tmp_path, text + extra))


def test_a_changed_file_takes_effect_and_a_broken_one_leaves_the_last_in_force(tmp_path: Path) -> None:
    path = _write(tmp_path, "")
    watched = Watched(path)
    assert watched.now().passwords is None
    _write(tmp_path, f"basic_auth_users:\n  ann: {BCRYPT}\n")
    assert watched.now().passwords is not None
    _write(tmp_path, "basic_auth_users: [")
    assert watched.now().passwords is not None
    assert "web.yml" in watched.problem
