"""Keeps secrets off the screen, out of files and out of logs: by the names of variables and options, and by shape.

Masking too much hides a harmless value; masking too little shows a password to anyone who sees the screen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

MASK = "***"
_PARTS = (
    "pass(?:word|wd|phrase|code)?", "pwd", "secret", "token", "credential", "cred", "private", "auth(?:orization)?",
    "cookie", "session", "dsn", "salt", "signature", "jwt", "otp", "pin",
    "(?:api|access|account|encryption|master|shared)_?key",
)  # fmt: skip
_NAME = re.compile(
    rf"(?:^|[^a-z])(?:{'|'.join(_PARTS)})s?(?:[^a-z]|$)|(?:password|secret|token|credential)|_key$|^key$"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Both begin only where a run of their first characters does: tried from every character on, a long run would be
# searched in quadratic time.
_USERINFO = re.compile(r"(?P<scheme>(?<![a-zA-Z0-9+.-])[a-zA-Z0-9+.-]+://)[^/\s@'\"]+@")
_NAMED = re.compile(r"(?<![\w.-])(?P<name>[\w.-]+)(?:(?P<is_option>=)|[\"']\s*:\s*|:\s+)")
"""`--token=`, `"token": ` and `Cookie: `; `host:port` is not such a pair."""
_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|\S+")
_REST = re.compile(r"\"[^\"]*\"|'[^']*'|[^\"',}\]]+")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_CLIENT = re.compile(r"(?:mysql|mariadb)[a-z-]*|sshpass")
"""Programs whose `-pVALUE` is a password; after others it may be a port."""
_USER_OPTIONS = frozenset({"-u", "-U", "--user", "--proxy-user"})
_LOGIN = re.compile(r"(?P<option>-u|--(?:proxy-)?user=)?(?P<user>[^-:][^:]*:)(?!//)(?P<rest>.+)", re.DOTALL)
"""curl's `user:password`."""
_IDS = re.compile(r"[0-9]+:[0-9]+")
"""Of a user and a group, as in `--user 1000:1000`."""
_ERROR_NAMES = ("Error", "Exception", "Warning")
"""`SessionError: no space left` contains no secret."""
_KEPT_KEYS = frozenset({"SecurityOpt", "Secrets", "PidMode", "AuthorizationPlugins"})
"""Keys of an engine's answers that look like secrets but are settings."""


def is_secret(name: str) -> bool:
    """Return whether a variable, key or option of this name is likely to hold a secret."""
    return bool(_NAME.search(_HUMP.sub("_", name).replace("-", "_").lower()))


def redact_text(text: str) -> str:
    """Mask recognised secrets: `user:password@host`, `--password=x`, `TOKEN=x`, `"token": "x"`, `Cookie: x`."""

    text = _USERINFO.sub(rf"\g<scheme>{MASK}@", text)
    parts: list[str] = []
    masked_to = 0
    for name in _NAMED.finditer(text):
        if name.start() < masked_to or not _names_secret(name["name"], is_option=bool(name["is_option"])):
            continue
        value = (_WORD if name["is_option"] else _REST).match(text, name.end())
        if value is not None:
            parts += [text[masked_to : name.end()], MASK]
            masked_to = value.end()
    return "".join([*parts, text[masked_to:]])


def _names_secret(name: str, is_option: bool) -> bool:
    if is_option:
        return is_secret(name.lstrip("-"))
    return is_secret(name.rpartition(".")[2]) and not name.endswith(_ERROR_NAMES)


def redact_line(line: str) -> str:
    """Mask the secrets recognised in a line of text, including the word after an option such as `--password`."""
    text = redact_text(line)
    words = iter(redact_words(_WORD.findall(text)))
    return _WORD.sub(lambda _: next(words), text)


def redact_value(name: str, value: str) -> str:
    """Mask the value of a name: all of it if the name is that of a secret, otherwise the secrets recognised in it."""
    return MASK if value and is_secret(name) else redact_text(value)


def redact_label(name: str, value: str) -> str:
    """Mask a label's value; it may be a whole command line."""
    return redact_value(name, redact_line(value))


def redact_environment(entries: Sequence[object]) -> tuple[tuple[str, str], ...]:
    """Split `KEY=value` entries and mask the values."""
    pairs = (str(entry).partition("=") for entry in entries)
    return tuple((name, redact_value(name, value)) for name, _, value in pairs)


def redact_words(words: Sequence[str]) -> list[str]:
    """Mask a command line: the word after an option such as `--password`, and the secrets within single words.

    A word with blanks is read as a command line too: a script, or the title that a process gave itself.
    """
    masked: list[str] = []
    option, is_client = "", False
    for word in words:
        is_option = word.startswith("-")
        is_hidden = not is_option and "=" not in option and is_secret(option.lstrip("-"))
        masked.append(MASK if is_hidden else _redact_word(word, option, is_client))
        option = word if is_option else ""
        is_client = is_client or bool(_CLIENT.fullmatch(word.rpartition("/")[2]))
    return masked


def _redact_word(word: str, option: str, is_client: bool) -> str:
    if is_client and word.startswith("-p") and len(word) > 2:
        return f"-p{MASK}"
    if _QUOTED.fullmatch(word):
        return f"{word[0]}{redact_line(word[1:-1])}{word[0]}"
    if len(word.split()) > 1:
        return redact_line(word)
    login = _LOGIN.fullmatch(word)
    if login and (login["option"] or option in _USER_OPTIONS) and not _IDS.fullmatch(login["user"] + login["rest"]):
        return f"{login['option'] or ''}{login['user']}{MASK}"
    return redact_text(word)


def redact_json(value: object, name: str = "") -> object:
    """Mask an engine's answer throughout: secret keys, environments, command lines, addresses."""
    if isinstance(value, Mapping):
        variable, content = value.get("name"), value.get("value")
        if isinstance(variable, str) and isinstance(content, str):  # as Kubernetes writes a variable
            return {**value, "value": redact_value(variable, content)}
        return {key: redact_json(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        if name == "Env":
            return [f"{key}={masked}" for key, masked in redact_environment(value)]
        if all(isinstance(word, str) for word in value):
            return redact_words(value)
        return [redact_json(inner, name) for inner in value]
    if isinstance(value, str) and value:
        return redact_text(value) if name in _KEPT_KEYS else redact_value(name, value)
    return value
