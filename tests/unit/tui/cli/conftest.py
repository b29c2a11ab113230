"""A session file with the frames in it, for the commands on sessions."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.model.workloads import Frame
from tests.unit.collectors.session.test_session_file import fleet_frames, write


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    return fleet_frames(150, 8)


@pytest.fixture
def path(frames: list[Frame], tmp_path: Path) -> Path:
    return write(tmp_path / "a.vmtop.gz", frames)
