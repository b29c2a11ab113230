"""The configuration file: `vmtop/config.toml` in the user's configuration folder (XDG Base Directory), TOML.

read_only = true            # start locked; L unlocks
[actions]
allow_protected = ["container:registry"]   # may be acted on although protected: a name, an id, or kind:name
[actions.timeout_s]         # how long a graceful stop or restart may take
container = 10
vm = 60
service = 90
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from collectors.model.workloads import Kind
from collectors.safety.sanitize import sanitize
from tui.settings.paths import config_folder

_LONGEST_MESSAGE = 1000
Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]


class Timeouts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a graceful stop or restart may take, by kind."""

    container: Seconds = 10.0
    vm: Seconds = 60.0
    service: Seconds = 90.0

    def of(self, kind: Kind) -> float:
        """Return the time that a workload of a kind is given."""
        return {Kind.VM: self.vm, Kind.SERVICE: self.service}.get(kind, self.container)


class ActionConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be acted on, and how."""

    allow_protected: tuple[str, ...] = ()
    timeout_s: Timeouts = Timeouts()


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that can be configured."""

    read_only: bool = False
    actions: ActionConfig = ActionConfig()


class ConfigError(Exception):
    """The file exists but cannot be used; the message says where and why."""

    def __init__(self, message: str) -> None:
        super().__init__(sanitize(message, _LONGEST_MESSAGE))


def config_file() -> Path:
    """Return the path of the configuration file, which may not exist."""
    return config_folder() / "config.toml"


def load_config(path: Path | None = None) -> Config:
    """Read the configuration; without a file, everything has its default.

    Raises:
        ConfigError: The file cannot be read, is not TOML, or has an unknown key or an invalid value.
    """
    path = path or config_file()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the configuration {path} cannot be read: {error}") from error
    import tomllib

    try:
        return msgspec.convert(tomllib.loads(text), Config)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the configuration {path} is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise ConfigError(f"the configuration {path} has a mistake: {error}") from error
