"""Where vmtop keeps what outlives a run (XDG Base Directory). Imports nothing: help has to be quick."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """Return the user's home; a user whom nobody knows, as in a container, has the root folder, and no right to it."""
    place = os.path.expanduser("~")
    return Path(place if os.path.isabs(place) else "/")


def state_folder() -> Path:
    """Return the folder of logs and of the session in the background."""
    state = os.environ.get("XDG_STATE_HOME") or str(home() / ".local" / "state")
    return Path(state) / "vmtop"
