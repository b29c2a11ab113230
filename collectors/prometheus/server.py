"""Where a Prometheus or VictoriaMetrics is, and how vmtop proves who it is. Secrets are in files, never in a URL.

Imports nothing heavy: the configuration is read by it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from collectors.model.errors import AccessDenied, SourceDown
from collectors.safety.loopback import is_loopback
from collectors.safety.permissions import why_not_private
from collectors.safety.sanitize import sanitize

if TYPE_CHECKING:
    import ssl

_LARGEST_SECRET = 64 << 10


class Server(msgspec.Struct, frozen=True):
    """A server with the HTTP API of Prometheus.

    The files are read when vmtop connects, so that a token may be renewed while it runs.
    """

    url: str
    """`http://` or `https://`, with a path where the API is below one, as of a tenant: `/select/0/prometheus`."""
    name: str = ""
    """Its name in the configuration; empty without one."""
    match: str = ""
    """Label matchers that everything is limited to, such as `job="vmtop",site="fra"`; empty for none."""
    insecure: bool = False
    """Allow plain HTTP to another host."""
    user: str = ""
    """For basic authentication, with the password in `password_file`."""
    password_file: str = ""
    token_file: str = ""
    """A bearer token."""
    ca_file: str = ""
    """Certificates to trust instead of the system's."""
    certificate_file: str = ""
    """The client's certificate, with the key in `key_file` unless it is in the same file."""
    key_file: str = ""

    @property
    def shown(self) -> str:
        """Its name, or its address without a path."""
        return sanitize(self.name or urlsplit(self.url).netloc, 60)

    @property
    def title(self) -> str:
        """One word for it."""
        host = urlsplit(self.url).hostname or ""
        is_name = not host.replace(".", "").isdigit() and ":" not in host
        return sanitize(self.name or (host if is_name else "fleet"), 60)

    @property
    def is_encrypted(self) -> bool:
        """Whether it is reached over TLS."""
        return urlsplit(self.url).scheme == "https"


def checked(server: Server) -> Server:
    """Return a server whose address may be used.

    Raises:
        AccessDenied: It would be asked over plain HTTP, on another host, without `insecure`.
        SourceDown: The address cannot be used; the sentence never contains a password.
    """
    try:
        parts = urlsplit(server.url)
        port = parts.port
    except ValueError:
        raise SourceDown("the address of Prometheus is not a URL", "--prometheus https://HOST:9090") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or not _is_plain(server.url):
        raise SourceDown(
            "the address of Prometheus is neither http:// nor https:// with a host", "--prometheus https://HOST:9090"
        )
    if parts.username is not None or parts.password is not None:
        raise SourceDown(
            "the address of Prometheus contains a user or a password, which every user of this host can read in the "
            "list of processes",
            'name it in the configuration: [prometheus.NAME] with url, user and password_file = "FILE"',
        )
    if parts.query or parts.fragment:
        raise SourceDown("the address of Prometheus ends in a query; it has to be that of the server")
    if parts.scheme == "http" and not server.insecure and not is_loopback(parts.hostname):
        raise AccessDenied(
            f"{sanitize(parts.hostname)} would be asked over plain HTTP, which anybody on the way can read and change",
            "use https://, or allow it with --insecure",
        )
    if server.user and not server.password_file:
        raise SourceDown(f"{server.shown} has a user but no password_file")
    if server.user and server.token_file:
        raise SourceDown(f"{server.shown} has both a user and a token_file; one of them has to go")
    return server


def _is_plain(url: str) -> bool:
    """Return whether a URL has only characters that an HTTP request line may have."""
    return url.isascii() and all("!" <= character <= "~" for character in url)


def authorization(server: Server) -> dict[str, str]:
    """Return the headers that prove who vmtop is.

    Raises:
        AccessDenied: A file is missing, may not be read, or others can read it.
    """
    if server.user:
        from base64 import b64encode

        secret = b64encode(f"{server.user}:{read_secret(server.password_file)}".encode()).decode()
        return {"Authorization": f"Basic {secret}"}
    if server.token_file:
        return {"Authorization": f"Bearer {read_secret(server.token_file)}"}
    return {}


def tls_context(server: Server) -> ssl.SSLContext:
    """Return how the server's certificate is verified, which it always is.

    Raises:
        AccessDenied: A file with certificates cannot be used.
    """
    import ssl

    try:
        context = ssl.create_default_context(cafile=str(_path(server.ca_file)) if server.ca_file else None)
        if server.certificate_file:
            key = str(_path(server.key_file)) if server.key_file else None
            context.load_cert_chain(str(_path(server.certificate_file)), key, password=_no_password)
    except (OSError, ValueError) as error:
        files = ", ".join(filter(None, (server.ca_file, server.certificate_file, server.key_file)))
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise AccessDenied(
            f"the certificates for {server.shown} ({sanitize(files)}) cannot be used: {reason}"
        ) from None
    return context


def _no_password() -> str:
    """Refuse a key with a password: OpenSSL would ask for it on the terminal, under the screen."""
    raise ValueError("the key has a password, which vmtop cannot ask for")


def read_secret(name: str) -> str:
    """Return the first line of a file that only its owner can read.

    Raises:
        AccessDenied: It is missing, is another user's, may be read by others, or holds no usable line.
    """
    where = sanitize(name)
    try:
        descriptor = os.open(_path(name), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise AccessDenied(f"{where} with the secret cannot be read: {error.strerror}") from None
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise AccessDenied(f"{where} with the secret is no regular file")
        if (problem := why_not_private(status, where, "secret")) is not None:
            raise AccessDenied(*problem)
        line = file.read(_LARGEST_SECRET).split(b"\n", 1)[0].strip()
    if not line or not line.isascii() or not line.decode().isprintable():
        raise AccessDenied(f"{where} has no secret in its first line, or one that cannot be sent")
    return line.decode()


def _path(name: str) -> Path:
    return Path(os.path.expanduser(name))
