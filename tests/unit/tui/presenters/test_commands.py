"""The palette: the best first, names by a few letters, arguments after a space."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.presenters.prompts.commands import MOST, Argument, Command, command_lines, offered, text_width
from tui.presenters.prompts.name_match import matches_by_name, name_rank
from tui.presenters.styled_lines import plain_text

DONE: list[str] = []


def command(text: str, words: str = "", is_name: bool = False) -> Command:
    return Command(text, words, lambda: DONE.append(text), is_name=is_name)


NAMES = ("web-1", "web-2", "shop-web-1", "db", "vm-old")
NAMED = [command(name, "go to it", True) for name in NAMES]
STOP = Argument("stop", "stop a workload", lambda typed: [command(name, "", True) for name in NAMES], False)
SORT = Argument("sort", "sort by a column", lambda typed: [command("mem"), command("cpu"), command("memlimit")])
KINDS = [command("vm", "show virtual machines only"), command("quit", "leave vmtop")]


def texts(typed: str) -> list[str]:
    return [found.text for found in offered(typed, [command("stop web-1")], [SORT, STOP], [*KINDS, *NAMED])]


def test_before_anything_is_typed_the_current_workload_comes_first() -> None:
    assert texts("") == ["stop web-1", "sort "]


def test_the_first_column_is_as_wide_as_its_texts_and_leaves_the_rest_to_the_help() -> None:
    help_words = "Share of time in which some of its tasks waited for a CPU."
    commands = [command("wait", help_words), command("throttled", help_words)]
    assert text_width(commands, 78) == len("throttled")
    lines = [plain_text(line) for line in command_lines(commands, text_width(commands, 78), 78)]
    assert all(help_words in line for line in lines)
    assert text_width([command("x" * 50)], 78) == 26


def test_a_name_is_gone_to_and_an_exact_command_beats_it() -> None:
    assert texts("web")[:3] == ["web-1", "web-2", "stop web-1"]
    assert texts("vm")[:2] == ["vm", "vm-old"]
    assert texts("sw1") == ["shop-web-1"], "scattered letters find names only"


def test_an_argument_is_completed_by_what_it_may_be() -> None:
    assert texts("sort me") == ["sort mem", "sort memlimit"]
    assert texts("stop web") == ["stop web-1", "stop web-2", "stop shop-web-1"]
    assert texts("virtual") == ["vm"], "an explanation is searched too"


@given(st.text(max_size=12))
def test_whatever_is_typed_there_are_no_doubles_and_not_too_many(typed: str) -> None:
    found = texts(typed)
    assert len(found) == len(set(found)) <= MOST


@given(st.text("abc-1", max_size=4), st.lists(st.text("abc-1", max_size=8)))
def test_a_better_name_comes_first(typed: str, names: list[str]) -> None:
    ranks = [name_rank(typed, names[index]) for index in matches_by_name(typed, names)]
    assert None not in ranks
    assert ranks == sorted(rank for rank in ranks if rank is not None)
