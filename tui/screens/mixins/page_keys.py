"""Actions of every screen of workloads: open a page of text, show help, copy a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collectors.model.workloads import Workload
from tui.dialogs.text_page import TextDialog
from tui.keys.tables import LIVE, TITLES
from tui.screens.help import HelpScreen
from tui.widgets.footer import user_keys

if TYPE_CHECKING:
    from textual.screen import Screen

    Base = Screen[None]
else:
    Base = object


class PageKeys(Base):
    """A screen that opens pages."""

    key_table = LIVE
    """Its keys, by the name in `TABLES`."""

    def target(self) -> Workload | None:
        """Return the selected workload; `None` if there is none."""
        return None

    def action_help(self) -> None:
        help_screen = self.app.get_screen("help")
        assert isinstance(help_screen, HelpScreen)  # noqa: S101  # installed under this name by the app
        self.app.push_screen(help_screen.prepare(TITLES[self.key_table], self.key_table, user_keys(self.app)))

    def action_copy(self) -> None:
        target = self.target()
        if target is not None:
            self.app.copy_to_clipboard(target.name)
            self.notify(f"copied {target.name}, if the terminal allows it", timeout=3, markup=False)

    def open_panel(self, title: str, page: Any) -> None:
        """Show a page of text over this screen."""
        panel = self.app.get_screen("panel")
        assert isinstance(panel, TextDialog)  # noqa: S101  # installed under this name by the app
        self.app.push_screen(panel.prepare(title, page))
