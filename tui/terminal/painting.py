"""How pictures reach the terminal: only cells that differ are written, and none while the terminal is behind.

Textual's compositor makes a picture of what it was asked to refresh; the canvas knows which cells the terminal shows
already. Widgets whose lines change every tick paint on the canvas themselves as long as nothing covers them: the way
through the compositor costs several times as much as making the line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Offset, Region
from textual.message import Message
from textual.widget import Widget

from tui.terminal.cell_buffer import PLAIN, CellBuffer, Piece, Sgr, sgr_of
from tui.terminal.driver import TerminalDriver
from tui.terminal.flow_control import OutputFlowControl
from tui.terminal.textual_private import (
    IS_AVAILABLE,
    HookedApp,
    Picture,
    discard_cached_lines,
    driver_of,
    is_batching,
    is_writable,
    synchronized,
    visible_widgets,
)

Styled = tuple[str, Style]
_AGAIN_S = 0.03
_PENS_KEPT = 1024


class PictureDue(Message, bubble=False):
    """The canvas is to be shown: the message that changed it is handled."""


class PaintingApp(HookedApp):
    """An application that writes only what differs, once the terminal has accepted earlier output.

    If Textual lacks a private name that this needs, there is no canvas: Textual paints everything itself.
    """

    def __init__(self) -> None:
        super().__init__(driver_class=TerminalDriver if IS_AVAILABLE else None)
        self._canvas: CellBuffer | None = None
        self._pens: dict[Style, Sgr] = {}
        """The pens of styles that have a background, after the app's filters."""
        self._last_pens: dict[int, tuple[Style, Sgr]] = {}
        """The same by the identity of a style, which is faster: most styles are made once (`Look.style`)."""
        self._places: tuple[object, dict[Widget, Region | None]] = None, {}
        """Where the widgets of a layout can paint; it begins with what Textual knows of that layout."""
        self._is_planned = False
        self._is_waiting = False
        self._cursor_at = Offset(-1, -1)

    def clean(self, text: str) -> str:
        """Return a text that is safe for the terminal."""
        return text

    def paint(self, widget: Widget, lines: Sequence[int], make: Callable[[int], Sequence[Styled]]) -> bool:
        """Paint lines of a widget; the first is 0.

        Args:
            widget: The widget.
            lines: The lines to paint.
            make: Makes a line; it must fill the width of the widget's content, with the background.

        Returns:
            Whether the lines were painted. If not, nothing was made, and the widget has to be refreshed.
        """
        canvas = self._canvas
        region = self._free_place(widget, canvas) if canvas is not None else None
        if canvas is None or region is None:
            return False
        for y in lines:
            if y < region.height:
                canvas.put(region.x, region.y + y, self._inked(make(y), widget))
        discard_cached_lines(widget, lines)
        self._plan()
        return True

    def _inked(self, styled: Sequence[Styled], widget: Widget) -> list[Piece]:
        """Return the pieces of a line of a widget as they reach the terminal."""
        pens = self._last_pens
        if len(pens) > _PENS_KEPT:
            pens.clear()
        for _, style in styled:
            if id(style) not in pens:
                pens[id(style)] = style, self._pen(style, widget.background_colors[1])
        line = "".join([text for text, _ in styled])
        if self.clean(line) == line:
            return [(text, pens[id(style)][1]) for text, style in styled]
        return [(self.clean(text), pens[id(style)][1]) for text, style in styled]

    def _plan(self) -> None:
        """Show the canvas after the current message is handled."""
        if not self._is_planned:
            self._is_planned = True
            self.post_message(PictureDue())  # a callback's parameters would be counted each time

    def _free_place(self, widget: Widget, canvas: CellBuffer) -> Region | None:
        """Return where a widget's content is on the terminal; `None` if part of it may be hidden."""
        screen = self.screen
        if self.is_headless or is_batching(self) or widget.screen is not screen or widget.styles.gutter:
            return None
        if (canvas.width, canvas.height) != self.size:
            return None
        regions = visible_widgets(screen)
        if self._places[0] is not regions:
            self._places = regions, {}
        places = self._places[1]
        if widget not in places:
            places[widget] = _free_content(widget, regions)
        return places[widget]

    def _pen(self, style: Style, background: Color) -> Sgr:
        """Return the pen for a style, after the app's filters."""
        pen = self._pens.get(style)
        if pen is None:
            segments = [Segment("x", style)]
            for line_filter in self.get_line_filters():
                segments = line_filter.apply(segments, background)
            pen = self._pens[style] = sgr_of(segments[0].style or Style.null(), self._color_depth())
        return pen

    def show_picture(self, picture: Picture) -> None:
        """Put a picture of the compositor on the canvas, and show it."""
        width, height = self.size
        canvas = self._canvas
        if canvas is None or (canvas.width, canvas.height) != (width, height):
            canvas = self._canvas = CellBuffer(width, height)
        if picture.is_layout:
            self._pens.clear()
            self._last_pens.clear()
        for x, y, segments in picture.runs:
            canvas.put(x, y, self._pieces(segments))
        self._show()

    def on_resize(self) -> None:
        """Write the whole screen again: the terminal has another size, or comes back from a shell."""
        self.action_repaint()

    def action_repaint(self) -> None:
        """Write the whole screen again, whatever the terminal shows."""
        if self._canvas is not None:
            self._canvas.invalidate(range(self._canvas.height))
            self._plan()
        elif not IS_AVAILABLE:
            self.refresh()

    def on_picture_due(self) -> None:
        self._show()

    def _show(self) -> None:
        """Write what differs; later, if the terminal is behind."""
        self._is_planned = False
        driver, canvas = driver_of(self), self._canvas
        if not isinstance(driver, TerminalDriver) or canvas is None or not is_writable(self):
            return
        if self._is_waiting or driver.is_behind():
            if not self._is_waiting:
                self._is_waiting = True
                self.set_timer(_AGAIN_S, self._catch_up)
            return
        changes, cursor = canvas.changes(), self.screen.outer_size.clamp_offset(self.cursor_position)
        if not changes and cursor == self._cursor_at:
            return
        self._cursor_at = cursor
        with driver.one_write():
            with synchronized(self):
                driver.write(f"{changes}\x1b[{cursor.y + 1};{cursor.x + 1}H")
            driver.ask()
        driver.flush()

    def when_shown(self, callback: Callable[[], object]) -> None:
        """Call back when the terminal shows what has been painted so far, as far as its answers show."""
        driver = driver_of(self)
        if not isinstance(driver, TerminalDriver):
            callback()
        elif self._is_planned or self._is_waiting:
            self.set_timer(_AGAIN_S, partial(self.when_shown, callback))
        else:
            self._when_answered(driver.pace, driver.pace.asked, callback)

    def _when_answered(self, pace: OutputFlowControl, picture: int, callback: Callable[[], object]) -> None:
        if pace.has_shown(picture):
            callback()
        else:
            self.set_timer(_AGAIN_S, partial(self._when_answered, pace, picture, callback))

    def _catch_up(self) -> None:
        """Write what was held back, if the terminal has accepted what was painted before."""
        driver = driver_of(self)
        if isinstance(driver, TerminalDriver) and driver.is_behind():
            self.set_timer(_AGAIN_S, self._catch_up)
            return
        self._is_waiting = False
        self._show()

    def _color_depth(self) -> ColorSystem | None:
        """Return the terminal's color system; `None` if it has no colors."""
        return COLOR_SYSTEMS.get(self.console.color_system or "")

    def _pieces(self, segments: Iterable[Segment]) -> list[Piece]:
        system = self._color_depth()
        return [(text, sgr_of(style, system) if style else PLAIN) for text, style, _ in segments]


def _free_content(widget: Widget, regions: Mapping[Widget, tuple[Region, Region]]) -> Region | None:
    """Return where a widget's content is; `None` if part of it is outside what it is in, or below another widget."""
    region, clip = regions.get(widget, (None, None))
    if region is None or clip is None or not clip.contains_region(region):
        return None
    content = region.crop_size(widget.scrollable_content_region.size)
    ancestors = set(widget.ancestors_with_self)
    if any(other.overlaps(content) for covering, (other, _) in regions.items() if covering not in ancestors):
        return None
    return content


def repaint(widget: Widget, lines: Sequence[int], make: Callable[[int], Sequence[Styled]]) -> None:
    """Repaint some lines of a widget: at once if possible, else at Textual's next refresh.

    Args:
        widget: The widget.
        lines: The lines to repaint; the first is 0.
        make: Makes a line as wide as the widget's content.
    """
    app = widget.app
    if lines and not (isinstance(app, PaintingApp) and app.paint(widget, lines, make)):
        widget.refresh(*(Region(0, y, widget.size.width, 1) for y in lines))
