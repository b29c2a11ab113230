"""What the table shows and what it is sorted by: the dialog of columns, sets of columns, the menu of orders."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from tui.presenters.main_screen.column_presets import next_preset, presets
from tui.presenters.prompts.commands import offered
from tui.screens.column_picker import ColumnPicker
from tui.screens.command_line import CommandLine
from tui.screens.mixins.palette_commands import PaletteCommands, sort_order
from tui.widgets.workload_table import WorkloadTable


class ColumnKeys(PaletteCommands):
    """A table of workloads whose columns and order can be chosen."""

    _keys: tuple[str, ...]

    def action_sort_menu(self) -> None:
        """Offer everything that the table can be sorted by; typing finds it."""
        menu = self.app.get_screen("palette")
        assert isinstance(menu, CommandLine)  # noqa: S101  # installed under this name by the app
        start = list(sort_order()).index(self.view.sort)
        offer = partial(offered, first=list(self.sorts()), arguments=(), commands=())
        self.app.push_screen(menu.prepare(offer, "", "Sort by", start), lambda command: command and command.run())

    def action_columns(self) -> None:
        picker = self.app.get_screen("columns")
        assert isinstance(picker, ColumnPicker)  # noqa: S101  # installed under this name by the app
        self.app.push_screen(picker.prepare(self._keys, self.size.width, self.column_sets()), self._take_columns)

    def _take_columns(self, keys: tuple[str, ...] | None) -> None:
        if keys:
            self.show_columns(keys)

    def action_preset(self, step: int) -> None:
        """Show the next or the previous set of columns."""
        if self.focused is not self.query_one(WorkloadTable):
            return  # a prompt has the keys
        known = self.column_sets()
        name = next_preset(self._keys, known, step)
        self.show_columns(known[name])
        self.notify(f"columns: {name}", timeout=2)

    def column_sets(self) -> Mapping[str, tuple[str, ...]]:
        """Return the sets of columns by name."""
        return presets(self.options.own_columns)

    def show_columns(self, keys: tuple[str, ...]) -> None:
        """Show these columns, in this order."""
        if keys != self._keys:
            self._keys = keys
            self.query_one(WorkloadTable).set_columns(keys)
            self.redraw()

    def toggle_column(self, key: str) -> None:
        """Show or hide a column."""
        if key != "name":
            keys = tuple(shown for shown in self._keys if shown != key) if key in self._keys else (*self._keys, key)
            self.show_columns(keys)
