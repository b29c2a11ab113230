"""Services of one vmtop run: connections to the engines, configuration, path of the action log."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from collectors.engines.connections import EngineConnections
from collectors.fleet.access import accesses
from collectors.sampling.source import SourceSpec
from tui.configuration.config import Config


@dataclass(frozen=True, slots=True)
class Services:
    """Created once, from the command line and the configuration."""

    connections: EngineConnections
    config: Config = field(default_factory=Config)
    action_log: Path | None = None
    """`None` keeps the action log in memory only."""


def make_services(specs: Sequence[SourceSpec], config: Config, action_log: Path | None) -> Services:
    """Return the services for the sampled sources. Actions on simulated workloads are never logged to a file."""
    connections = EngineConnections(specs, hosts=accesses(specs))
    return Services(connections, config, None if connections.is_simulated else action_log)


def who() -> str:
    """Return the user for the action log, with the user before sudo and the SSH client address if there are any."""
    import getpass

    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    sudo_user = os.environ.get("SUDO_USER")
    origin = os.environ.get("SSH_CONNECTION", "").partition(" ")[0]
    return name + (f" (sudo by {sudo_user})" if sudo_user else "") + (f" from {origin}" if origin else "")
