"""One file names what is private to Textual, and it notices when a name is missing."""

from __future__ import annotations

import ast
import importlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import textual

import tui
from tui.terminal import textual_private
from tui.terminal.textual_private import has_name

PACKAGE, TEXTUAL = Path(tui.__file__).parent, Path(textual.__file__).parent
OWNER = PACKAGE / "terminal" / "textual_private.py"
FILES = sorted(set(PACKAGE.rglob("*.py")) - {OWNER})
GETTERS = {"getattr", "setattr", "hasattr", "delattr"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def own_names(scope: ast.AST) -> set[str]:
    """Return the private names that a class, or a file, gives to its objects: methods, attributes, slots, fields."""
    names = set[str]()
    for node in ast.walk(scope):
        if isinstance(node, Function | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_self(node.value):
            names.add(node.attr)
        elif isinstance(node, ast.ClassDef | ast.Module | ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return {name for name in names if is_private(name)}


def is_self(node: ast.AST) -> bool:
    return (isinstance(node, ast.Name) and node.id in ("self", "cls")) or (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
    )


@cache
def names_of_textual() -> dict[tuple[str, str], set[str]]:
    """Return the private names of each class of Textual, by its module and name."""
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    for path in TEXTUAL.rglob("*.py"):
        module = ".".join(["textual", *path.relative_to(TEXTUAL).with_suffix("").parts]).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                names[module, node.name] |= own_names(node)
    return names


@cache
def inherited() -> dict[tuple[str, str], set[str]]:
    """Return the private names of Textual that objects of each class of vmtop have, a mixin's through its heirs."""
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    for path in FILES:
        module = importlib.import_module(".".join(["tui", *path.relative_to(PACKAGE).with_suffix("").parts]))
        for cls in vars(module).values():
            if isinstance(cls, type) and cls.__module__.startswith("tui."):
                lent = [names_of_textual()[base.__module__, base.__qualname__] for base in cls.__mro__]
                for base in cls.__mro__:
                    names[base.__module__, base.__qualname__] |= set().union(*lent)
    return names


def violations(tree: ast.Module, module: str) -> Iterator[str]:
    everything, own = set().union(*names_of_textual().values()), own_names(tree)
    for node in ast.walk(tree):
        yield from imports(node)
        if isinstance(node, ast.ClassDef):
            taken = inherited()[module, node.name] if module else set()
            yield from (f"{node.name} has {name} of Textual" for name in sorted(used_of_self(node) & taken))
        elif isinstance(node, ast.Attribute) and not is_self(node.value) and node.attr in everything:
            if node.attr not in own and not is_module(node.value, tree):
                yield f"line {node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in GETTERS:
            words = {word.value for word in node.args if isinstance(word, ast.Constant)}
            yield from (f"line {node.lineno}: {ast.unparse(node)}" for _ in words & everything)


def imports(node: ast.AST) -> Iterator[str]:
    modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    if isinstance(node, ast.ImportFrom | ast.Import):
        paths = [*modules, *(f"{module}.{one.name}" for module in modules or [""] for one in node.names)]
        for path in paths:
            first, *rest = path.strip(".").split(".")
            if first == "textual" and any(is_private(part) for part in rest):
                yield f"line {node.lineno}: imports {path}"


def used_of_self(scope: ast.ClassDef) -> set[str]:
    used = {node.attr for node in ast.walk(scope) if isinstance(node, ast.Attribute) and is_self(node.value)}
    return used | own_names(scope)


def is_module(node: ast.AST, tree: ast.Module) -> bool:
    imported = {one.asname or one.name for line in ast.walk(tree) if isinstance(line, ast.Import) for one in line.names}
    return isinstance(node, ast.Name) and node.id in imported


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_other_file_uses_a_private_name_of_textual(path: Path) -> None:
    module = ".".join(["tui", *path.relative_to(PACKAGE).with_suffix("").parts])
    assert list(violations(ast.parse(path.read_text()), module)) == []


@pytest.mark.parametrize(
    "line",
    [
        "from textual._compositor import ChopsUpdate",
        "from textual import _compositor",
        "import textual._compositor",
        "from textual.app import _private",
        "screen._compositor.reset()",
        "getattr(app, '_driver')",
        "setattr(app, '_batch_count', 0)",
    ],
)
def test_a_use_of_a_private_name_is_noticed(line: str) -> None:
    assert list(violations(ast.parse(line), ""))


def test_names_that_an_app_overrides_or_reads_are_noticed() -> None:
    for method in ("def _fatal_error(self): pass", "def run(self): return self._driver", "_batch_count = 0"):
        assert list(violations(ast.parse(f"class BaseApp:\n    {method}"), "tui.app.base")), method


def test_this_textual_has_every_private_name_that_vmtop_uses() -> None:
    assert textual_private.PROBLEM == ""
    assert textual_private.IS_AVAILABLE


def test_a_name_is_had_by_its_class_or_given_in_the_making() -> None:
    class Base:
        def __init__(self) -> None:
            self._given = 1

    class Heir(Base):
        _own = 1

    assert has_name(Heir, "_own")
    assert has_name(Heir, "_given")
    assert not has_name(Heir, "_moved")
    assert has_name(ast, "parse")
    assert not has_name(ast, "_moved")
