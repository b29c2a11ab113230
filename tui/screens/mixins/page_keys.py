"""Actions of every screen of workloads: open a page of text, show help, copy a name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from collectors.model.workloads import Workload
from tui.dialogs.text_page import TextDialog
from tui.keys.in_use import rows_of
from tui.keys.tables import LIVE, TITLES
from tui.presenters.prompts.commands import Argument, Command, key_commands, offered
from tui.screens.help import HelpScreen
from tui.settings.paths import config_folder
from tui.themes.choice import ThemeError, choices

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

    def commands(self, typed: str) -> list[Command]:
        """Return what the palette offers for a text, the best first."""
        keys = key_commands(rows_of(self.app, self.key_table), lambda action: partial(self._run, action))
        return offered(typed, list(self.first_commands()), list(self.arguments()), [*keys, *self.more_commands()])

    def _run(self, action: str) -> None:
        self.call_next(self.run_action, action)

    def first_commands(self) -> Iterator[Command]:
        """Yield what the palette offers first."""
        yield from ()

    def more_commands(self) -> Iterator[Command]:
        """Yield what the palette offers after the screen's keys."""
        yield from ()

    def arguments(self) -> Iterator[Argument]:
        """Yield the words of the palette that are followed by one of several."""
        yield Argument("theme", "another theme", self._themes)

    def _themes(self, typed: str) -> Iterator[Command]:
        for choice in choices(config_folder()):
            yield Command(choice, "use this theme", partial(self._choose_theme, choice))

    def _choose_theme(self, choice: str) -> None:
        choose = getattr(self.app, "choose_theme", None)
        try:
            if choose is not None:
                choose(choice)
        except ThemeError as error:
            self.notify(str(error), severity="error", timeout=10, markup=False)

    def action_help(self) -> None:
        help_screen = self.app.get_screen("help")
        assert isinstance(help_screen, HelpScreen)  # noqa: S101  # installed under this name by the app
        self.app.push_screen(
            help_screen.prepare(TITLES[self.key_table], self.key_table, rows_of(self.app, self.key_table))
        )

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
