"""The web configuration file: TLS and who may ask, in the format of Prometheus' exporter-toolkit.

https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md. What of it vmtop does not have is
refused by name, and not ignored.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from collectors.exposition.web.passwords import HASH, Passwords, load_crypt
from collectors.exposition.web.yaml_subset import Mapping, YamlError, parse
from collectors.safety.sanitize import sanitize

Choice = TypeVar("Choice")

_LARGEST = 1 << 20
_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_CLIENTS = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
_TLS = ("cert_file", "key_file", "client_auth_type", "client_ca_file", "min_version", "max_version")
_HEADERS = (
    "Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options", "X-XSS-Protection",
    "Content-Security-Policy",
)  # fmt: skip


class WebError(Exception):
    """The file cannot be used; the message is one sentence."""


class Web(NamedTuple):
    """What a web configuration says."""

    tls: ssl.SSLContext | None = None
    passwords: Passwords | None = None
    """`None`: everyone may ask."""
    headers: tuple[tuple[str, str], ...] = ()
    files: tuple[Path, ...] = ()
    """What it was read from."""


def read_web(path: Path) -> Web:
    """Read a web configuration file; the files that it names are relative to its folder.

    Raises:
        WebError: It cannot be read or used.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise YamlError("it has more than 1 MiB")
        return _web(parse(content.decode("utf-8")), path)
    except OSError as error:
        raise WebError(f"the web configuration {sanitize(str(path))} cannot be read: {error.strerror}") from error
    except ValueError as error:  # of YAML, or of text that is not UTF-8
        raise WebError(f"{sanitize(str(path))}: {sanitize(str(error))}") from error


def _web(document: Mapping, path: Path) -> Web:
    _refuse_unknown(document, ("tls_server_config", "http_server_config", "basic_auth_users"), "")
    tls_section = _section(document, "tls_server_config")
    http, users = _section(document, "http_server_config"), _section(document, "basic_auth_users")
    files = [path]
    tls = None
    if tls_section.values:
        _refuse_unknown(tls_section, _TLS, "tls_server_config.")
        names = {key: path.parent / _text(tls_section, key) for key in tls_section.values if key.endswith("_file")}
        files += names.values()
        tls = _context(tls_section, names)
    _refuse_unknown(http, ("http2", "headers"), "http_server_config.")
    headers = _section(http, "headers")
    _refuse_unknown(headers, _HEADERS, "http_server_config.headers.")
    sent = tuple((name, _text(headers, name)) for name in headers.values)
    return Web(tls, _passwords(users), sent, tuple(files))


def _context(section: Mapping, names: dict[str, Path]) -> ssl.SSLContext:
    if "cert_file" not in names or "key_file" not in names:
        raise YamlError("tls_server_config needs cert_file and key_file")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _one_of(section, "min_version", _VERSIONS, "TLS12")
    context.maximum_version = _one_of(section, "max_version", _VERSIONS, "TLS13")
    wanted = _one_of(section, "client_auth_type", _CLIENTS, "NoClientCert")
    _used(names["cert_file"], lambda: context.load_cert_chain(names["cert_file"], names["key_file"], _no_password))
    if "client_ca_file" in names:
        _used(names["client_ca_file"], lambda: context.load_verify_locations(names["client_ca_file"]))
    if wanted is not ssl.CERT_NONE and "client_ca_file" not in names:
        raise YamlError("client_auth_type needs client_ca_file")
    context.verify_mode = wanted
    return context


def _no_password() -> str:
    raise YamlError("the key in key_file has a password: vmtop cannot ask for it")


def _used(path: Path, use: Callable[[], None]) -> None:
    try:
        use()
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise YamlError(f"{path} cannot be used: {reason}") from error


def _passwords(users: Mapping) -> Passwords | None:
    if not users.values:
        return None
    hashes = {user: _text(users, user) for user in users.values}
    for user, hashed in hashes.items():
        if not HASH.fullmatch(hashed):
            raise YamlError(
                f"line {users.lines[user]}: the password of {user} has to be a bcrypt hash of cost 4 to 16, "
                "as `htpasswd -nBC 10 USER` prints it after the colon"
            )
    library = load_crypt()
    if library is None:
        raise YamlError("basic_auth_users needs a C library whose crypt(3) knows bcrypt, such as libxcrypt")
    return Passwords(hashes, library)


def _section(mapping: Mapping, key: str) -> Mapping:
    value = mapping.values.get(key, "")
    if value == "":
        return Mapping({}, {})
    if not isinstance(value, Mapping):
        raise YamlError(f"line {mapping.lines[key]}: {key} has to be a mapping")
    return value


def _text(mapping: Mapping, key: str) -> str:
    value = mapping.values[key]
    if not isinstance(value, str) or not value or not value.isprintable():
        raise YamlError(f"line {mapping.lines[key]}: {key} has to be one value")
    return value


def _one_of(mapping: Mapping, key: str, choices: dict[str, Choice], default: str) -> Choice:
    name = _text(mapping, key) if key in mapping.values else default
    if name not in choices:
        raise YamlError(f"line {mapping.lines[key]}: {key} can be {', '.join(choices)}")
    return choices[name]


def _refuse_unknown(mapping: Mapping, known: tuple[str, ...], where: str) -> None:
    for key in mapping.values:
        if key not in known:
            raise YamlError(f"line {mapping.lines[key]}: vmtop has no {where}{key}")


class Watched:
    """A web configuration that is read again when one of its files has changed, such as a renewed certificate.

    Args:
        path: The file.

    Raises:
        WebError: It cannot be used. Later, a file that cannot be used leaves what was read before in force.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._web = read_web(path)
        self._state = _state(self._web.files)
        self.problem = ""
        """Why the newest state of the files is not in force; empty where it is."""

    def now(self) -> Web:
        """Return what is in force."""
        state = _state(self._web.files)
        if state != self._state:
            self._state = state
            try:
                self._web, self.problem = read_web(self._path), ""
                self._state = _state(self._web.files)
            except WebError as error:
                self.problem = str(error)
        return self._web


def _state(files: tuple[Path, ...]) -> tuple[tuple[int, int, int] | None, ...]:
    found: list[tuple[int, int, int] | None] = []
    for path in files:
        try:
            status = os.stat(path)
        except OSError:
            found.append(None)
        else:
            found.append((status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(found)
