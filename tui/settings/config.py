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

import errno
import os
import stat
from pathlib import Path
from typing import Annotated

import msgspec

from collectors.model.workloads import Kind
from collectors.safety.own_folder import check_path
from collectors.safety.sanitize import sanitize
from tui.settings.paths import config_folder

_LONGEST_MESSAGE = 1000
_LARGEST = 64 << 10
"""Bytes of the file."""
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
        text = _read(path)
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise ConfigError(f"the configuration {path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"the configuration {path} cannot be read: {error}") from error
    import tomllib

    try:
        return msgspec.convert(tomllib.loads(text), Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"the configuration {path} has a mistake: {error}") from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or a number too long to convert
        raise ConfigError(f"the configuration {path} is not TOML: {error}") from error


def _read(path: Path) -> str:
    """Return the text of a file. A pipe or a device in its place neither blocks nor is read.

    Raises:
        OSError: It cannot be read, another user could change it, or it is no regular file of a reasonable size.
        UnicodeDecodeError: It is not UTF-8.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if status.st_size > _LARGEST:
            raise OSError(errno.EFBIG, f"it is longer than {_LARGEST >> 10} KiB")
        check_path(path)
        return os.read(descriptor, _LARGEST).decode("utf-8")
    finally:
        os.close(descriptor)
