"""Lines that change every tick: only what differs is painted anew."""

from __future__ import annotations

from rich.text import Text
from textual.app import App, ComposeResult

from tui.widgets.painted import PaintedLines, changed


def test_the_columns_that_differ_are_found() -> None:
    assert changed(Text("cpu 10 of 20"), Text("cpu 17 of 20"), 80) == (5, 6)
    assert changed(Text("same"), Text("same"), 80) == (0, 0)
    assert changed(Text("short"), Text("longer"), 80) == (0, 80)
    assert changed(Text.assemble(("a", "red"), "b"), Text.assemble("a", ("b", "red")), 80) == (0, 80)
    assert changed(Text("日本 1"), Text("日本 2"), 80) == (0, 80), "wide characters: places are no columns"
    assert changed(Text("x" * 100 + "a"), Text("x" * 100 + "b"), 80) == (100, 80), "beyond the edge"


class Lines(App[None]):
    def compose(self) -> ComposeResult:
        yield PaintedLines()


async def test_lines_are_made_once_and_again_only_when_they_change() -> None:
    app = Lines()
    async with app.run_test(size=(40, 5)) as pilot:
        lines = app.query_one(PaintedLines)
        lines.show_lines([Text("one"), Text("two")])
        await pilot.pause()
        first = dict(lines._strips)
        lines.show_lines([Text("one"), Text("tvo")])
        await pilot.pause()
        assert lines._strips[0] is first[0]
        assert lines._strips[1].text.rstrip() == "tvo"
        lines.show_lines([Text("one")])
        await pilot.pause()
        assert lines.render_line(1).text.strip() == ""
