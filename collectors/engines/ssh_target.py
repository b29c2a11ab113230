"""A host that is reached with the OpenSSH client, and what its messages mean.

The client reads `~/.ssh/config`, so a host name may be an alias with a port, a user, keys and a jump host of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from shlex import quote
from urllib.parse import urlsplit

from collectors.model.errors import AccessDenied, SourceDown, SourceError
from collectors.safety.sanitize import sanitize

_NETLOC = re.compile(r"(?:(?P<user>[^:]*)@)?(?P<host>\[[^\[\]]+\]|[^@\[\]:]+)(?::(?P<port>\d{1,5}))?")
_HOST = re.compile(r"\w[\w.:%+-]*", re.ASCII)
_USER = re.compile(r"\w[\w.@\\%+-]*", re.ASCII)
"""Narrower than `valid_hostname` and `valid_ruser` of OpenSSH's ssh.c; above all without a hyphen at the beginning."""
_STEERING = re.compile(r"[^\w\s@%+=:,./-]", re.ASCII)
"""What a shell may take for more than a part of a word."""
_MESSAGES: tuple[tuple[str, type[SourceError], str, str], ...] = (
    (
        "remote host identification has changed",
        AccessDenied,
        "the host key of {host} is not the one that ssh knows: another host may be answering",
        "{ssh}, which says where the known key is; remove it there if the change is right",
    ),
    (
        "host key verification failed",
        AccessDenied,
        "ssh does not know the host key of {host}",
        "{ssh}, once, and accept the key if it is the right one",
    ),
    (
        "while trying to connect to the docker",
        AccessDenied,
        "the user on {host} has no permission to use Docker there",
        "{ssh}, then sudo usermod -aG docker $USER there",
    ),
    (
        "permission denied (",
        AccessDenied,
        "{host} accepts no key of this user",
        "ssh-copy-id{options}, or ssh-add for a key with a passphrase",
    ),
    (
        "could not resolve hostname",
        SourceDown,
        "the host name {host} cannot be resolved",
        "check the name, or give it a HostName in ~/.ssh/config",
    ),
    (
        "connection refused",
        SourceDown,
        "nothing listens for ssh at {host}",
        "start sshd there, or name its port in ~/.ssh/config",
    ),
    ("docker: command not found", SourceDown, "{host} has no docker command, which ssh:// needs there", ""),
    ("docker: not found", SourceDown, "{host} has no docker command, which ssh:// needs there", ""),
    ("podman: command not found", SourceDown, "{host} has no podman command, which ssh:// needs there", ""),
    ("podman: not found", SourceDown, "{host} has no podman command, which ssh:// needs there", ""),
    (
        "unable to connect to podman socket",
        SourceDown,
        "Podman's service on {host} does not answer at that socket",
        "{ssh}, then systemctl --user enable --now podman.socket there, or as root without --user",
    ),
)
"""Part of a message in lower case, and the error, sentence and remedy for it; the first that fits counts."""


class SshFailure(OSError):
    """The client ended before the program there answered; the message is what both printed as errors."""


@dataclass(frozen=True, slots=True)
class SshTarget:
    """Where to log in. An empty user or port is left to the client's configuration."""

    host: str
    user: str = ""
    port: str = ""

    @property
    def arguments(self) -> list[str]:
        """The last words of a call of `ssh` or `ssh-copy-id`, before a remote command."""
        port = ["-p", self.port] if self.port else []
        return [*port, "--", f"{self.user}@{self.host}" if self.user else self.host]

    @property
    def command(self) -> str:
        """What a user types to log in there."""
        return f"ssh{self._options}"

    @property
    def _options(self) -> str:
        return "".join(f" {word}" for word in self.arguments if word != "--")

    def recognize(self, message: str) -> SourceError | None:
        """Return the error that a message of the client stands for; `None` for a message that is not known."""
        for part, failure, reason, remedy in _MESSAGES:
            if part in message.lower():
                words = {"host": sanitize(self.host), "options": self._options, "ssh": self.command}
                return failure(reason.format(**words), remedy.format(**words))
        return None

    def explain(self, message: str) -> SourceError:
        """Return the error for any message of the client; one that is not known is quoted."""
        last = (message.strip().splitlines() or ["the connection ended"])[-1]
        return self.recognize(message) or SourceDown(f"ssh to {sanitize(self.host)}: {sanitize(last.strip())}")


def ssh_target(url: str) -> SshTarget:
    """Return the target of a URL such as `ssh://user@host:port`.

    Raises:
        SourceDown: It has a password, no host, or what the client could take for an option.
    """
    try:
        match = _NETLOC.fullmatch(urlsplit(url).netloc)
    except ValueError:  # a bracket without its other one
        match = None
    if match is None:
        raise SourceDown(
            "an ssh address has to be ssh://HOST, ssh://USER@HOST or ssh://USER@HOST:PORT, without a password"
        )
    host, user = match["host"].strip("[]"), match["user"] or ""
    for name, pattern in ((host, _HOST), (user or "none", _USER)):
        if not pattern.fullmatch(name):
            raise SourceDown(f"{sanitize(name)} cannot be a host or user of an ssh address")
    return SshTarget(host, user, match["port"] or "")


def over(login: str, command: str) -> str:
    """Return a command line that runs another one, which may end in a comment, after a login."""
    words, separator, comment = command.partition("  # ")
    return f"{login} {quote(words) if _STEERING.search(words) else words}{separator}{comment}"
