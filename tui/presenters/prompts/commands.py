"""What can be typed after `:`, in which order it is offered, and what Tab makes of it. Plain, no Textual."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from collectors.model.workloads import Workload
from tui.keys.key import Key, key_names
from tui.presenters.formatting import fit, state_text
from tui.presenters.prompts.name_match import name_rank
from tui.presenters.styled_lines import Line

MOST = 60
"""Commands that are offered at once."""
_IN_HELP = 6
"""Rank of a command whose explanation has the words that were typed."""
_NOT_OFFERED = frozenset({"palette", "next", "previous", "page_down", "page_up", "half_page_down", "half_page_up"})
_TEXT_WIDTH = 30


class Command(NamedTuple):
    """One line of the palette."""

    text: str
    """What to type."""
    help: str
    run: Callable[[], object]
    keys: str = ""
    """The keys that do the same, as users know them."""
    is_name: bool = False
    """Whether it is the name of a workload, which is found by scattered letters too."""
    is_frequent: bool = False
    """Whether it is offered before anything is typed."""
    needs_text: bool = False
    """Whether more has to be typed: choosing it only completes the text."""


class Argument(NamedTuple):
    """A word that is followed by one of several."""

    word: str
    help: str
    choices: Callable[[str], Iterable[Command]]
    """Makes the commands, whose texts do not have the word, from what is typed after it."""
    is_frequent: bool = True
    """Whether it is offered before anything is typed."""


def key_commands(rows: Iterable[Key], run: Callable[[str], Callable[[], object]]) -> list[Command]:
    """Return a command for every key of a screen: its footer word, or its name.

    Args:
        rows: The keys of the screen, with the user's own.
        run: Makes the function that carries out an action of Textual.
    """
    return [
        Command(
            row.word or row.name.replace("_", " "),
            row.help,
            run(row.action),
            key_names(row.keys),
            is_frequent=bool(row.word),
        )
        for row in rows
        if row.name not in _NOT_OFFERED
    ]


def offered(
    typed: str, first: Sequence[Command], arguments: Sequence[Argument], commands: Sequence[Command]
) -> list[Command]:
    """Return the commands for a text, the best first.

    Args:
        typed: What stands after the colon.
        first: What is offered before anything is typed.
        arguments: Words that are followed by one of several.
        commands: Everything else, the workloads' names after the rest.
    """
    text = typed.lstrip()
    if not text:
        words = {argument.word for argument in arguments}
        frequent = [command for command in commands if command.is_frequent and command.text not in words]
        return [*first, *(_more(argument) for argument in arguments if argument.is_frequent), *frequent][:MOST]
    word, space, rest = text.partition(" ")
    argument = next((argument for argument in arguments if argument.word == word.casefold()), None)
    if argument is not None and space:
        found = _ranked(rest.strip(), list(argument.choices(rest.strip())))
        return [command._replace(text=f"{argument.word} {command.text}") for command in found][:MOST]
    return _ranked(text.strip(), [*first, *(_more(argument) for argument in arguments), *commands])[:MOST]


def facts(workload: Workload) -> str:
    """Return what tells a workload from others of its name."""
    place = f" on {workload.id.host}" if workload.id.host else ""
    return f"{workload.kind} by {workload.id.engine}{place}, {state_text(workload)}"


def text_width(commands: Iterable[Command], width: int) -> int:
    """Return the cells that the texts of commands need, of at most a third of the width."""
    longest = max((cell_len(command.text) for command in commands), default=0)
    return min(longest, _TEXT_WIDTH, max(8, width // 3))


def command_lines(commands: Sequence[Command], text_cells: int, width: int) -> list[Line]:
    """Return commands as lines of the palette, with this many cells for their texts."""
    keys_width = min(12, width // 5, max((cell_len(command.keys) for command in commands), default=0))
    help_width = max(0, width - text_cells - keys_width - 5)
    return [
        [
            (f" {fit(command.text, text_cells)}  ", "text bold"),
            (f"{fit(command.help, help_width)}  ", "muted"),
            (f"{fit(command.keys, keys_width)}", "accent"),
        ]
        for command in commands
    ]


def _more(argument: Argument) -> Command:
    return Command(f"{argument.word} ", argument.help, lambda: None, needs_text=True)


def _ranked(typed: str, commands: Sequence[Command]) -> list[Command]:
    """Return what fits, best first and equally good ones in their order, none of them twice."""
    if not typed:
        return list(commands)
    found: list[tuple[int, int]] = []
    for index, command in enumerate(commands):
        rank = name_rank(typed, command.text.strip())
        if rank == 4 and not command.is_name:
            rank = None
        if rank is None and not command.is_name and all(word in command.help.casefold() for word in typed.split()):
            rank = _IN_HELP
        if rank is not None:
            found.append((rank, index))
    by_text: dict[tuple[str, str], Command] = {}
    for _, index in sorted(found):
        by_text.setdefault((commands[index].text, commands[index].help), commands[index])
    return list(by_text.values())
