"""Sizes as lines of the screen: one verb where it is the same, and a sign where something is left out."""

from __future__ import annotations

import pytest

from collectors.comparison.size import Advice, Resource, Size
from collectors.comparison.sizing import Freed, Sizing
from collectors.model.facts import Fact
from tests.helpers.strategies import workload
from tui.presenters.comparison.size_lines import detail_lines, freed_lines
from tui.presenters.comparison.sizes import Sizes
from tui.presenters.styled_lines import plain_text

GIB = 1 << 30
WEB = workload("web")


def sizes(cores: float = 0.0, memory: float = 0.0, value: float | None = None) -> Sizes:
    cpu, held = (Size(resource, Advice.KEEP, f"{resource} fits") for resource in (Resource.CPU, Resource.MEMORY))
    sizing = Sizing(WEB, cpu, held, ("seen for 5 s only",), 5.0, 0)
    other = Fact(value, "not measured here: no machine ran" if value is None else "its share")
    return Sizes([sizing], {"": Freed(cores, memory, 8, 16 * GIB)}, {WEB.id: other}, 0.3, (0.0, 1.0), [WEB])


@pytest.mark.parametrize(
    ("cores", "memory", "words"),
    [
        (2, GIB, "all changes free 1.0G of 16G of memory and 2 of 8 cores"),
        (-2, -GIB, "all changes take 1.0G of 16G of memory and 2 of 8 cores"),
        (-2, GIB, "all changes free 1.0G of 16G of memory and take 2 of 8 cores"),
    ],
)
def test_what_all_changes_would_free_has_a_verb_for_each_direction(cores: float, memory: float, words: str) -> None:
    assert freed_lines(sizes(cores, memory)) == words


def shown(found: Sizes, most: int, width: int = 80) -> list[str]:
    return [plain_text(line).rstrip() for line in detail_lines(found.sizings[0], found, width, most)]


def test_what_is_not_known_says_why_and_not_twice() -> None:
    assert shown(sizes(), 6)[-1] == " as a virtual machine: not measured here: no machine ran"
    assert shown(sizes(value=float(GIB)), 6)[-1] == " as a virtual machine: 1.0G (its share)"


def test_lines_for_which_there_is_no_room_are_missed_visibly_and_the_sign_fits_too() -> None:
    for width in (40, 60, 80):
        whole, cut = shown(sizes(), 20, width), shown(sizes(), 3, width)
        assert cut == [*whole[:2], f"{whole[2]} ..."]
        assert max(map(len, cut)) <= width
