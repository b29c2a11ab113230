"""How a list of workloads is set up: as the options say at the start, and what of it the next run remembers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from collectors.model.workloads import Kind
from tui.presenters.main_screen.calm_order import Smoothing
from tui.presenters.table.columns import DEFAULT
from tui.presenters.table.state import Scale, TableState
from tui.settings.screen_options import ScreenOptions


def view_of(options: ScreenOptions) -> TableState:
    """Return the view with which a screen starts."""
    return TableState(
        sort=options.sort,
        is_reversed=options.is_reversed,
        only=Kind(options.only) if options.only else None,
        show_all=options.show_all,
        is_tree=options.is_tree,
        scale=Scale(options.scale),
        smoothing=Smoothing(options.order),
    )


class RememberedLayout:
    """A list whose layout is remembered."""

    view: TableState
    options: ScreenOptions
    _keys: tuple[str, ...]
    _enlarged: bool

    def interval_s(self) -> float:
        """Return the seconds between frames."""
        raise NotImplementedError

    def present_options(self) -> ScreenOptions:
        """Return the options with which another list looks like this one."""
        return replace(self.options, columns=self._keys, has_large_panes=self._enlarged)

    def layout_settings(self) -> dict[str, Any]:
        """Return what is remembered, by the names in `SETTINGS`, in the normal form of their types."""
        view = self.view
        return {
            "screen.interval": self.interval_s(),
            "screen.sort": view.sort,
            "screen.reverse": view.is_reversed,
            "screen.columns": () if self._keys == DEFAULT else self._keys,
            "screen.order": view.smoothing.value,
            "screen.only": view.only.value if view.only else "",
            "screen.stopped": view.show_all,
            "screen.tree": view.is_tree,
            "screen.scale": view.scale.value,
            "screen.large_panes": self._enlarged,
        }
