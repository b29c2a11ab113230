"""`mark some words` in the command palette: a note on the timeline."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.screens.workloads.live import LiveListScreen

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
