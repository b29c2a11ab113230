"""Pages that the code makes: up to date, and with all that the code has."""

from __future__ import annotations

import re

import pytest

from collectors.query.filter import FIELDS, NUMBERS
from docs import command_page, exit_code_page, schema_page
from docs.make import PAGES, key_tables, with_keys
from tests.helpers.checkout import DOCS, ROOT
from tui.cli import exit_codes
from tui.cli.main import main
from tui.presenters.comparison.class_table import ROW_TYPES

_SCHEMA = re.compile(r'"(vmtop\.[a-z_]+/\d+)"')
_BETWEEN_VMTOPS = {"vmtop.answer/1"}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_as_the_code_makes_it(path: str) -> None:
    """`make docs-generate` brings it up to date."""
    assert (ROOT / path).read_text(encoding="utf-8") == PAGES[path]()


def test_tables_of_keys_are_as_the_code_makes_them() -> None:
    """`make docs-generate` brings them up to date."""
    for path, keys in key_tables().items():
        page = (ROOT / path).read_text(encoding="utf-8")
        assert with_keys(page, keys) == page


def test_every_exit_code_has_a_row_with_a_meaning() -> None:
    rows = exit_code_page.codes()
    assert {row.code for row in rows} == {value for value in vars(exit_codes).values() if isinstance(value, int)}
    assert all(row.meaning.endswith(".") for row in rows)


def test_every_command_and_option_is_listed() -> None:
    page = (DOCS / "reference" / "commands.md").read_text()
    for name in command_page.shown():
        assert f"\n## vmtop {name}\n" in page
        for parameter in main.load(name).params:
            assert parameter.param_type_name == "argument" or parameter.opts[0] in page, (name, parameter.name)


def test_the_guide_names_every_command_and_every_option_of_the_screen() -> None:
    page = (DOCS / "guide.md").read_text()
    assert [name for name in command_page.shown() if not re.search(rf"`vmtop [a-z, ]*\b{name}\b", page)] == []
    assert [option.opts[0] for option in main.params if option.opts[0] not in page] == []


def test_every_schema_that_the_code_writes_is_listed() -> None:
    sources = [path.read_text() for folder in ("collectors", "tui") for path in (ROOT / folder).rglob("*.py")]
    written = {name for text in sources for name in _SCHEMA.findall(text)}
    assert {"vmtop.list/1", "vmtop.inspect/1"} <= written
    assert schema_page.names() == written - _BETWEEN_VMTOPS


def test_the_page_on_classes_names_rows_that_there_are() -> None:
    page = (DOCS / "explanation" / "machines-and-containers.md").read_text()
    named = {name for line in page.splitlines() if line.startswith("| `") for name in line.split("`")[1::2]}
    assert "memory overhead" in named
    assert named <= {row.name for row in ROW_TYPES}


def test_every_field_of_filters_is_explained() -> None:
    page = (DOCS / "filters.md").read_text()
    assert [name for name in [*FIELDS, *NUMBERS] if f"`{name}`" not in page] == []
