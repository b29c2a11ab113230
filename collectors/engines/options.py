"""What an engine adds to the command line, as plain data. Nothing is imported here: `--help` has to be quick."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class EngineOption:
    """One option of every command that reads sources."""

    flag: str
    """As it is typed, such as `--docker`."""
    key: str
    """Name of the argument of the engine's source that takes the value."""
    help: str
    metavar: str = ""
    """What stands for the address in the help; empty for a switch. An address may be given several times."""
    schemes: tuple[str, ...] = ()
    """How an address has to begin, such as `tcp://`; empty allows any scheme."""
    variable: str = ""
    """Environment variable that holds the address when the option is not given."""

    @property
    def is_switch(self) -> bool:
        """Whether it takes no value."""
        return not self.metavar

    @property
    def parameter(self) -> str:
        """Its key in the values that `registry.specs_from` takes."""
        return self.flag.removeprefix("--").replace("-", "_")


def source_label(name: str, address: str | None, count: int) -> str:
    """Name a source for the header; where there are several, each with its host or path. Passwords stay out of it."""
    if address is None or count < 2:
        return name
    parts = urlsplit(address)
    return f"{name}@{parts.netloc.rpartition('@')[2] or parts.path}"
