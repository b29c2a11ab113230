"""Keeps what the user changes on the screen: for the next run by itself, in the configuration when asked to."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from collectors.safety import private_file
from collectors.safety.own_folder import check_path
from collectors.safety.sanitize import sanitize
from tui.configuration import screen_state
from tui.configuration.config import ConfigError, config_file
from tui.configuration.reading import read
from tui.configuration.screen_state import ScreenState
from tui.configuration.settings_table import REMEMBERED, SCREEN
from tui.configuration.toml_text import with_values

log = logging.getLogger(__name__)

CHECKED_EVERY_S = 2.0
"""Seconds between looks at what has changed: a kill loses no more."""
_CLOSING_S = 0.5
LEFT_HINT = "left"
_HINTED = 3
"""How often a hint is shown, over all runs."""

Layout = Mapping[str, Any]
"""The remembered settings, by their names in `SETTINGS`."""


class ScreenMemory:
    """What the screen remembers.

    Only what was changed in this run is added to what earlier runs left: an option of the command line is not kept.

    Args:
        state: What earlier runs left.
        path: The file; `None` keeps nothing, as in a demonstration.
        has_effect: Whether something on the screen is as an earlier run left it.
        is_fresh: Whether the screen began without it: the first change then takes the place of all that was left.
    """

    def __init__(
        self,
        state: ScreenState | None = None,
        path: Path | None = None,
        has_effect: bool = False,
        is_fresh: bool = False,
    ) -> None:
        self._is_fresh = is_fresh
        self.state = state or ScreenState()
        self._path = path
        self._has_effect = has_effect
        self._layout: Layout = {}
        self._lock = threading.Lock()
        """Held for a moment only: the screen must not wait for the disk."""
        self._writing = threading.Lock()
        self._is_saved = True

    @property
    def is_kept(self) -> bool:
        """Whether there is a next run to keep anything for."""
        return self._path is not None

    def begin(self, layout: Layout) -> None:
        """Note the layout at the start, with which later ones are compared."""
        self._layout = layout

    def note(self, layout: Layout) -> None:
        """Note the current layout; write what has changed, on a thread: the disk may take its time."""
        changed = {name: value for name, value in layout.items() if value != self._layout.get(name)}
        if not changed or not self.is_kept:
            return
        self._layout = layout
        with self._lock:
            if self._is_fresh:
                self.state.values.clear()
                self._is_fresh = False
            self.state.values.update(changed)
            self._is_saved = False
        self._begin_to_write()

    def close(self) -> None:
        """Write what is not written yet; wait for the disk for a moment."""
        self._begin_to_write().join(_CLOSING_S)

    def _begin_to_write(self) -> threading.Thread:
        writer = threading.Thread(target=self._write, name="screen-memory", daemon=True)
        writer.start()
        return writer

    def _write(self) -> None:
        with self._writing:
            with self._lock:
                if self._is_saved or self._path is None:
                    return
                self._is_saved = True
                state = ScreenState(dict(self.state.values), dict(self.state.hints))
            try:
                screen_state.save(state, self._path)
            except OSError as error:
                log.warning("%s cannot be written: %s", self._path, error.strerror or error)

    def hint(self, name: str) -> bool:
        """Return whether a hint is to be shown, and count it: each is shown three times, over all runs."""
        if not self.is_kept or self.state.hints.get(name, 0) >= _HINTED:
            return False
        self.count(name)
        return True

    def hide(self, name: str) -> None:
        """Show a hint never again."""
        self.count(name, _HINTED)

    def count(self, name: str, by: int = 1) -> None:
        """Count that a hint was shown."""
        if not self.is_kept:
            return
        with self._lock:
            self.state.hints[name] = self.state.hints.get(name, 0) + by
            self._is_saved = False
        self._begin_to_write()

    def welcome(self) -> str:
        """Return the hint that the screen is as it was left; empty if it is not, or was shown often enough."""
        shown = self._has_effect and self.hint(LEFT_HINT)
        return "as you left it; W keeps it, --fresh does not" if shown else ""

    def keep(self, layout: Layout) -> tuple[str, bool]:
        """Write the layout to the configuration, where all else stays as it is; return a sentence and success."""
        if not self.is_kept:
            return "a demonstration keeps nothing", False
        path = config_file()
        try:
            content = read(path)
            if content.mistakes:
                return f"{path} {content.mistakes[0]}; correct it first", False
            values = {
                setting.key: setting.type.written(layout[setting.name])
                for setting in REMEMBERED
                if setting.name in layout
                and (layout[setting.name] != setting.default or setting.name in content.values)
            }
            if not values:
                return "nothing to keep: everything has its default", True
            text = with_values(content.text, SCREEN, values)
            target = path.resolve()  # a link leads to a file that is kept elsewhere
            mode = 0o600
            if target.exists():
                check_path(target)
                mode = target.stat().st_mode & 0o755
            private_file.replace(target, text.encode(), mode)
        except (ConfigError, ValueError) as error:
            return sanitize(f"{error}", 500), False
        except OSError as error:
            return sanitize(f"{path} cannot be written: {error.strerror or error}", 500), False
        return f"kept in {path}: {', '.join(values)}", True
