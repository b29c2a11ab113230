"""The configuration as the rest of vmtop uses it, and where its file is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from collectors.safety.sanitize import sanitize
from tui.settings.paths import config_folder

if TYPE_CHECKING:
    from collectors.alerts.rule import Rule
    from collectors.fleet.hosts import HostSpec
    from collectors.model.workloads import Kind
    from collectors.prometheus.server import Server
    from tui.configuration.own_commands import OwnCommand

_LONGEST_MESSAGE = 2000
_EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a graceful stop or restart may take, by kind, in seconds."""

    container: float = 10.0
    vm: float = 60.0
    service: float = 90.0

    def of(self, kind: Kind) -> float:
        """Return the time that a workload of a kind is given."""
        return {"vm": self.vm, "service": self.service}.get(kind, self.container)


@dataclass(frozen=True, slots=True)
class ActionConfig:
    """What may be acted on, and how."""

    allow_protected: tuple[str, ...] = ()
    timeout_s: Timeouts = Timeouts()


@dataclass(frozen=True, slots=True)
class Config:
    """What the configuration says, apart from the options of commands and of the screen."""

    read_only: bool = False
    actions: ActionConfig = ActionConfig()
    keymap: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    """The keys of actions, by their names: Textual's key names, separated by commas; empty leaves none."""
    presets: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _EMPTY)
    """The user's sets of columns, by name: keys of the table."""
    commands: tuple[OwnCommand, ...] = ()
    alerts: tuple[Rule, ...] = ()
    """The rules for alerts that the user wrote or changed."""
    hosts: tuple[HostSpec, ...] = ()
    servers: Mapping[str, Server] = field(default_factory=lambda: _EMPTY)
    """Prometheus and VictoriaMetrics, by name."""
    problem: str = ""
    """Why the file is not used; a sentence. The configuration is then the default, and actions are locked."""


class ConfigError(Exception):
    """The file exists but cannot be used; the message says where and why."""

    def __init__(self, message: str) -> None:
        super().__init__(sanitize(message, _LONGEST_MESSAGE))


def config_file() -> Path:
    """Return the path of the configuration file, which may not exist."""
    return config_folder() / "config.toml"
