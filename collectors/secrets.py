"""Keeps secrets off the screen, out of files and out of logs: by the names of variables and options, and by shape.

A mask too many hides a harmless value; one too few shows a password to whoever looks over the shoulder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

MASK = "***"
_PARTS = (
    "pass(?:word|wd|phrase|code)?", "pwd", "secret", "token", "credential", "cred", "private", "auth", "cookie",
    "session", "dsn", "salt", "signature", "jwt", "otp", "pin", "(?:api|access|account|encryption|master|shared)_?key",
)  # fmt: skip
_NAME = re.compile(
    rf"(?:^|[^a-z])(?:{'|'.join(_PARTS)})s?(?:[^a-z]|$)|(?:password|secret|token|credential)|_key$|^key$"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_USERINFO = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s@'\"]+@")
_OPTION = re.compile(r"(?P<name>-{0,2}[A-Za-z][\w.-]*)(?P<mid>=)(?P<value>\"[^\"]*\"|'[^']*'|\S+)")
_KEPT_KEYS = frozenset({"SecurityOpt", "Secrets", "PidMode", "AuthorizationPlugins"})
"""Keys of an engine's answers that sound like secrets and are settings."""


def is_secret(name: str) -> bool:
    """Return whether a variable, key or option of this name is likely to hold a secret."""
    return bool(_NAME.search(_HUMP.sub("_", name).replace("-", "_").lower()))


def mask_text(text: str) -> str:
    """Mask what is recognised inside a text: `user:password@` in addresses, `--password=x`, `TOKEN=x`."""

    def option(found: re.Match[str]) -> str:
        return f"{found['name']}={MASK}" if is_secret(found["name"].lstrip("-")) else found[0]

    return _OPTION.sub(option, _USERINFO.sub(rf"\g<scheme>{MASK}@", text))


def mask_value(name: str, value: str) -> str:
    """Mask the value of a name: whole if the name tells of a secret, else what is recognised inside."""
    return MASK if value and is_secret(name) else mask_text(value)


def mask_label(name: str, value: str) -> str:
    """Mask a label's value; it may be a whole command line."""
    return mask_value(name, " ".join(mask_words(value.split(" "))))


def mask_environment(entries: Sequence[object]) -> tuple[tuple[str, str], ...]:
    """Split `KEY=value` entries and mask the values."""
    pairs = (str(entry).partition("=") for entry in entries)
    return tuple((name, mask_value(name, value)) for name, _, value in pairs)


def mask_words(words: Sequence[str]) -> list[str]:
    """Mask a command line: the word after an option such as `--password`, and what single words hold."""
    masked: list[str] = []
    hide_next = False
    for word in words:
        is_option = word.startswith("-")
        masked.append(MASK if hide_next and not is_option else mask_text(word))
        hide_next = is_option and "=" not in word and is_secret(word.lstrip("-"))
    return masked


def mask_json(value: object, name: str = "") -> object:
    """Mask an engine's answer throughout: secret keys, environments, command lines, addresses."""
    if isinstance(value, Mapping):
        return {key: mask_json(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        if name == "Env":
            return [f"{key}={shown}" for key, shown in mask_environment(value)]
        if all(isinstance(word, str) for word in value):
            return mask_words(value)
        return [mask_json(inner, name) for inner in value]
    if isinstance(value, str) and value:
        return mask_text(value) if name in _KEPT_KEYS else mask_value(name, value)
    return value
