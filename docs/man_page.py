"""Manual pages, made from the commands themselves: `python -m docs.man_page FOLDER` writes `vmtop.1`, `vmtop-list.1`...

They are made when vmtop is packaged, and are not kept in the repository.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from collectors import __version__
from docs.command_page import shown
from docs.exit_code_page import codes
from docs.man_examples import EXAMPLES
from tui.cli.main import main as vmtop

_FILES = {
    "~/.config/vmtop/config.toml": "The configuration of this user; vmtop config --default prints one to start from.",
    "~/.local/state/vmtop/": "The session so far, the log, and what the screen remembers.",
}


def pages() -> dict[str, str]:
    """Return the text of each manual page (roff, man(7)), by file name: one of vmtop, and one of each command."""
    commands = {name: vmtop.load(name) for name, (_, summary) in sorted(vmtop.rows.items()) if summary}
    return {"vmtop.1": _page("", vmtop)} | {
        f"vmtop-{name}.1": _page(name, command) for name, command in commands.items()
    }


def _page(name: str, command: click.Command) -> str:
    title = f"vmtop-{name}" if name else "vmtop"
    summary = vmtop.rows[name][1] if name else "show what every virtual machine, container and service uses"
    words = "vmtop" + f" {name}" * bool(name)
    date = time.strftime("%Y-%m-%d", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", "0")) or None))
    lines = [
        f'.TH {title.upper()} 1 "{date}" "vmtop {__version__}" "vmtop"',
        *(".SH NAME", f"{_text(title)} \\- {_text(_phrase(summary))}"),
        ".SH SYNOPSIS",
        *_synopsis(words, command),
        *(".SH DESCRIPTION", *_paragraphs(command.help or "")),
        *_commands(words, command),
        *_section("OPTIONS", _options(command)),
        *_section("EXAMPLES", _examples(name)),
        *(() if name else (*_section("EXIT STATUS", _exit_codes()), *_section("FILES", _terms(_FILES)))),
        *(".SH SEE ALSO", ".BR vmtop (1)" if name else ", ".join(f"{_text(f'vmtop-{one}')}(1)" for one in shown())),
    ]
    return "\n".join(lines) + "\n"


def _phrase(summary: str) -> str:
    """Return a line of help as the whatis database has it: without a capital and a full stop (lexgrog(1))."""
    return summary[:1].lower() + summary[1:].rstrip(".")


def _text(text: str) -> str:
    """Return a text in which nothing means something to roff."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{escaped}" if escaped.startswith(".") else escaped


def _paragraphs(help_text: str) -> Iterator[str]:
    for number, paragraph in enumerate(re.split(r"\n\s*\n", help_text.strip())):
        if number:
            yield ".PP"
        lines = [line.strip() for line in paragraph.splitlines()]
        if lines[0] == "\b":  # click's mark of a paragraph that is not to be filled
            yield from (".nf", *map(_text, lines[1:]), ".fi")
        else:
            yield _text(" ".join(lines))


def _synopsis(words: str, command: click.Command) -> Iterator[str]:
    arguments = [
        part.make_metavar(click.Context(command)) for part in command.params if isinstance(part, click.Argument)
    ]
    if isinstance(command, click.Group):
        arguments.append("[COMMAND]")
    yield f".B {_text(words)}"
    yield _text(" ".join(["[OPTIONS]", *arguments]))


def _commands(words: str, command: click.Command) -> Iterator[str]:
    """Return the commands of the main command with their pages, or those of a group with what they take."""
    if isinstance(command, click.Group) and command is not vmtop:
        for name, inner in sorted(command.commands.items()):
            yield from (f".SS {_text(f'{words} {name}')}", *_paragraphs(inner.help or ""), *_options(inner))
    elif command is vmtop:
        yield from _section("COMMANDS", _terms({f"vmtop {name}": vmtop.rows[name][1] for name in shown()}))


def _options(command: click.Command) -> Iterator[str]:
    for option in command.params:
        if (
            isinstance(option, click.Option)
            and not option.hidden
            and (row := option.get_help_record(_context(command)))
        ):
            yield from (".TP", f".B {_text(row[0])}", _text(row[1]))


def _context(command: click.Command) -> click.Context:
    return click.Context(command, info_name="vmtop", help_option_names=["-h", "--help"])


def _examples(name: str) -> Iterator[str]:
    for words, purpose in EXAMPLES[name]:
        yield from (".TP", f".B {_text(words)}", _text(purpose))


def _exit_codes() -> Iterator[str]:
    for one in codes():
        yield from (".TP", f".B {one.code}", _text(one.meaning))


def _terms(meanings: dict[str, str]) -> Iterator[str]:
    for term, meaning in meanings.items():
        yield from (".TP", f".B {_text(term)}", _text(meaning))


def _section(title: str, lines: Iterator[str]) -> list[str]:
    body = list(lines)
    return [f".SH {title}", *body] if body else []


def write(folder: Path) -> None:
    """Write all pages into a folder, which is made if need be.

    Raises:
        OSError: It cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
