"""The keys that choose the columns of a table: one by one, and whole sets of them."""

from __future__ import annotations

from tui.presenters.main_screen.column_presets import next_preset
from tui.screens.column_picker import ColumnPicker
from tui.screens.mixins.palette_commands import PaletteCommands
from tui.widgets.workload_table import WorkloadTable


class ColumnKeys(PaletteCommands):
    """A table of workloads whose columns are chosen."""

    _keys: tuple[str, ...]
    """The columns, in their order."""

    def redraw(self) -> None:
        raise NotImplementedError

    def action_columns(self) -> None:
        picker = self.app.get_screen("columns")
        assert isinstance(picker, ColumnPicker)  # noqa: S101  # installed under this name by the app
        self.app.push_screen(picker.prepare(self._keys, self.size.width, self.column_sets()), self._take_columns)

    def action_preset(self, step: int) -> None:
        if self.focused is not self.query_one(WorkloadTable):
            return  # a prompt has the keys
        known = self.column_sets()
        name = next_preset(self._keys, known, step)
        self.show_columns(known[name])
        self.notify(f"columns: {name}", timeout=2)

    def toggle_column(self, key: str) -> None:
        """Show or hide a column."""
        if key != "name":
            keys = tuple(shown for shown in self._keys if shown != key) if key in self._keys else (*self._keys, key)
            self.show_columns(keys)

    def show_columns(self, keys: tuple[str, ...]) -> None:
        """Show these columns, in this order."""
        self._keys = keys
        self.query_one(WorkloadTable).set_columns(keys)
        self.redraw()

    def _take_columns(self, keys: tuple[str, ...] | None) -> None:
        if keys:
            self.show_columns(keys)
