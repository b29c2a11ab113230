"""Paths that a user types into a prompt."""

from __future__ import annotations

from pathlib import Path


def typed_path(text: str) -> Path:
    """Return the path that a text means; `~` and `~user` stand for home folders.

    Raises:
        ValueError: It is no path; a sentence for the prompt.
    """
    if "\0" in text:
        raise ValueError("a path cannot hold a NUL character")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{Path(text).parts[0]} is not a user with a home folder; write the whole path") from error


def path_problem(text: str) -> str:
    """Return why a text is no path, as a sentence; empty if it is one."""
    try:
        typed_path(text)
    except ValueError as error:
        return str(error)
    return ""
