"""The users' own commands: `[[commands]]` in the configuration."""

from __future__ import annotations

import re
import shlex
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collectors.model.workloads import KINDS_BY_NAME, Kind, Workload
from collectors.safety.sanitize import LONGEST, REPLACEMENT
from tui.configuration.value_types import Choice, Switch, Words, checked_values

PLACEHOLDERS: Mapping[str, Callable[[Workload], str | None]] = {
    "name": lambda workload: workload.name,
    "id": lambda workload: workload.id.id,
    "kind": lambda workload: workload.kind.value,
    "engine": lambda workload: workload.id.engine,
    "image": lambda workload: workload.image,
    "project": lambda workload: workload.project,
    "cgroup": lambda workload: workload.cgroup,
    "host": lambda workload: workload.id.host,
}
"""What an argument may contain in braces, and the environment holds as VMTOP_NAME and so on."""
_PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
"""A value that no program reads as more than a value, even one that takes its arguments as commands."""
_AMBIGUOUS = re.compile(r"[0-9]+|(?:-*[0-9a-f]){32}-*", re.IGNORECASE)
"""Names that virsh would take for the number or UUID of a machine, perhaps another one's."""
_KINDS = {name: kind.value for name, kind in KINDS_BY_NAME.items()}
_PLACES = {"terminal": "terminal", "background": "background"}


@dataclass(frozen=True, slots=True)
class OwnCommand:
    """A program that runs with a workload. No shell is involved."""

    label: str
    """Its name in the menu, the palette and the help."""
    run: tuple[str, ...]
    """The program and its arguments, which may contain placeholders."""
    key: str = ""
    """Textual's name of its key; empty leaves it to the menu and the palette."""
    kinds: frozenset[Kind] = frozenset()
    """The kinds of workload that it is for; empty for all."""
    is_in_terminal: bool = True
    """Whether it gets the terminal; otherwise it runs in the background."""
    is_safe: bool = False
    """Whether it changes nothing, and so may run while actions are locked."""
    needs_confirmation: bool = True

    def is_for(self, workload: Workload) -> bool:
        """Return whether it is for workloads of this kind."""
        return not self.kinds or workload.kind in self.kinds


class Unusable(Exception):
    """A command cannot be run with a workload; the message is a clause that says why."""


def filled(command: OwnCommand, workload: Workload) -> list[str]:
    """Return the words of a command with a workload's values in place of the placeholders.

    Raises:
        Unusable: A value is missing, is not known exactly, or could be read as something else than a value.
    """
    if workload.id.host and not any("host" in _fields(word) for word in command.run):
        raise Unusable(
            f"{workload.name} is on {workload.id.host}, and this runs here: a command for both names {{host}}"
        )
    return filled_words(command.run, workload)


def filled_words(words: Sequence[str], workload: Workload | None) -> list[str]:
    """Return words with a workload's values in place of the placeholders; without a workload there may be none.

    Raises:
        Unusable: As `filled`.
    """
    return [words[0], *(_filled(word, workload) for word in words[1:])]


def _filled(word: str, workload: Workload | None) -> str:
    values: dict[str, str] = {}
    for name in _fields(word):
        if workload is None:
            raise Unusable(f"{{{name}}} is that of a workload, and this is about none")
        value = values[name] = PLACEHOLDERS[name](workload) or ""
        variable = f"VMTOP_{name.upper()}"
        if not value:
            raise Unusable(f"{workload.name} has no {name}")
        if not _is_exact(value):
            raise Unusable(f"the {name} of {workload.name} is not known exactly; use {{id}}")
        if value.startswith("-"):
            raise Unusable(f"{value!r} could be read as an option; use {{id}}, or ${variable} in a script")
        if not _PLAIN.fullmatch(value):
            raise Unusable(f"{value!r} could be read as commands; use {{id}}, or ${variable} in a script")
        if ".." in value.split("/"):
            raise Unusable(f"{value!r} could lead out of a folder; use {{id}}, or ${variable} in a script")
        if name == "name" and _AMBIGUOUS.fullmatch(value):
            raise Unusable(f"{value!r} could be read as another machine's number or UUID; use {{id}}")
    return word.format(**values)


def _is_exact(value: str) -> bool:
    """Return whether a value is what the engine has, not one that was changed to be safe to show."""
    return value.isprintable() and REPLACEMENT not in value and not (len(value) >= LONGEST and value.endswith("…"))


