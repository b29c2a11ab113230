"""The line of every key, whatever is around it."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tui.configuration.toml_places import Places
from tui.configuration.toml_text import as_key, as_toml

KEYS = st.text(string.ascii_letters + string.digits + "-_. '\"#=[]é", min_size=1, max_size=6)
VALUES = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=12) | st.floats(allow_nan=False, allow_infinity=False),
    lambda values: st.lists(values, max_size=3),
    max_leaves=6,
)
TABLES = st.dictionaries(KEYS, VALUES, max_size=4)
DOCUMENTS = st.dictionaries(KEYS, VALUES | TABLES | st.lists(TABLES, min_size=1, max_size=3), max_size=5)
NOISE = st.sampled_from(["", "\n", "# a comment = [1]\n", "   \t\n", "#'''\n"])


def as_document(document: dict[str, Any], noise: list[str]) -> str:
    """Write a document: plain values, then tables, then arrays of tables, with noise between the lines."""
    lines: list[str] = []
    tables = {key: value for key, value in document.items() if isinstance(value, dict)}
    arrays = {
        key: value
        for key, value in document.items()
        if isinstance(value, list) and value and isinstance(value[0], dict)
    }
    for key, value in document.items():
        if key not in tables and key not in arrays:
            lines.append(f"{as_key(key)} = {as_toml(value)}  # {{[\n")
    for key, table in tables.items():
        lines.append(f"[ {as_key(key)} ]\n")
        lines += [f"  {as_key(name)}\t= {as_toml(value)}\n" for name, value in table.items()]
    for key, elements in arrays.items():
        for element in elements:
            lines.append(f"[[{as_key(key)}]]\n")
            lines += [f"{as_key(name)}={as_toml(value)}\n" for name, value in element.items()]
    return "".join(part + line for line, part in zip(lines, noise * (len(lines) + 1), strict=False))


def paths(document: Any, start: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the path of every key, and its value."""
    for key, value in document.items():
        if isinstance(value, dict):
            yield from paths(value, (*start, key))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for index, element in enumerate(value):
                yield from paths(element, (*start, key, index))
        else:
            yield (*start, key), value


@given(DOCUMENTS, st.lists(NOISE, min_size=1, max_size=5))
def test_every_key_has_its_line_and_the_text_of_its_value(document: dict[str, Any], noise: list[str]) -> None:
    text = as_document(document, noise)
    parsed = tomllib.loads(text)
    places = Places(text)
    lines = text.split("\n")
    for path, value in paths(parsed):
        place = places.by_path[path]
        assert tomllib.loads(f"x = {text[place.start : place.end]}")["x"] == value
        assert as_key(str(path[-1])) in lines[place.line - 1]


TRICKY = '''
title = """
[screen]
sort = "mem" # not this one
"""
a.b . "c d" = 'x = 1'
list = [ # of lists
  [1, 2], # ]
  ["]", """]""", \'\'\'a\'\'\'\'\'],
]

[screen] # heading
interval = 1_0.5#comment
sort = "a \\\\" # "
inline = { a = "}", b = [1] }
[[commands]]
label = "one"
[[commands]]
label = "two"
[commands.env]
x = 1'''


def test_strings_of_many_lines_brackets_and_inline_tables_hide_no_line() -> None:
    tomllib.loads(TRICKY)
    places = Places(TRICKY)
    assert places.line(("title",)) == 2
    assert places.line(("a", "b", "c d")) == 6
    assert places.line(("screen", "interval")) == 13
    assert places.line(("screen", "sort")) == 14
    assert places.line(("screen", "inline", "b")) == 15, "a key of an inline table stands where the table does"
    assert places.line(("commands", 0, "label")) == 17
    assert places.line(("commands", 1, "label")) == 19
    assert places.line(("commands", 1, "env", "x")) == 21
    assert places.line(("nowhere",)) == 1
