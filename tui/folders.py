"""Where vmtop keeps what outlives a run (XDG Base Directory). Imports nothing: help has to be quick."""

from __future__ import annotations

import os
from pathlib import Path


def state_folder() -> Path:
    """Return the folder of logs and of the session in the background."""
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "vmtop"
