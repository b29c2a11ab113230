"""Every private name of Textual that vmtop uses; no other file of `tui` names one.

Written against Textual 8.2.8. Private names may move in any release, so each one is looked up once, when this module is
imported. If one is missing, `IS_AVAILABLE` is false, `PROBLEM` says which, and vmtop runs on Textual's own driver and
painting. Then the functions here return what "nothing to do" looks like, and `PrivateDriver` must not be used.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from rich.segment import Segment
from textual import constants
from textual.app import App
from textual.driver import Driver
from textual.geometry import Region
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

PROBLEM = ""
"""The private name that this Textual lacks, as a clause; empty if it has all of them."""
try:
    from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
    from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate
    from textual._styles_cache import StylesCache
    from textual._xterm_parser import (
        SPECIAL_SEQUENCES,
        XTermParser,
        _re_cursor_position,
        _re_extended_key,
        _re_in_band_window_resize,
        _re_mouse_event,
        _re_terminal_mode_response,
    )
    from textual.drivers import linux_driver
    from textual.drivers._writer_thread import WriterThread
    from textual.drivers.linux_driver import LinuxDriver
except ImportError as error:
    PROBLEM = str(error)
    LinuxDriver = Driver  # type: ignore[assignment,misc]  # a base for a class that is not instantiated then


def has_name(owner: Any, name: str) -> bool:
    """Return whether a module or class has a name, or a class gives it to its instances in `__init__`."""
    if hasattr(owner, name):
        return True
    classes = owner.__mro__ if isinstance(owner, type) else ()
    bodies = [getattr(vars(cls).get("__init__"), "__code__", None) for cls in classes]
    return any(name in body.co_names for body in bodies if body is not None)


def _missing() -> str:
    """Return the first name that this Textual lacks, as a clause."""
    required: tuple[tuple[Any, str], ...] = (
        (App, "_display _fatal_error _begin_update _end_update _driver _batch_count _running _closed"),
        (Screen, "_compositor"),
        (Widget, "_styles_cache _render_content _render_cache"),
        (Compositor, "visible_widgets"),
        (LayoutUpdate, "region strips"),
        (ChopsUpdate, "chops chop_ends spans"),
        (StylesCache, "set_dirty"),
        (linux_driver, "signal"),
        (LinuxDriver, "_sigtstp_application _sigcont_application _must_signal_resume _auto_restart _debug"),
        (LinuxDriver, "_key_thread _writer_thread run_input_thread attrs_before fileno input_tty"),
        (WriterThread, "_queue"),
        (XTermParser, "feed"),
    )
    missing = [(owner, name) for owner, names in required for name in names.split() if not has_name(owner, name)]
    return f"{missing[0][0].__name__} has no {missing[0][1]}" if missing else ""


PROBLEM = PROBLEM or _missing()
IS_AVAILABLE = not PROBLEM
"""Whether this Textual has every private name that vmtop uses."""


# Painting: what the compositor made, and what it knows about the screen.


class Run(NamedTuple):
    """A piece of one line of the terminal."""

    x: int
    y: int
    segments: Iterable[Segment]


class Picture(NamedTuple):
    """What Textual's compositor wants on the terminal."""

    is_layout: bool
    """Whether it covers all of a region, as after a change of the layout or the theme."""
    runs: Iterable[Run]


def picture_of(renderable: object) -> Picture | None:
    """Return what the compositor made as a picture; `None` for anything else that Textual displays."""
    if isinstance(renderable, LayoutUpdate):
        return Picture(True, _layout_runs(renderable))
    return Picture(False, _chop_runs(renderable)) if isinstance(renderable, ChopsUpdate) else None


def _layout_runs(update: LayoutUpdate) -> Iterator[Run]:
    for y, strips in zip(update.region.line_range, update.strips, strict=False):
        yield Run(update.region.x, y, (segment for strip in strips for segment in strip))


def _chop_runs(update: ChopsUpdate) -> Iterator[Run]:
    for y, first, beyond in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x < beyond and end > first:  # strips outside a span were not rendered
                yield Run(x, y, strip)


def visible_widgets(screen: Screen[Any]) -> Mapping[Widget, tuple[Region, Region]]:
    """Return the widgets on a screen, each with its region and the region that clips it."""
    return screen._compositor.visible_widgets if IS_AVAILABLE else {}


def discard_cached_lines(widget: Widget, lines: Sequence[int]) -> None:
    """Make Textual render these lines of a widget, and those between them, again the next time it needs them.

    They are in ascending order; the first is 0.
    """
    if IS_AVAILABLE and lines:
        widget._styles_cache.set_dirty(Region(0, lines[0], 1, lines[-1] - lines[0] + 1))


