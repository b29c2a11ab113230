"""The commented file, the schema and the examples in the docs: generated, valid, and of one mind."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from docs import make
from tests.helpers.checkout import DOCS
from tui.cli.command_sections import mistakes_in, option_tables
from tui.cli.main import main
from tui.configuration.default_file import default_file
from tui.configuration.reading import FileContent, parse
from tui.configuration.settings_table import SETTINGS

SCHEMA = json.loads(make.config_schema())
EXAMPLES = re.findall(r"```toml\n(.*?)```", (DOCS / "configuration.md").read_text(), re.DOTALL)


def content_of(text: str) -> FileContent:
    return parse(text, Path("config.toml"), ("sources", *main.rows))


def uncommented() -> str:
    """Return the commented file with every setting in force."""
    return re.sub(r"^#(?=[a-z\[])", "", default_file(option_tables(main)), flags=re.MULTILINE)


def test_the_schema_in_the_docs_is_the_one_that_is_generated() -> None:
    assert (DOCS / "config.schema.json").read_text() == make.config_schema()
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", [default_file(option_tables(main)), uncommented()], ids=["commented", "in force"])
def test_the_commented_file_is_valid_as_it_is_and_with_every_setting_in_force(text: str) -> None:
    jsonschema.validate(tomllib.loads(text), SCHEMA)
    content = content_of(text)
    assert content.mistakes == []
    assert mistakes_in(content, main) == []
    content.config()


def test_with_every_setting_in_force_nothing_changes() -> None:
    content = content_of(uncommented())
    assert content.values == {setting.name: setting.default for setting in SETTINGS}


def test_every_key_is_in_the_commented_file() -> None:
    text = default_file(option_tables(main))
    for setting in SETTINGS:
        assert f"\n#{setting.key} = " in text
    for rows in option_tables(main).values():
        for row in rows:
            assert re.search(rf"\n# ?{row.key} = ", text)


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_of_the_docs_are_valid(text: str) -> None:
    jsonschema.validate(tomllib.loads(text), SCHEMA)
    content = content_of(text)
    assert content.mistakes == []
    assert mistakes_in(content, main) == []


@pytest.mark.parametrize(
    "text",
    [
        "[screen]\nintervall = 2",
        "[screen]\ninterval = 0",
        '[screen]\nsort = "nothing"',
        '[screen]\ncolumns = "cpu"',
        "read_only = 1",
        "[keys]\nlook = 3",
        '[columns]\nmine = ["nothing"]',
        '[[commands]]\nlabel = "x"',
        '[[commands]]\nlabel = "x"\nrun = ["x"]\nin = "window"',
        "[record]\nkeep = 0",
        "[list]\nyes = true",
    ],
)
def test_the_schema_and_the_reader_refuse_the_same(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(text), SCHEMA)
    content = content_of(text)
    assert content.mistakes or mistakes_in(content, main)


def test_no_confirmation_can_be_given_beforehand() -> None:
    keys = {row.key for rows in option_tables(main).values() for row in rows}
    assert not keys & {"yes", "force"}


def objects(schema: Any) -> list[dict[str, Any]]:
    """Return all tables in a schema."""
    if not isinstance(schema, dict):
        return []
    inner = [table for value in schema.values() for table in objects(value)]
    return [schema, *inner] if schema.get("type") == "object" else inner


def test_no_table_takes_a_key_that_nobody_knows() -> None:
    assert all("additionalProperties" in table for table in objects(SCHEMA))
