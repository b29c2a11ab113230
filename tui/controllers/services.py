"""What a run of vmtop needs beside its frames: the way to the engines, the configuration, the folders of its files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from collectors.engines.connections import EngineConnections
from collectors.sampling.source import SourceSpec
from tui.settings.config import Config


@dataclass(frozen=True, slots=True)
class Services:
    """Made once, from the command line and the configuration."""

    connections: EngineConnections
    config: Config = field(default_factory=Config)
    action_log: Path | None = None
    """`None` keeps the log of actions in memory."""


def make_services(specs: Sequence[SourceSpec], config: Config, action_log: Path | None) -> Services:
    """Return the means for the sources that are sampled. No file keeps what is done to workloads that do not exist."""
    connections = EngineConnections(specs)
    return Services(connections, config, None if connections.is_simulated else action_log)


def who() -> str:
    """Name the person for the log: the user, who they were before sudo, where they came from."""
    import getpass

    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    before = os.environ.get("SUDO_USER")
    origin = os.environ.get("SSH_CONNECTION", "").partition(" ")[0]
    return name + (f" (sudo by {before})" if before else "") + (f" from {origin}" if origin else "")