def rendered_anew(widget: Widget) -> Sequence[Iterable[Segment]]:
    """Render a widget's content as it is now, whatever Textual has kept of it; return its lines."""
    if not IS_AVAILABLE:
        return ()
    widget.refresh(repaint=False)  # forgets what was rendered before
    widget._render_content()
    return widget._render_cache.lines


def discard_cached_colors() -> None:
    """Clear Textual's table of widget colors, which keeps up to 1,024 closed widgets and their lines alive."""
    clear = getattr(StylesCache.get_inner_outer, "cache_clear", None) if IS_AVAILABLE else None
    if clear is not None:  # not every Textual has such a table
        clear()


# The application: its driver, its state, and the moments at which it calls us.


def driver_of(app: App[Any]) -> Driver | None:
    """Return an app's driver; `None` before it runs."""
    return app._driver if IS_AVAILABLE else None


def is_writable(app: App[Any]) -> bool:
    """Return whether an app is running, so that it may write to the terminal."""
    return IS_AVAILABLE and app._running and not app._closed


def is_batching(app: App[Any]) -> bool:
    """Return whether an app is holding back its pictures (`App.batch_update`)."""
    return IS_AVAILABLE and app._batch_count > 0


@contextmanager
def synchronized(app: App[Any]) -> Iterator[None]:
    """Have the terminal show everything written inside at once, if it can (private mode 2026)."""
    app._begin_update()
    try:
        yield
    finally:
        app._end_update()


class HookedApp(App[int]):
    """Textual's application with public hooks in place of private methods; they are called if Textual has those."""

    def show_picture(self, picture: Picture) -> None:
        """Show a picture of the compositor. Not called for a headless app, or while it holds pictures back."""
        raise NotImplementedError

    def end_after_failure(self) -> None:
        """End after an exception that nothing handled. Textual prints a traceback with local variables."""
        super()._fatal_error()

    if IS_AVAILABLE:

        def _display(self, screen: Screen[Any], renderable: Any) -> None:
            picture = None if self.is_headless else picture_of(renderable)
            if picture is None:
                super()._display(screen, renderable)
                return
            try:
                if not self._batch_count:
                    self.show_picture(picture)
            finally:
                self.post_display_hook()

    if hasattr(App, "_fatal_error"):  # whatever else is missing: what Textual prints may hold secrets

        def _fatal_error(self) -> None:
            self.end_after_failure()


# The driver: its threads, its parser, and the signals that it handles.


class EventParser(Protocol):
    """Turns typed text into events."""

    def feed(self, data: str) -> Iterable[Message]: ...


def is_known_sequence(sequence: str) -> bool:
    """Return whether Textual makes an event of a whole escape sequence."""
    if sequence in ANSI_SEQUENCES_KEYS or sequence in SPECIAL_SEQUENCES:
        return True
    return any(pattern.fullmatch(sequence) for pattern in _PATTERNS)


def replace_signal_module(substitute: object) -> None:
    """Have Textual's driver use something else wherever it uses the module `signal`."""
    vars(linux_driver)["signal"] = substitute


_PATTERNS: Sequence[Any] = ()
if IS_AVAILABLE:
    _PATTERNS = (
        _re_mouse_event,
        _re_terminal_mode_response,
        _re_cursor_position,
        _re_in_band_window_resize,
        *(() if constants.DISABLE_KITTY_KEY else (_re_extended_key,)),
    )


class PrivateDriver(LinuxDriver):
    """Textual's driver for Linux with public names for its state and its signal handlers."""

    @property
    def reader(self) -> threading.Thread | None:
        """The thread that reads keys; `None` before the first start."""
        return self._key_thread

    @property
    def writer(self) -> WriterThread | None:
        """The thread that writes to the terminal; `None` before the first start."""
        return self._writer_thread

    @property
    def has_unwritten_output(self) -> bool:
        """Whether the writer has output that it has not started to write."""
        return self._writer_thread is not None and not self._writer_thread._queue.empty()

    @property
    def restarts_itself(self) -> bool:
        """Whether the screen comes back by itself after SIGCONT; not while another program has the terminal."""
        return self._auto_restart

    @property
    def is_resume_due(self) -> bool:
        """Whether the app has to learn at the next start that it was stopped."""
        return self._must_signal_resume

    def suspend_until_continued(self) -> None:
        """Give the terminal back; the next start tells the app that it was stopped."""
        self.suspend_application_mode()
        self._must_signal_resume = True

    def new_parser(self) -> EventParser:
        """Return a parser for what comes from the terminal."""
        return XTermParser(self._debug)

    def handle_stop(self) -> None:
        """Act on SIGTSTP."""
        super()._sigtstp_application()

    def handle_continue(self) -> None:
        """Act on SIGCONT."""
        super()._sigcont_application()

    def _sigtstp_application(self, *arguments: object) -> None:
        self.handle_stop()

    def _sigcont_application(self, *arguments: object) -> None:
        self.handle_continue()
