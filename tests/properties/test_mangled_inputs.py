"""Thousands of mangled sessions, configurations and filters: each is read or refused with a sentence, within bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.mangled_inputs import INPUTS, fuzz

pytestmark = pytest.mark.slow


def test_no_mangled_input_is_a_traceback_a_hang_or_a_flood(tmp_path: Path) -> None:
    tally = fuzz(INPUTS, tmp_path)
    assert tally.inputs == INPUTS
    assert 0 < tally.refused < INPUTS
    assert tally.peak_bytes < 256 << 20
