"""The user's folders for what outlives a run. Imports platformdirs late, since help has to be quick."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def state_folder() -> Path:
    """Return the folder of logs and of the background session: `$XDG_STATE_HOME/vmtop`."""
    from platformdirs import user_state_path

    return _find(user_state_path, ".local/state")


def config_folder() -> Path:
    """Return the folder of the configuration: `$XDG_CONFIG_HOME/vmtop`."""
    from platformdirs import user_config_path

    return _find(user_config_path, ".config")


def _find(user_path: Callable[[str], Path], below_home: str) -> Path:
    """Return a folder of the user. Without a home, as in a container, it is below `/`, where the user may not write."""
    without_home = Path("/", below_home, "vmtop")
    try:
        folder = user_path("vmtop")
    except RuntimeError:  # platformdirs 4.14 needs a home; older ones leave the `~` as it is
        return without_home
    return without_home if folder.parts[0] == "~" else folder
