"""What `vmtop info` says of a recording."""

from __future__ import annotations

import pytest

from collectors.session.summary import Summary
from tui.presenters.reports.session_summary import as_text


@pytest.mark.parametrize(("members", "words"), [(1, " in 1 part, "), (2, " in 2 parts, ")])
def test_one_part_is_told_from_several(members: int, words: str) -> None:
    size = as_text(Summary(["a.vmtop.gz"], 10, members=members)).splitlines()[1]
    assert words in size
