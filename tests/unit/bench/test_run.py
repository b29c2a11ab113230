"""The results of the bench: a chapter can be measured anew by itself."""

from __future__ import annotations

import pytest

from bench.run import renewed

OLD = "# Results\n\nHead.\n\n2026-01-01 · a machine\n\n## One\n\n| 1 |\n\nAbout one.\n\n## Two\n\n| 2 |\n\nAbout two.\n"


def test_one_chapter_of_the_results_is_renewed_and_says_when() -> None:
    once = renewed(OLD, "## One\n\n| 11 |\n\nAbout one.\n", "2026-02-02 · another\n")
    assert once == OLD.replace("## One\n\n| 1 |", "## One\n\nMeasured anew: 2026-02-02 · another\n\n| 11 |")
    again = renewed(once, "## One\n\n| 12 |\n\nAbout one.\n", "2026-03-03 · a third\n")
    assert again == OLD.replace("## One\n\n| 1 |", "## One\n\nMeasured anew: 2026-03-03 · a third\n\n| 12 |")
    last = renewed(OLD, "## Two\n\n| 22 |\n\nAbout two.\n", "2026-02-02 · another\n")
    assert last == OLD.replace("## Two\n\n| 2 |", "## Two\n\nMeasured anew: 2026-02-02 · another\n\n| 22 |")


def test_a_chapter_that_was_never_measured_is_not_renewed() -> None:
    with pytest.raises(ValueError, match="no chapter 'Three'"):
        renewed(OLD, "## Three\n\n| 3 |\n", "2026-02-02 · another\n")
