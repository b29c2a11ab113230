"""The other hosts that vmtop is told of: their names, and how each is reached."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from collectors.engines.ssh_target import SshTarget, ssh_target
from collectors.model.errors import SourceError
from collectors.model.workloads import LOCAL_HOST
from collectors.safety.sanitize import sanitize

ALL, TAG = "all", "tag:"
"""What chooses the host that vmtop runs on, all hosts of the configuration, and those of them with a tag."""
MOST_HOSTS = 256
_NAME = re.compile(r"[\w:][\w.@:%+-]{0,62}", re.ASCII)
_PLAIN = re.compile(r"[\w.@:%+\\\[\]-]+", re.ASCII)
_TAG = re.compile(r"\w[\w.-]{0,62}", re.ASCII)
_LONGEST_COMMAND = 1000


class HostError(ValueError):
    """A host cannot be used; the message is a clause that says why, safe to show."""


@dataclass(frozen=True, slots=True)
class HostSpec:
    """Another host."""

    name: str
    """What the table and `WorkloadId.host` call it; unique."""
    address: str
    """`HOST`, `USER@HOST` or `USER@HOST:PORT`; the host may be an alias of `~/.ssh/config`."""
    command: str = "vmtop"
    """What starts vmtop there, for the shell of that user."""
    tags: tuple[str, ...] = ()
    """Words that hosts are chosen by."""

    @property
    def target(self) -> SshTarget:
        """Where to log in.

        Raises:
            HostError: The address is none.
        """
        address = self.address.removeprefix("ssh://")
        try:
            if not _PLAIN.fullmatch(address):  # the parser of URLs leaves out what URLs cannot have
                raise SourceError("")
            return ssh_target(f"ssh://{address}")
        except SourceError as error:
            raise HostError(
                "has to be HOST, USER@HOST or USER@HOST:PORT, without a password or a hyphen at the beginning"
            ) from error


def check_name(name: str) -> str:
    """Return a name that a host can have.

    Raises:
        HostError: It is reserved, or has characters that names cannot have.
    """
    if name in (LOCAL_HOST, ALL):
        raise HostError(f"cannot be {name!r}, which stands for the host that vmtop runs on, or for all others")
    if not _NAME.fullmatch(name) or name.startswith(TAG):
        raise HostError(
            "has to begin with a letter or digit, and to have at most 63 characters: letters, digits, . _ - @ : % +"
        )
    return name


def check_address(address: str) -> str:
    """Return an address that ssh can be given.

    Raises:
        HostError: It has a password, no host, or what ssh could take for an option.
    """
    _ = HostSpec("", address).target
    return address


def check_command(command: str) -> str:
    """Return a command line for the shell of the other host.

    Raises:
        HostError: It is empty, too long, or has control characters.
    """
    is_plain = not any(unicodedata.category(character).startswith("C") for character in command)
    if not command.strip() or len(command) > _LONGEST_COMMAND or not is_plain:
        raise HostError("has to be a command on one line")
    return command.strip()


def check_tag(tag: str) -> str:
    """Return a word that hosts can be chosen by.

    Raises:
        HostError: It has characters that tags cannot have.
    """
    if not _TAG.fullmatch(tag):
        raise HostError("has to begin with a letter or a digit, and to have letters, digits, . _ and - only")
    return tag


def host_of(address: str) -> HostSpec:
    """Return the host of an address that the configuration does not name.

    Raises:
        HostError: It is no address; the message is a sentence.
    """
    try:
        spec = HostSpec(address, check_address(address))
        return replace(spec, name=check_name(spec.target.host))
    except HostError as error:
        raise HostError(f"{sanitize(address)!r} {error}") from error


def choose(words: Iterable[str], known: Sequence[HostSpec]) -> tuple[bool, list[HostSpec]]:
    """Return whether this host is meant, and which others.

    Args:
        words: Names of hosts, addresses, `local`, `all`, `tag:TAG`.
        known: The hosts of the configuration.

    Raises:
        HostError: A word means no host, or there are too many; the message is a sentence.
    """
    chosen: dict[str, HostSpec] = {}
    is_local = False
    for word in words:
        if word == LOCAL_HOST:
            is_local = True
            continue
        for spec in _meant(word, known):
            taken = chosen.setdefault(spec.name, spec)
            if taken.address != spec.address:  # the same host with another user or port
                spec = replace(spec, name=check_name(spec.address))
                chosen.setdefault(spec.name, spec)
    if len(chosen) > MOST_HOSTS:
        raise HostError(f"{len(chosen)} hosts are more than the {MOST_HOSTS} that vmtop watches at once")
    return is_local, list(chosen.values())


def _meant(word: str, known: Sequence[HostSpec]) -> list[HostSpec]:
    if word == ALL:
        if not known:
            raise HostError("'all' means the hosts of the configuration, and it has no [[hosts]]")
        return list(known)
    if word.startswith(TAG):
        tag = word.removeprefix(TAG)
        if not (tagged := [spec for spec in known if tag in spec.tags]):
            tags = ", ".join(sorted({tag for spec in known for tag in spec.tags}))
            raise HostError(
                f"no host of the configuration has the tag {tag!r}" + (f"; tags are {tags}" if tags else "")
            )
        return tagged
    named = [spec for spec in known if spec.name == word]
    return named or [host_of(word)]
