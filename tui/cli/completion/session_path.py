"""The argument that is a session file, which shells complete to session files only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_SESSION_ENDS = (".vmtop.gz", ".vmtop")


class SessionPath(click.Path):
    """The path of a session file that exists; only completion is its own."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete session files and folders; where there are none, leave it to the shell."""
        from click.shell_completion import CompletionItem

        folder, slash, begun = incomplete.rpartition("/")
        try:
            entries = sorted(os.scandir(os.path.expanduser(folder + slash) or "."), key=lambda entry: entry.name)
        except OSError:
            return []
        found = [
            f"{folder}{slash}{entry.name}{'/' * entry.is_dir()}"
            for entry in entries
            if entry.name.startswith(begun)
            and (begun or not entry.name.startswith("."))
            and entry.name.isprintable()
            and (entry.is_dir() or entry.name.endswith(_SESSION_ENDS))
        ]
        if not any(name.endswith(_SESSION_ENDS) for name in found):
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(name) for name in found]
