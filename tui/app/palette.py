"""What the command palette offers beside keys: a note on the timeline, and the themes."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.app.themed import ThemedApp
from tui.screens.workloads.live import LiveListScreen
from tui.settings.paths import config_folder
from tui.themes.choice import ThemeError, choices

_WORD = "mark"


class NoteCommands(Provider):
    """Adds the text after `mark` as a note; `mark` alone asks for the text."""

    async def discover(self) -> Hits:
        """Offer the command before anything is typed."""
        if isinstance(self.screen, LiveListScreen):
            yield DiscoveryHit(f"{_WORD} ...", self.screen.action_note, help="drop a note on the timeline")

    async def search(self, query: str) -> Hits:
        """Offer a note with the typed text."""
        word, _, text = query.strip().partition(" ")
        if not isinstance(self.screen, LiveListScreen) or word.lower() != _WORD:
            return
        note = text.strip()
        call = partial(self.screen.note, note) if note else self.screen.action_note
        title = f"{_WORD} {note or '...'}".replace("[", "(")
        yield Hit(1.0, title, call, text=title, help="drop a note on the timeline")


class ThemeCommands(Provider):
    """Offers the themes."""

    async def discover(self) -> Hits:
        """Offer all themes before anything is typed."""
        for choice in choices(config_folder()):
            yield DiscoveryHit(choice, partial(self._choose, choice))

    async def search(self, query: str) -> Hits:
        """Offer the themes whose names match."""
        matcher = self.matcher(query)
        for choice in choices(config_folder()):
            if (score := matcher.match(choice)) > 0:
                yield Hit(score, matcher.highlight(choice), partial(self._choose, choice))

    def _choose(self, choice: str) -> None:
        assert isinstance(self.app, ThemedApp)  # noqa: S101  # the only kind of app there is
        try:
            self.app.choose_theme(choice)
        except ThemeError as error:
            self.app.notify(str(error), severity="error", timeout=10, markup=False)
