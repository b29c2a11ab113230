"""Lines that change every tick: only what differs is painted anew."""

from __future__ import annotations

from textual.app import App, ComposeResult

from tui.widgets.text_lines import TextLines


class Lines(App[None]):
    def compose(self) -> ComposeResult:
        yield TextLines()


async def test_lines_are_made_once_and_again_only_when_they_change() -> None:
    app = Lines()
    async with app.run_test(size=(40, 5)) as pilot:
        lines = app.query_one(TextLines)
        lines.show_lines([[("one", "text")], [("two", "text")]])
        await pilot.pause()
        first = dict(lines._strips)
        lines.show_lines([[("one", "text")], [("tvo", "text")]])
        await pilot.pause()
        assert lines._strips[0] is first[0]
        assert lines._strips[1].text.rstrip() == "tvo"
        lines.show_lines([[("one", "text")]])
        await pilot.pause()
        assert lines.render_line(1).text.strip() == ""
