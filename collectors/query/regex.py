"""Regular expressions that cannot hang: time grows with the text's length, whatever the pattern.

A pattern typed into a filter runs over names that strangers chose, many times a second. Python's own `re` backtracks
and `(a+)+$` would stop the screen, so this matcher follows all paths at once (Thompson's construction). It knows
literals, `.`, `[...]`, `\\d \\w \\s` and their opposites, `^ $`, `|`, groups, `* + ? {m,n}`. It has no look-around and
no back-references. Case is ignored, and a match may be anywhere in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LONGEST_PATTERN = 200
LONGEST_TEXT = 256
"""What `safety.sanitize` lets through."""
_MOST_NODES = 2000
"""Repeats are unrolled; `(a{50}){50}` is more than anyone needs."""
_MOST_REMEMBERED = 4096
_DEEPEST = 20
_REPEAT = re.compile(r"\{(\d{1,3})(?:(,)(\d{1,3})?)?\}")
_SET_SIGNS = re.compile(r"(\\.)|[\[&|~]", re.DOTALL)
_SET = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
_ESCAPES = frozenset("dDwWsS")


class PatternError(ValueError):
    """A pattern that cannot be used, with the reason."""


@dataclass(slots=True, eq=False)
class _Node:
    """A state: takes a character if it has an atom, else passes on at once (if its anchor allows)."""

    atom: re.Pattern[str] | None = None
    anchor: str = ""
    next: list[_Node] = field(default_factory=list)


@dataclass(slots=True)
class _Piece:
    """A part of the automaton: where it begins, and the state that ends it."""

    start: _Node
    end: _Node


class Pattern:
    """A compiled pattern.

    Raises:
        PatternError: The pattern is too long, malformed, or uses what is not supported.
    """

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST_PATTERN:
            raise PatternError(f"a pattern has at most {LONGEST_PATTERN} characters")
        piece = _Parser(text).parse()
        self._start, self._end = piece.start, piece.end
        self._remembered: dict[str, bool] = {}

    def search(self, text: str) -> bool:
        """Return whether the pattern occurs in the first 256 characters of a text."""
        text = text[:LONGEST_TEXT]
        found = self._remembered.get(text)
        if found is None:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            found = self._remembered[text] = self._run(text)
        return found

    def _run(self, text: str) -> bool:
        states: set[_Node] = set()
        for place in range(len(text) + 1):
            states.add(self._start)
            states = _pass_on(states, place == 0, place == len(text))
            if self._end in states:
                return True
            if place < len(text):
                character = text[place]
                states = {
                    follower for node in states if node.atom and node.atom.match(character) for follower in node.next
                }
        return False


def _pass_on(states: set[_Node], is_first: bool, is_last: bool) -> set[_Node]:
    """Follow every way that takes no character."""
    reached, waiting = set(states), list(states)
    while waiting:
        node = waiting.pop()
        if node.atom is not None or (node.anchor == "^" and not is_first) or (node.anchor == "$" and not is_last):
            continue
        for follower in node.next:
            if follower not in reached:
                reached.add(follower)
                waiting.append(follower)
    return reached


class _Parser:
    """Reads a pattern from left to right and joins the pieces."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._depth = 0
        self._count = 0

    def parse(self) -> _Piece:
        piece = self._choice()
        if self._place < len(self._text):
            raise PatternError("there is a ) without its (")
        return piece

    def _node(self, atom: re.Pattern[str] | None = None, anchor: str = "") -> _Node:
        self._count += 1
        if self._count > _MOST_NODES:
            raise PatternError("the pattern repeats too much")
        return _Node(atom, anchor)

    def _peek(self) -> str:
        return self._text[self._place : self._place + 1]

    def _choice(self) -> _Piece:
        start, end = self._node(), self._node()
        while True:
            piece = self._sequence()
            start.next.append(piece.start)
            piece.end.next.append(end)
            if self._peek() != "|":
                return _Piece(start, end)
            self._place += 1

    def _sequence(self) -> _Piece:
        start = end = self._node()
        while self._peek() not in ("", "|", ")"):
            piece = self._repeated()
            end.next.append(piece.start)
            end = piece.end
        return _Piece(start, end)

    def _repeated(self) -> _Piece:
        """Read an atom and what repeats it; the atom is read anew for every copy."""
        begin = self._place
        piece = self._atom()
        after_atom = self._place
        least, most = self._bounds()
        after = self._place
        if (least, most) == (1, 1):
            return piece
        start = end = self._node()
        for copy in range(max(least, most if most is not None else least + 1, 1)):
            self._place = begin
            piece = self._atom()
            end.next.append(piece.start)
            if copy >= least:
                start_of_optional = end
                joint = self._node()
                piece.end.next.append(joint)
                start_of_optional.next.append(joint)
                if most is None:
                    joint.next.append(piece.start)
                end = joint
            else:
                end = piece.end
        if most == 0:
            start, end = self._node(), self._node()
            start.next.append(end)
        self._place = after if after >= after_atom else after_atom
        return _Piece(start, end)

    def _bounds(self) -> tuple[int, int | None]:
        sign = self._peek()
        if sign and sign in "*+?":
            self._place += 1
            bounds: tuple[int, int | None] = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        elif found := _REPEAT.match(self._text, self._place):
            self._place = found.end()
            least = int(found[1])
            bounds = least, least if not found[2] else int(found[3]) if found[3] else None
            if bounds[1] is not None and bounds[1] < least:
                raise PatternError(f"{found[0]} ends before it begins")
        else:
            return 1, 1
        if self._peek() == "?":  # lazy or greedy: the same answer
            self._place += 1
        if self._peek() and (self._peek() in "*+?" or _REPEAT.match(self._text, self._place)):
            raise PatternError("two repeats follow each other")
        return bounds

    def _atom(self) -> _Piece:
        sign = self._peek()
        if sign == "(":
            return self._group()
        if sign and sign in "*+?":
            raise PatternError(f"there is nothing to repeat before {sign}")
        if sign in ("^", "$"):
            self._place += 1
            node = self._node(anchor=sign)
            end = self._node()
            node.next.append(end)
            return _Piece(node, end)
        node, end = self._node(atom=self._character(sign)), self._node()
        node.next.append(end)
        return _Piece(node, end)

    def _group(self) -> _Piece:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise PatternError("its groups are nested too deep")
        self._place += 3 if self._text.startswith("(?:", self._place) else 1
        if self._peek() == "?":
            raise PatternError("look-around and flags, (?...), are not supported")
        piece = self._choice()
        if self._peek() != ")":
            raise PatternError("there is a ( without its )")
        self._place += 1
        self._depth -= 1
        return piece

    def _character(self, sign: str) -> re.Pattern[str]:
        """Read what stands for one character; `re` matches that one, where it cannot backtrack."""
        if sign == "[":
            return self._set()
        if sign == "\\":
            source = self._text[self._place : self._place + 2]
            if len(source) < 2 or (source[1].isalnum() and source[1] not in _ESCAPES):
                raise PatternError(f"{source} is not supported")
            self._place += 2
            return _compile(source)
        self._place += 1
        return _compile(sign if sign == "." else re.escape(sign))

    def _set(self) -> re.Pattern[str]:
        found = _SET.match(self._text, self._place)
        if found is None:
            raise PatternError("there is a [ without its ]")
        if "--" in found[0]:
            raise PatternError("-- inside [] is not supported")
        self._place = found.end()
        # `re` warns of signs in a set that may mean more one day; escaped, they mean themselves.
        return _compile("[" + _SET_SIGNS.sub(lambda sign: sign[1] or "\\" + sign[0], found[0][1:]))


def _compile(source: str) -> re.Pattern[str]:
    try:
        return re.compile(source, re.IGNORECASE | re.DOTALL)
    except re.error as error:
        raise PatternError(f"{source}: {error}") from None
