"""The manual pages: one of each command, with options that there are and examples that can be typed."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from docs.man_examples import EXAMPLES
from docs.man_page import pages
from tui.cli.main import main as vmtop

SHOWN = sorted(name for name, (_, summary) in vmtop.rows.items() if summary)


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return pages()


def test_every_command_that_people_type_has_a_page(made: dict[str, str]) -> None:
    assert set(made) == {"vmtop.1", *(f"vmtop-{name}.1" for name in SHOWN)}


@pytest.mark.parametrize("name", SHOWN)
def test_a_page_names_every_option_of_its_command(name: str, made: dict[str, str]) -> None:
    text = made[f"vmtop-{name}.1"].replace("\\-", "-")
    command = vmtop.load(name)
    options = [option for part in command.params if isinstance(part, click.Option) for option in part.opts]
    assert [option for option in options if option not in text] == []
    assert ".SH EXAMPLES" in text


def test_no_line_of_a_page_is_taken_for_a_request_that_there_is_not(made: dict[str, str]) -> None:
    requests = {line.split()[0] for text in made.values() for line in text.splitlines() if line[:1] in ".'"}
    assert requests <= {".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".BR", ".nf", ".fi"}


def test_the_main_page_has_every_exit_code(made: dict[str, str]) -> None:
    section = made["vmtop.1"].partition(".SH EXIT STATUS")[2].partition(".SH ")[0]
    codes = [int(code) for code in re.findall(r"^\.B (\d+)$", section, re.MULTILINE)]
    assert codes == sorted(codes)
    assert {0, 1, 2, 9, 130} <= set(codes)


def test_every_command_has_examples_and_no_other_has_any() -> None:
    assert set(EXAMPLES) == {"", *SHOWN}
    assert all(EXAMPLES.values())


@pytest.mark.parametrize(
    ("name", "words"), [(name, words) for name, examples in EXAMPLES.items() for words, _ in examples]
)
def test_an_example_can_be_typed(name: str, words: str) -> None:
    program, *arguments = shlex.split(words)
    assert program == "vmtop"
    command: click.Command = vmtop
    if name:
        assert arguments.pop(0) == name
        command = vmtop.load(name)
    with click.Context(command, info_name=name) as ctx:
        values, rest, _ = command.make_parser(ctx).parse_args(list(arguments))
        for part in command.params:
            if isinstance(values.get(part.name or ""), str | list | tuple) and not isinstance(command, click.Group):
                part.type_cast_value(ctx, values[part.name])
    assert isinstance(command, click.Group) or not rest