def environment(workload: Workload, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a command: vmtop's own, and the workload's values; empty if absent or not exact."""
    values = {name: value(workload) or "" for name, value in PLACEHOLDERS.items()}
    exact = {f"VMTOP_{name.upper()}": value if _is_exact(value) else "" for name, value in values.items()}
    return {**inherited, **exact, "VMTOP_STATE": workload.state.value}


def words_to_run(value: object) -> tuple[str, ...]:
    """Return the words of a command: a list as it is; a text is split as a shell would, but run without one."""
    if isinstance(value, str):
        try:
            value = shlex.split(value)
        except ValueError as error:
            raise ValueError(f"cannot be split into words: {error}") from error
    if not isinstance(value, list) or not value or not all(isinstance(word, str) for word in value) or not value[0]:
        raise ValueError('has to be a list of words: ["dive", "{image}"]')
    if any("\0" in word for word in value):
        raise ValueError("cannot hold a NUL character")
    for word in value:
        _check_placeholders(word)
    if _fields(value[0]):
        raise ValueError("cannot take the program's name from a workload")
    return tuple(value)


def _check_placeholders(word: str) -> None:
    for name in _fields(word):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{known}}}" for known in PLACEHOLDERS)
            raise ValueError(f"has an unknown placeholder {{{name}}}: there are {known}; write {{{{ for a plain brace")


def _fields(word: str) -> list[str]:
    """Return the names in braces.

    Raises:
        ValueError: The braces do not match, or a format is given.
    """
    try:
        parts = list(string.Formatter().parse(word))
    except ValueError as error:
        raise ValueError(f"cannot be used: {error} in {word!r}; write {{{{ and }}}} for plain braces") from error
    if any(spec or conversion for _, _, spec, conversion in parts):
        raise ValueError(f"cannot use a format in {word!r}: write the name alone, such as {{name}}")
    return [name for _, name, _, _ in parts if name is not None]


def _kinds(value: object) -> frozenset[Kind]:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not all(word in _KINDS for word in words):
        raise ValueError('has to be "vm", "container", "service", or a list of these')
    return frozenset(KINDS_BY_NAME[word] for word in words)


def _label(value: object) -> str:
    label = Words().check(value).strip()
    if not label or not label.isprintable():
        raise ValueError("has to be a word or two on one line")
    return label


CHECKS: Mapping[str, Callable[[object], Any]] = {
    "label": _label,
    "run": words_to_run,
    "key": Words().check,
    "for": _kinds,
    "in": Choice(lambda: _PLACES).check,
    "safe": Switch().check,
    "confirm": Switch().check,
}
"""The keys of a command, and what checks their values."""
_REQUIRED = ("label", "run")

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": list(_REQUIRED),
    "properties": {
        "label": {"type": "string", "minLength": 1, "description": "Its name in the menu, the palette and the help."},
        "run": {
            "description": "The program and its arguments; a text is split into words. No shell is involved.",
            "anyOf": [
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
                {"type": "string", "minLength": 1},
            ],
        },
        "key": {"type": "string", "description": "Its key; without one it is in the menu and the palette only."},
        "for": {
            "description": "The kinds of workload that it is for; without it, all.",
            "anyOf": [{"enum": list(_KINDS)}, {"type": "array", "items": {"enum": list(_KINDS)}}],
        },
        "in": {"enum": list(_PLACES), "default": "terminal", "description": "Whether it gets the terminal."},
        "safe": {
            "type": "boolean",
            "default": False,
            "description": "It changes nothing, and may run while actions are locked.",
        },
        "confirm": {
            "type": "boolean",
            "description": "Ask before it runs; by default for every command that is not safe.",
        },
    },
}


def check(table: Mapping[str, Any], key_name: Callable[[str], str]) -> tuple[OwnCommand | None, dict[str, str]]:
    """Return a command, and what is wrong with it by key; an empty key stands for the command.

    Args:
        table: The keys and values of one `[[commands]]`.
        key_name: Returns Textual's name of a key as users write it; raises ValueError.
    """
    checks = {**CHECKS, "key": lambda value: key_name(CHECKS["key"](value))}
    values, mistakes = checked_values(table, checks)
    missing = [key for key in _REQUIRED if key not in table]
    if missing:
        mistakes[""] = f"has no {' and no '.join(missing)}"
    if mistakes:
        return None, mistakes
    is_safe = values.get("safe", False)
    return (
        OwnCommand(
            label=values["label"],
            run=values["run"],
            key=values.get("key", ""),
            kinds=values.get("for", frozenset()),
            is_in_terminal=values.get("in", "terminal") == "terminal",
            is_safe=is_safe,
            needs_confirmation=values.get("confirm", not is_safe),
        ),
        {},
    )
