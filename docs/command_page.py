"""Writes `docs/reference/commands.md` from the commands themselves; run by `make docs-generate`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from docs.table import table
from tui.cli.main import main as vmtop
from tui.cli.options import source_options

_HEAD = """# Commands

This page is generated from the commands by `make docs-generate`. `vmtop COMMAND --help` prints the same, and the
[exit codes](exit-codes.md) are those of all commands. Most options can be set for good in the
[configuration](settings.md).
"""
_SHARED = "Options of all commands that read"
_HELP = ("-h", "--help")


def shown() -> list[str]:
    """Return the names of the commands that people type, in order."""
    return sorted(name for name, (_, summary) in vmtop.rows.items() if summary)


def markdown() -> str:
    """Return the whole page as Markdown."""
    parts = [_HEAD, _section("vmtop", vmtop, "##"), *_shared()]
    for name in shown():
        command = vmtop.load(name)
        parts.append(_section(f"vmtop {name}", command, "##"))
        if isinstance(command, click.Group):
            parts += [_section(f"vmtop {name} {inner}", one, "###") for inner, one in sorted(command.commands.items())]
    return "\n".join(parts)


def _shared() -> Iterator[str]:
    yield f"## {_SHARED}\n"
    yield "They choose what is read, and where it is logged.\n"
    yield _options(click.command("shared")(source_options(lambda: None)).params)


def _section(words: str, command: click.Command, heading: str) -> str:
    context = click.Context(command, info_name=words, help_option_names=list(_HELP))
    usage = " ".join([words, *command.collect_usage_pieces(context)])
    if isinstance(command, click.Group) and command.invoke_without_command:
        usage = usage.replace(" COMMAND ", " [COMMAND] ")  # before click 8.3
    own = [one for one in command.params if one.name not in _shared_names()]
    lines = [f"{heading} {words}\n", f"```text\n{usage}\n```\n", _help(command.help or ""), _options(own)]
    if len(own) < len(command.params):
        anchor = _SHARED.lower().replace(" ", "-")
        lines.append(f"And the [options of all commands that read](#{anchor}).\n")
    return "\n".join(filter(None, lines))


def _shared_names() -> frozenset[str | None]:
    return frozenset(one.name for one in click.command("shared")(source_options(lambda: None)).params)


def _help(text: str) -> str:
    """Return a help text as paragraphs; those that click does not fill are blocks."""
    parts = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = [line.rstrip() for line in paragraph.splitlines()]
        if lines[0].strip() == "\b":
            parts.append("\n".join(f"    {line.strip()}" for line in lines[1:]))
        else:
            parts.append(_plain(" ".join(line.strip() for line in lines)))
    return "\n\n".join(parts) + "\n"


def _plain(text: str) -> str:
    """Return a text in which nothing is markup."""
    return re.sub(r"([*_<>|\[\]`])", r"\\\1", text)


def _options(parameters: list[click.Parameter]) -> str:
    rows = []
    for one in parameters:
        context = click.Context(click.Command("one"))
        if isinstance(one, click.Option) and not one.hidden and (record := one.get_help_record(context)):
            rows.append((f"`{record[0].replace('|', chr(92) + '|')}`", _plain(record[1])))
    return table(("option", "does"), rows) if rows else ""
