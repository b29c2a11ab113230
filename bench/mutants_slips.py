"""Slips that a hand makes in code: found in the syntax tree, put into the text so that all else stays as it was."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_COMPARED = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"), ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="), ast.Is: ("is", "is not"), ast.IsNot: (r"is\s+not", "is"), ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
}  # fmt: skip
_COMPUTED = {ast.Add: (r"\+", "-"), ast.Sub: ("-", "+"), ast.Mult: (r"\*", "/"), ast.Div: ("/", "*")}
_LOGS = re.compile(r"(\w+\.)*_?(log|logger|logging)\.", re.IGNORECASE)
_UNSEEN = re.compile(r"(\w+\.)?TYPE_CHECKING$|__name__ ==")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SKIPPED_FIELDS = {"annotation", "returns", "type_params"}


class Slip(NamedTuple):
    """One change to one file; `start` and `end` count bytes of its text."""

    path: str
    line: int
    kind: str
    start: int
    end: int
    new: str
    statement: int
    """The line where its statement begins; coverage may know of no other of a statement's lines."""
    is_at_import: bool
    """It is run when the module is imported, not when a function is called."""

    def put(self, text: str) -> str:
        """Return the text with the slip in it."""
        raw = text.encode()
        return (raw[: self.start] + self.new.encode() + raw[self.end :]).decode()


class _Text:
    """Turns places of nodes into bytes of the text, and makes slips there."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.raw = path, text.encode()
        self.starts = [0]
        for line in self.raw.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.starts[node.lineno - 1] + node.col_offset, self.starts[node.end_lineno - 1] + node.end_col_offset

    def of(self, node: ast.expr | ast.stmt) -> str:
        return self.raw[slice(*self.span(node))].decode()

    def whole(self, kind: str, node: ast.expr | ast.stmt, new: str) -> Slip:
        return self._slip(kind, *self.span(node), new)

    def between(self, kind: str, left: ast.expr, right: ast.expr, pattern: str, new: str) -> Iterator[Slip]:
        """Change an operator, which has no place of its own in the tree."""
        start, end = self.span(left)[1], self.span(right)[0]
        gap = self.raw[start:end].decode()
        found = re.search(pattern, gap)
        if found and gap.isascii() and "#" not in gap:
            yield self._slip(kind, start + found.start(), start + found.end(), new)

    def without_not(self, node: ast.UnaryOp) -> Slip:
        start, end = self.span(node)[0], self.span(node.operand)[0]
        return self._slip("not dropped", start, end, self.raw[start:end].decode().removeprefix("not").lstrip())

    def _slip(self, kind: str, start: int, end: int, new: str) -> Slip:
        return Slip(self.path, self.raw.count(b"\n", 0, start) + 1, kind, start, end, new, 1, False)


def find_slips(path: str, text: str) -> list[Slip]:
    """Return all slips that leave code which compiles, in the text's order."""
    found = _walk(_Text(path, text), ast.parse(text), 1, True)
    return sorted(slip for slip in found if _compiles(slip.put(text)))


def choose(slips: list[Slip], lengths: dict[str, int], count: int, seed: int) -> list[Slip]:
    """Choose slips spread evenly over the lines of the files; the same seed chooses the same.

    Args:
        slips: What there is to choose from.
        lengths: Lines of every file.
        count: How many; fewer are returned if there are no more.
        seed: Of the choice.
    """
    before, total = {}, 0
    for path in sorted(lengths):
        before[path] = total
        total += lengths[path]
    chance = random.Random(seed)  # noqa: S311  # repeatable, not secret
    left = sorted(slips)
    chosen: list[Slip] = []
    for turn in range(min(count, len(left))):
        point = (turn + chance.random()) * total / count
        nearest = min(abs(before[slip.path] + slip.line - point) for slip in left)
        taken = chance.choice([slip for slip in left if abs(before[slip.path] + slip.line - point) == nearest])
        left.remove(taken)
        chosen.append(taken)
    return chosen


def _compiles(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _walk(text: _Text, node: ast.AST, statement: int, is_at_import: bool, is_default: bool = False) -> Iterator[Slip]:
    """Yield the slips of a node and of what is below it."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.If) and _UNSEEN.match(text.of(node.test))):
        return  # Python 3.11 misplaces what is inside of an f-string
    if isinstance(node, ast.Expr) and _LOGS.match(text.of(node)):
        return
    statement = node.lineno if isinstance(node, ast.stmt) else statement
    for slip in _slips_of(text, node):
        kind = f"default argument: {slip.kind}" if is_default else slip.kind
        yield slip._replace(statement=statement, is_at_import=is_at_import, kind=kind)
    for name, value in ast.iter_fields(node):
        is_inside = isinstance(node, _FUNCTIONS) and name == "body"
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and name not in _SKIPPED_FIELDS:
                is_default = name in ("defaults", "kw_defaults")
                yield from _walk(text, child, statement, is_at_import and not is_inside, is_default)


def _slips_of(text: _Text, node: ast.AST) -> Iterator[Slip]:
    for kind, make in _KINDS.items():
        if isinstance(node, kind):
            yield from make(text, node)


def _compare(text: _Text, node: ast.Compare) -> Iterator[Slip]:
    for left, operator, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
        pattern, new = _COMPARED[type(operator)]
        yield from text.between("comparison", left, right, pattern, new)


def _boolean(text: _Text, node: ast.BoolOp) -> Iterator[Slip]:
    old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    for left, right in zip(node.values, node.values[1:], strict=False):
        yield from text.between("and/or", left, right, old, new)


def _compute(text: _Text, node: ast.BinOp) -> Iterator[Slip]:
    if type(node.op) in _COMPUTED:
        yield from text.between("arithmetic", node.left, node.right, *_COMPUTED[type(node.op)])


def _unary(text: _Text, node: ast.UnaryOp) -> Iterator[Slip]:
    if isinstance(node.op, ast.Not):
        yield text.without_not(node)


def _constant(text: _Text, node: ast.Constant) -> Iterator[Slip]:
    if isinstance(node.value, bool):
        yield text.whole("True/False", node, str(not node.value))
    elif isinstance(node.value, int | float):
        yield text.whole("number", node, repr(node.value + 1))


def _call(text: _Text, node: ast.Call) -> Iterator[Slip]:
    if isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
        yield text.whole("min/max", node.func, "max" if node.func.id == "min" else "min")


def _return(text: _Text, node: ast.Return) -> Iterator[Slip]:
    if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield text.whole("None returned", node.value, "None")


def _statement(text: _Text, node: ast.Expr) -> Iterator[Slip]:
    called = node.value.value if isinstance(node.value, ast.Await) else node.value
    if isinstance(called, ast.Call):
        yield text.whole("call dropped", node, "pass")


def _condition(text: _Text, node: ast.If | ast.IfExp) -> Iterator[Slip]:
    yield text.whole("condition negated", node.test, f"(not ({text.of(node.test)}))")


_KINDS: dict[type | tuple[type, ...], Callable[[_Text, Any], Iterator[Slip]]] = {
    ast.Compare: _compare, ast.BoolOp: _boolean, ast.BinOp: _compute, ast.UnaryOp: _unary, ast.Constant: _constant,
    ast.Call: _call, ast.Return: _return, ast.Expr: _statement, (ast.If, ast.IfExp): _condition,
}  # fmt: skip
