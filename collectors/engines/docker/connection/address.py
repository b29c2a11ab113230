"""Finds the Docker engine as the docker command does."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from collectors.engines.address_text import visible
from collectors.engines.docker.connection.endpoint import Endpoint, remedy_for
from collectors.engines.docker.connection.library import load_library
from collectors.engines.docker.connection.product import DOCKER, Product
from collectors.engines.ssh_target import ssh_target
from collectors.model.errors import AccessDenied, SourceAbsent, SourceDown
from collectors.safety.loopback import is_loopback
from collectors.safety.permissions import mount_remedy
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import at

_SCHEMES = frozenset({"unix", "tcp", "http", "https", "ssh", "http+unix", "npipe"})
_LOCAL = ("unix:", "http+unix:")
"""How the address of a socket begins; TLS has no part in it."""
_DEFAULT = "default"
"""The context that is not kept in a file."""
_LARGEST_CONFIG = 1 << 20
_SOCKET = "/var/run/docker.sock"
_HOST_AND_PORT = re.compile(r"[^/]*:\d{1,5}")
"""An address without a scheme that the docker command reads as `tcp://`."""


def resolve(url: str | None, insecure: bool = False, environ: Mapping[str, str] = os.environ) -> Endpoint:
    """Find the engine as the docker command does: `url`, DOCKER_HOST, context, default socket.

    Raises:
        SourceAbsent: There is no socket, or no such context.
        AccessDenied: The socket is not accessible, or the address is unencrypted without `insecure`.
        SourceDown: The address is malformed, or needs a program that is not installed.
    """
    endpoint = checked(_find(url, environ), insecure)
    if endpoint.is_ssh and urlsplit(endpoint.url).path.strip("/"):
        raise SourceDown(f"an ssh address of Docker has no path: {sanitize(endpoint.url)}")
    return endpoint


def checked(endpoint: Endpoint, insecure: bool) -> Endpoint:
    """Return an endpoint that may be used.

    Raises:
        SourceAbsent: There is no socket.
        AccessDenied: The socket is not accessible, or the address is unencrypted without `insecure`.
        SourceDown: It needs a program that is not installed.
    """
    if not insecure and _is_exposed(endpoint):
        raise AccessDenied(
            f"{endpoint.product.name} at {endpoint.shown} is not protected by TLS, so vmtop does not connect",
            f"{endpoint.product.protection}, or allow it with --insecure",
        )
    if endpoint.socket is not None:
        check_socket(endpoint.socket, endpoint.product)
    if endpoint.is_ssh:
        ssh_target(endpoint.url)
        if shutil.which("ssh") is None:
            raise SourceDown("ssh:// needs the OpenSSH client", "sudo apt-get install openssh-client")
    return endpoint


def check_socket(path: Path, product: Product = DOCKER) -> None:
    """Raise `SourceAbsent` or `AccessDenied` unless the path is a socket."""
    none_here = f"no {product.name} socket at {sanitize(str(path))}"
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise SourceAbsent(none_here, mount_remedy(sanitize(str(path)))) from None
    except PermissionError:
        raise AccessDenied(f"no permission to access {sanitize(str(path))}", remedy_for(path, product)) from None
    except OSError as error:
        raise SourceAbsent(f"{none_here}: {error.strerror}") from None
    if not stat.S_ISSOCK(mode):
        raise SourceAbsent(f"{none_here}: it is another type of file")


def named(url: str | None, environ: Mapping[str, str], product: Product) -> str:
    """Return the address in the option or in the product's variable; empty without either.

    Raises:
        SourceDown: It has no scheme that is known, or characters that cannot be seen.
    """
    setting = product.flag if url else product.variable
    address = visible(url or environ.get(product.variable, ""), setting)
    if address:
        _check_scheme(address, setting)
    return address


def _find(url: str | None, environ: Mapping[str, str]) -> Endpoint:
    if address := named(url, environ, DOCKER):
        if address.startswith(_LOCAL):
            return Endpoint(address)
        load_library()
        from docker.utils import kwargs_from_env

        return Endpoint(address, kwargs_from_env({**environ, "DOCKER_HOST": address}).get("tls"))
    name = environ.get("DOCKER_CONTEXT") or _current_context()
    if name == _DEFAULT:
        return Endpoint("unix://" + default_socket(environ))
    load_library()
    from docker.context import ContextAPI

    context = ContextAPI.get_context(name)
    if context is None:
        raise SourceAbsent(f"there is no Docker context {sanitize(str(name))}", "docker context ls")
    setting = f"the Docker context {sanitize(str(name))}"
    address = visible(str(context.Host), setting)
    _check_scheme(address, setting)
    return Endpoint(address, context.TLSConfig)


def _current_context() -> str:
    """Return the name of the context that `docker context use` chose; that of the default one without a choice."""
    folder = os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
    try:
        with open(os.path.join(folder, "config.json"), "rb") as file:
            chosen = at(json.loads(file.read(_LARGEST_CONFIG)), "currentContext")
    except (OSError, ValueError, RecursionError):
        return _DEFAULT
    return chosen if isinstance(chosen, str) and chosen else _DEFAULT


def _check_scheme(address: str, setting: str) -> None:
    """Raise `SourceDown`, with the address that was probably meant, unless it begins with a scheme or is HOST:PORT."""
    scheme = address.partition("://" if "://" in address else ":")[0]
    if scheme in _SCHEMES or _HOST_AND_PORT.fullmatch(address):
        return
    shown = sanitize(address)
    if "://" in address:
        raise SourceDown(f"{setting} has an unknown scheme: {shown}", _meant(setting, "unix://PATH or ssh://HOST"))
    meant = f"unix://{shown}" if address.startswith("/") else "unix://PATH, tcp://HOST:PORT or ssh://HOST"
    raise SourceDown(f"the scheme is missing in {setting}: {shown}", _meant(setting, meant))


def _meant(setting: str, address: str) -> str:
    if setting.startswith("--"):
        return f"{setting} {address}"
    return f"export {setting}={address}" if setting.isupper() else "docker context inspect"


def default_socket(environ: Mapping[str, str]) -> str:
    """Return the path of the first existing socket: Docker's, then a rootless Docker's; Docker's if there is none."""
    runtime_dir = environ.get("XDG_RUNTIME_DIR")
    paths = [_SOCKET, *([f"{runtime_dir}/docker.sock"] if runtime_dir else [])]
    return next((path for path in paths if os.path.exists(path)), _SOCKET)


def _is_exposed(endpoint: Endpoint) -> bool:
    """Return whether others on the network could read or change the traffic, or impersonate the engine."""
    parts = urlsplit(endpoint.url if "://" in endpoint.url else f"tcp://{endpoint.url}")
    if endpoint.is_local or parts.scheme not in ("tcp", "http", "https") or is_loopback(parts.hostname or ""):
        return False
    if endpoint.tls is None:
        return parts.scheme != "https"
    return not endpoint.tls.verify
