"""What the messages about an engine call it, and where it is configured. Imports nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """An engine that speaks Docker's API."""

    name: str
    """As its makers write it."""
    flag: str
    """The option with its address."""
    variable: str
    """The environment variable with its address."""
    units: tuple[str, ...]
    """The names of its systemd unit on different distributions."""
    group: str
    """Whose members may use its socket on most hosts; empty where only its owner may."""
    protection: str
    """How to reach it on another host so that nobody else can."""
    dial: str
    """The command that connects its standard input and output to the engine of the host that it runs on."""


DOCKER = Product(
    "Docker",
    "--docker",
    "DOCKER_HOST",
    ("docker.service",),
    "docker",
    "set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, use ssh://",
    "docker system dial-stdio",
)
