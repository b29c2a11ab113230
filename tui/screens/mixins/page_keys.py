"""Actions of every screen of workloads: open a page of text, show help, copy a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collectors.model.workloads import Workload
from tui.dialogs.text_page import TextDialog
from tui.presenters.info_pages import help_page
from tui.settings.main_screen_keys import LIVE

if TYPE_CHECKING:
    from textual.screen import Screen

    Base = Screen[None]
else:
    Base = object


class PageKeys(Base):
    """A screen that opens pages."""

    where = LIVE
    """Which keys the help shows: `live` or `replay`."""

    def target(self) -> Workload | None:
        """Return the selected workload; `None` if there is none."""
        raise NotImplementedError

    def action_help(self) -> None:
        self.open_panel("Keys and columns", help_page(self.where))

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
