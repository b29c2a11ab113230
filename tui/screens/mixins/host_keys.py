"""Several hosts in one table: looking at one of them alone, and at its page."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from rich.text import Text

from collectors.analysis.rates import Moment
from collectors.model.workloads import LOCAL_HOST
from tui.presenters.pages.hosts_page import hosts_page
from tui.presenters.pages.info_pages import sources_page
from tui.presenters.prompts.commands import Command
from tui.presenters.table.host_rows import looked_at
from tui.screens.mixins.palette_commands import PaletteCommands

_CHOOSE = "This row is all hosts together: choose one of them, or a workload on it."


class HostKeys(PaletteCommands):
    """A table of workloads that may be on several hosts."""

    def seen(self, moment: Moment) -> Moment:
        """Return what is looked at of a moment: that of one host, or of all."""
        return looked_at(moment, self.view.alone)

    def host_under_cursor(self) -> str | None:
        """Return the host of the row under the cursor, as in `WorkloadId.host`; `None` for that of all hosts."""
        line = self.view.current()
        if line is None or line.is_fleet:
            return None
        if line.contact is not None:
            return line.contact.name
        return line.id.host if line.reading is not None else self.view.alone

    def chosen_host(self) -> str | None:
        """Return the host whose page is wanted; `None`, with a word on it, if the cursor is on none of several."""
        moment = self.shown_moment
        if moment is None or len(moment.hosts) < 2:
            return "" if moment is None or not moment.hosts else next(iter(moment.hosts))
        host = self.view.alone if self.view.alone is not None else self.host_under_cursor()
        if host is None:
            self.notify(_CHOOSE, timeout=4)
        return host

    def about_sources(self, moment: Moment, own_usage: str = "") -> Text:
        """Return the page of the sources of all hosts, or of the one that is looked at alone."""
        if not moment.frame.hosts:
            return sources_page(moment, own_usage)
        return hosts_page(moment, own_usage, self.view.alone)

    def other_host(self) -> str:
        """Return the other host that is looked at alone, or a host if only others are watched; else an empty text."""
        moment = self.shown_moment
        names = [] if moment is None else list(moment.hosts)
        if self.view.alone is not None:
            return self.view.alone
        return names[0] if names and "" not in names else ""

    def action_one_host(self) -> None:
        """Look at the host under the cursor alone, or at all again."""
        moment = self.shown_moment
        if moment is None or len(moment.hosts) < 2:
            self.notify("There is only one host here: vmtop --host NAME --host NAME watches several.", timeout=4)
        elif self.view.alone is not None:
            self.look_at_host(None)
        elif (host := self.host_under_cursor()) is None:
            self.notify(_CHOOSE, timeout=4)
        else:
            self.look_at_host(host)

    def look_at_host(self, host: str | None) -> None:
        """Look at one host alone, or at all of them."""
        self.view.alone = host
        self.view.release_order()
        self.redraw()

    def more_commands(self) -> Iterator[Command]:
        yield from super().more_commands()
        moment = self.shown_moment
        if moment is None or len(moment.hosts) < 2:
            return
        for name in moment.hosts:
            words = "look at this host alone"
            yield Command(name or LOCAL_HOST, words, partial(self.look_at_host, name), is_name=True)
        yield Command("hosts", "look at all hosts", partial(self.look_at_host, None))
