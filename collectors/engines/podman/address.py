"""Finds Podman as the podman command does: the option, CONTAINER_HOST, or the socket of this user's service."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from collectors.engines.docker.connection.address import checked, named
from collectors.engines.docker.connection.endpoint import Endpoint
from collectors.engines.podman.product import PODMAN
from collectors.engines.podman.sockets import own_socket
from collectors.model.errors import SourceDown
from collectors.safety.sanitize import sanitize

_PATH = re.compile(r"/[\w.@:+/-]*", re.ASCII)


def resolve(
    url: str | None, insecure: bool = False, environ: Mapping[str, str] = os.environ, uid: int | None = None
) -> Endpoint:
    """Find Podman. Raises as `docker.address.resolve` does; `uid` is the user who asks, this one unless given."""
    address = named(url, environ, PODMAN)
    if not address:
        address = "unix://" + own_socket(environ, os.geteuid() if uid is None else uid)
    endpoint = Endpoint(address, product=PODMAN)
    return checked(_at_path(endpoint) if endpoint.is_ssh else endpoint, insecure)


def _at_path(endpoint: Endpoint) -> Endpoint:
    """Have the command on the other host go to the socket that the path of an ssh address names."""
    parts = urlsplit(endpoint.url)
    if not parts.path.strip("/"):
        return endpoint
    if not _PATH.fullmatch(parts.path):
        raise SourceDown(f"the path of a socket has characters that vmtop does not pass on: {sanitize(endpoint.url)}")
    dial = f"podman --url {shlex.quote('unix://' + parts.path)} system dial-stdio"
    return Endpoint(parts._replace(path="").geturl(), product=replace(PODMAN, dial=dial))
