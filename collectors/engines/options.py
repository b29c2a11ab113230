"""The command-line options of an engine, as plain data. Imports nothing heavy: `--help` has to be quick."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class EngineOption:
    """An option of every command that reads sources."""

    flag: str
    """The option as typed, such as `--docker`."""
    key: str
    """The argument of the engine's source that takes the value."""
    help: str
    metavar: str = ""
    """Placeholder of the address in the help; empty for a switch. An address option may be repeated."""
    schemes: tuple[str, ...] = ()
    """Prefixes that an address may have, such as `tcp://`; empty allows any."""
    variable: str = ""
    """Environment variable with the address if the option is not given; empty without one."""

    @property
    def is_switch(self) -> bool:
        """Whether it takes no value."""
        return not self.metavar

    @property
    def parameter(self) -> str:
        """Its key in the values that `registry.specs_from` takes."""
        return self.flag.removeprefix("--").replace("-", "_")


def source_label(name: str, address: str | None, count: int) -> str:
    """Return a source's name in the header; if there are several, with host or path. Never contains a password."""
    if address is None or count < 2:
        return name
    parts = urlsplit(address)
    return f"{name}@{parts.netloc.rpartition('@')[2] or parts.path}"
