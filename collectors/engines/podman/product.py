"""What the messages call Podman. Imports nothing heavy."""

from __future__ import annotations

from collectors.engines.docker.connection.product import Product

PODMAN = Product(
    "Podman", "--podman", "CONTAINER_HOST", ("podman.socket",), "", "use ssh://", "podman system dial-stdio"
)
