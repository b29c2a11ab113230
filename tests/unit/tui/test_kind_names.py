"""The short names of the table's KIND column are accepted wherever a kind can be written."""

from __future__ import annotations

import click
import pytest
from click.shell_completion import ShellComplete

from collectors.model.workloads import Kind
from collectors.query.filter import parse
from tui.cli.types import KindType
from tui.configuration.own_commands import _kinds
from tui.configuration.settings_table import BY_NAME
from tui.presenters.main_screen.signs import SHORT_KINDS
from tui.presenters.prompts.completion import completions

SHORT = [(SHORT_KINDS[kind], kind) for kind in Kind]


@pytest.mark.parametrize(("name", "kind"), SHORT)
def test_every_name_in_the_kind_column_can_be_written(name: str, kind: Kind) -> None:
    assert parse(f"kind={name}").kinds == frozenset({kind.value})
    assert KindType().convert(name, None, None) == kind
    assert BY_NAME["screen.only"].type.check(name) == kind
    assert _kinds([name]) == {kind}


def test_an_unknown_kind_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(click.BadParameter, match="'vn' is not one of 'vm', 'container', 'service', 'ct', 'svc'"):
        KindType().convert("vn", None, None)


def test_completion_offers_the_short_names() -> None:
    assert "kind=svc" in completions("kind=s", [])

    @click.command()
    @click.option("--only", type=KindType())
    def command(only: str) -> None: ...

    offered = ShellComplete(command, {}, "command", "_X").get_completions(["--only"], "c")
    assert [item.value for item in offered] == ["container", "ct"]
