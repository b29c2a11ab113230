"""Finds the Docker engine as the docker command does."""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from collectors.engines.address_text import visible
from collectors.engines.docker.endpoint import Endpoint, remedy_for
from collectors.engines.ssh_target import ssh_target
from collectors.model.errors import AccessDenied, SourceAbsent, SourceDown
from collectors.safety.permissions import mount_remedy
from collectors.safety.sanitize import sanitize

_SCHEMES = frozenset({"unix", "tcp", "http", "https", "ssh", "http+unix", "npipe"})
_HOST_AND_PORT = re.compile(r"[^/]*:\d{1,5}")
"""An address without a scheme that the docker command reads as `tcp://`."""


def resolve(url: str | None, insecure: bool = False, environ: Mapping[str, str] = os.environ) -> Endpoint:
    """Find the engine as the docker command does: `url`, DOCKER_HOST, context, default socket.

    Raises:
        SourceAbsent: There is no socket, or no such context.
        AccessDenied: The socket is not accessible, or the address is unencrypted without `insecure`.
        SourceDown: The address is malformed, or needs a program that is not installed.
    """
    endpoint = _find(url, environ)
    if not insecure and _is_exposed(endpoint):
        raise AccessDenied(
            f"Docker at {endpoint.shown} is not protected by TLS, so vmtop does not connect",
            "set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, use ssh://, or allow it with --insecure",
        )
    if endpoint.socket is not None:
        check_socket(endpoint.socket)
    if endpoint.is_ssh:
        ssh_target(endpoint.url)
        if urlsplit(endpoint.url).path.strip("/"):
            raise SourceDown(f"an ssh address of Docker has no path: {sanitize(endpoint.url)}")
        if shutil.which("ssh") is None:
            raise SourceDown("ssh:// needs the OpenSSH client", "sudo apt-get install openssh-client")
    return endpoint


def check_socket(path: Path) -> None:
    """Raise `SourceAbsent` or `AccessDenied` unless the path is a socket."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise SourceAbsent(f"no Docker socket at {sanitize(str(path))}", mount_remedy(sanitize(str(path)))) from None
    except PermissionError:
        raise AccessDenied(f"no permission to access {sanitize(str(path))}", remedy_for(path)) from None
    except OSError as error:
        raise SourceAbsent(f"no Docker socket at {sanitize(str(path))}: {error.strerror}") from None
    if not stat.S_ISSOCK(mode):
        raise SourceAbsent(f"no Docker socket at {sanitize(str(path))}: it is another type of file")


def _find(url: str | None, environ: Mapping[str, str]) -> Endpoint:
    setting = "--docker" if url else "DOCKER_HOST"
    address = visible(url or environ.get("DOCKER_HOST", ""), setting)
    if address:
        from docker.utils import kwargs_from_env

        _check_scheme(address, setting)
        return Endpoint(address, kwargs_from_env({**environ, "DOCKER_HOST": address}).get("tls"))
    from docker.context import ContextAPI
    from docker.context.config import get_current_context_name

    name = environ.get("DOCKER_CONTEXT") or get_current_context_name()
    context = ContextAPI.get_context(name)
    if context is None:
        raise SourceAbsent(f"there is no Docker context {sanitize(str(name))}", "docker context ls")
    if context.Name == "default":
        return Endpoint(_default_socket(environ))
    setting = f"the Docker context {sanitize(str(name))}"
    address = visible(str(context.Host), setting)
    _check_scheme(address, setting)
    return Endpoint(address, context.TLSConfig)


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
    joints = {"DOCKER_HOST": "export DOCKER_HOST=", "--docker": "--docker "}
    return joints[setting] + address if setting in joints else "docker context inspect"


def _default_socket(environ: Mapping[str, str]) -> str:
    """Return the first existing socket: Docker's, a rootless Docker's, then Podman's; Docker's if there is none."""
    runtime_dir = environ.get("XDG_RUNTIME_DIR")
    paths = ["/var/run/docker.sock"]
    paths += [f"{runtime_dir}/docker.sock"] if runtime_dir else []
    paths += ["/run/podman/podman.sock"]
    paths += [f"{runtime_dir}/podman/podman.sock"] if runtime_dir else []
    return "unix://" + next((path for path in paths if os.path.exists(path)), paths[0])


def _is_exposed(endpoint: Endpoint) -> bool:
    """Return whether others on the network could read or change the traffic, or impersonate the engine."""
    parts = urlsplit(endpoint.url if "://" in endpoint.url else f"tcp://{endpoint.url}")
    if endpoint.is_local or parts.scheme not in ("tcp", "http", "https") or _is_loopback(parts.hostname or ""):
        return False
    if endpoint.tls is None:
        return parts.scheme != "https"
    return not endpoint.tls.verify


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
