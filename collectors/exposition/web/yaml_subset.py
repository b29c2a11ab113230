"""The part of YAML that web configuration files are written in: mappings, lists and plain or quoted scalars.

Anchors, tags, block scalars, several documents and flow mappings are refused with their line: a file that means
something else than is read would leave a door open. Indentation is by spaces. Pure.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_DEEPEST = 4
_KEY = re.compile(r"(?:\"([^\"\\]*)\"|'([^']*)'|([^\s#:\"'\[\]{}&*!|>%@`,?-][^:#]*?))\s*:(?:\s+(.*))?$")
_PLAIN = re.compile(r"[^\s\"'\[\]{}&*!|>%@`#,][^#]*?$")


class Mapping(NamedTuple):
    """A mapping with the line of each key."""

    values: dict[str, str | list[str] | Mapping]
    lines: dict[str, int]


class YamlError(ValueError):
    """It is not this part of YAML; the message begins with the line."""


class _Line(NamedTuple):
    number: int
    indent: int
    text: str


def parse(text: str) -> Mapping:
    """Return the top mapping of a document; an empty document is an empty mapping.

    Raises:
        YamlError: It holds something else.
    """
    lines: list[_Line] = []
    for number, line in enumerate(text.splitlines(), 1):
        content = _without_comment(line).rstrip()
        if not content.strip() or (content == "---" and not lines):
            continue
        indent = len(content) - len(content.lstrip(" "))
        if content[indent] == "\t":
            raise YamlError(f"line {number}: indentation is by spaces")
        lines.append(_Line(number, indent, content[indent:]))
    if not lines:
        return Mapping({}, {})
    mapping, rest = _mapping(lines, 0, lines[0].indent, 1)
    if rest < len(lines):
        raise YamlError(f"line {lines[rest].number}: it is indented less than the lines above")
    return mapping


def _without_comment(line: str) -> str:
    """Return a line up to a `#` that begins a comment: at the start or after a space, and not in quotes."""
    quote = ""
    for place, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and (not place or line[place - 1] in " [,:"):
            quote = character
        elif character == "#" and (not place or line[place - 1] in " \t"):
            return line[:place]
    return line


def _mapping(lines: list[_Line], place: int, indent: int, depth: int) -> tuple[Mapping, int]:
    mapping = Mapping({}, {})
    while place < len(lines) and lines[place].indent >= indent:
        number, own_indent, text = lines[place]
        match = _KEY.fullmatch(text)
        if own_indent > indent or match is None or depth > _DEEPEST:
            raise YamlError(f"line {number}: `key: value` is expected, indented as the line above")
        key = next(group for group in match.groups()[:3] if group is not None)
        if key in mapping.values:
            raise YamlError(f"line {number}: {key} is there twice")
        place += 1
        value: str | list[str] | Mapping
        inline = match[4]
        if inline:
            value = _flow_list(inline, number) if inline.startswith("[") else _scalar(inline, number)
        elif place < len(lines) and lines[place].text.startswith("- ") and lines[place].indent >= indent:
            value, place = _list(lines, place)
        elif place < len(lines) and lines[place].indent > indent:
            value, place = _mapping(lines, place, lines[place].indent, depth + 1)
        else:
            value = ""
        mapping.values[key], mapping.lines[key] = value, number
    return mapping, place


def _list(lines: list[_Line], place: int) -> tuple[list[str], int]:
    indent, items = lines[place].indent, []
    while place < len(lines) and lines[place].indent == indent and lines[place].text.startswith("- "):
        items.append(_scalar(lines[place].text[2:].strip(), lines[place].number))
        place += 1
    return items, place


def _flow_list(text: str, number: int) -> list[str]:
    if not text.endswith("]"):
        raise YamlError(f"line {number}: the list has to end in the same line")
    inside = text[1:-1].strip()
    return [_scalar(item.strip(), number) for item in inside.split(",")] if inside else []


def _scalar(text: str, number: int) -> str:
    if text in ("{}", "~", "null"):
        return ""
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        inside = text[1:-1]
        if text[0] == "'" and "'" not in inside.replace("''", ""):
            return inside.replace("''", "'")
        if text[0] == '"' and '"' not in inside and "\\" not in inside:
            return inside
    elif _PLAIN.fullmatch(text) and ": " not in text:
        return text
    raise YamlError(f"line {number}: this value has to be plain, or in quotes without escapes")
