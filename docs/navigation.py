"""The navigation of the site: what the lists of links on the front page name, under the same headings."""

from __future__ import annotations

import re

FRONT = "docs/index"
"""The page whose lists are the navigation, without its ending."""
_FOLDERS = {"docs/decisions/README": "*"}
"""Pages that stand for all others in their folder."""
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_ROW = re.compile(r"^- \[([^\]]+)\]\(([^)#]+)\.md\)", re.MULTILINE)


def sections(page: str) -> dict[str, list[tuple[str, str]]]:
    """Return the lists of links of a page, by heading: what each is called, and where it leads without `.md`."""
    parts = _SECTION.split(page)
    found = {title: _ROW.findall(text) for title, text in zip(parts[1::2], parts[2::2], strict=True)}
    return {title: rows for title, rows in found.items() if rows}


def with_navigation(page: str, source: str) -> str:
    """Return a page's source with hidden tables of contents, if others are reached through it.

    Args:
        page: Its path from the top of the repository, without its ending.
        source: Its Markdown.
    """
    if page == FRONT:
        tables = [
            _table(title, [f"{name} <{path}>" for name, path in rows]) for title, rows in sections(source).items()
        ]
        return source + "".join(tables)
    return source + _table("", [_FOLDERS[page]]) if page in _FOLDERS else source


def _table(caption: str, entries: list[str]) -> str:
    options = [":hidden:", f":caption: {caption}" if caption else ":glob:"]
    return "\n".join(["", "```{toctree}", *options, "", *entries, "```", ""])
