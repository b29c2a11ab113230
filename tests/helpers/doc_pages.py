"""The pages of the documentation as tests read them: commands in their blocks, links, and the anchors of titles."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.helpers.checkout import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.md")])
_SHELL = frozenset({"", "sh", "bash", "console"})
"""What is said of a block of commands; blocks of output say `text`."""
_MARKDOWN = MarkdownIt("commonmark").enable("table")
_REMARK = re.compile(r" {2,}.*")
"""What a line of a block says about its command."""
_BLOCKS = frozenset({"code_block", "fence"})
_PATTERN = re.compile(r"\.\.\.|\[|, |\b(?:COMMAND|SHELL)\b")
_ENDS = frozenset("();<>|&")


class Command(NamedTuple):
    """One `vmtop` command in a block."""

    page: str
    """Its path from the top of the repository."""
    line: int
    words: tuple[str, ...]
    """Without `vmtop` itself."""

    def __str__(self) -> str:
        return f"{self.page}:{self.line} vmtop {shlex.join(self.words)}"


def commands(path: Path) -> Iterator[Command]:
    """Return the `vmtop` commands of a page's shell blocks, also those behind pipes, ssh, sudo and xargs."""
    for token in _MARKDOWN.parse(path.read_text(encoding="utf-8")):
        if token.type == "code_block" or (token.type == "fence" and token.info.strip() in _SHELL):
            first = (token.map or [0])[0] + (2 if token.type == "fence" else 1)
            for offset, line in _lines(token.content):
                for words in commands_of(line):
                    yield Command(str(path.relative_to(ROOT)), first + offset, words)


def outputs(path: Path) -> list[tuple[Command, str]]:
    """Return each command that a block of output follows, with the first line of that."""
    blocks = [token for token in _MARKDOWN.parse(path.read_text(encoding="utf-8")) if token.type in _BLOCKS]
    found = []
    for block, after in itertools.pairwise(blocks):
        if after.info.strip() == "text" and after.map and block.map and after.map[0] - block.map[1] <= 1:
            words = commands_of(block.content.strip().rpartition("\n")[2])
            name = str(path.relative_to(ROOT))
            found += [(Command(name, block.map[0] + 1, words[-1]), after.content.partition("\n")[0])] if words else []
    return found


def named_commands(path: Path) -> list[tuple[str, ...]]:
    """Return the `vmtop` commands in a page's sentences and tables, without patterns such as `vmtop set NAME...`."""
    tokens = _inner(_MARKDOWN.parse(path.read_text(encoding="utf-8")))
    texts = {token.content for token in tokens if token.type == "code_inline" and token.content.startswith("vmtop ")}
    return [words for text in sorted(texts) if not _PATTERN.search(text) for words in commands_of(text)]


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Return the lines with their numbers; a line that ends with a backslash goes on in the next one."""
    held, begin = "", 0
    for number, line in enumerate(text.splitlines()):
        if not held:
            begin = number
        if line.endswith("\\"):
            held += line[:-1] + " "
        else:
            yield begin, held + line.strip() if held else line
            held = ""


def commands_of(line: str) -> list[tuple[str, ...]]:
    """Return the words behind each `vmtop` of a line that runs one; a line of output or a sentence has none.

    What xargs adds is `NAME`.
    """
    text = _REMARK.sub("", line.strip())
    if not re.search(r"(^|^\$ |[|&;] |\bxargs (-r )?|\bssh \S+ |\bsudo (-n )?|\bIMAGE )vmtop( |$)", text):
        return []
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found = []
    for is_end, part in itertools.groupby(lexer, lambda word: set(word) <= _ENDS):
        words = list(part)
        if not is_end and "vmtop" in words:
            place = words.index("vmtop")
            from_xargs = ("NAME",) if "xargs" in words[:place] else ()
            found.append((*words[place + 1 :], *from_xargs))
    return found


def links(path: Path) -> list[str]:
    """Return where a page's links and pictures lead, as written; addresses elsewhere are left out."""
    found = []
    for token in _inner(_MARKDOWN.parse(path.read_text(encoding="utf-8"))):
        target = token.attrs.get("href") or token.attrs.get("src")
        if target and not re.match(r"[a-z]+:", str(target)):
            found.append(str(target))
    return found


@cache
def anchors(path: Path) -> set[str]:
    """Return the anchors that titles make, as code hosts and the site do."""
    tokens = _MARKDOWN.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    for opening, title in itertools.pairwise(tokens):
        if opening.type == "heading_open":
            plain = "".join(part.content for part in title.children or () if part.type in ("text", "code_inline"))
            slug = base = re.sub(r"[^\w\- ]", "", plain.lower().strip()).replace(" ", "-")
            number = 0
            while slug in found:
                number += 1
                slug = f"{base}-{number}"
            found.add(slug)
    return found


def _inner(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _inner(token.children or [])
