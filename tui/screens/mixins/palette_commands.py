"""What the palette offers on the table of workloads: where to go, what to do to what, what to show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from collectors.analysis.rates import Moment
from collectors.model.metrics import METRICS
from collectors.model.workloads import Workload, WorkloadId
from tui.presenters.prompts.commands import Argument, Command, facts
from tui.presenters.table.columns import CHOICES, column_of, describe
from tui.presenters.table.state import SORTS, TableState
from tui.screens.mixins.page_keys import PageKeys
from tui.settings.screen_options import ScreenOptions

_KINDS = (
    ("vm", "vm", "show virtual machines only"),
    ("ct", "container", "show containers only"),
    ("svc", "service", "show services only"),
    ("all", "", "show every kind"),
)


class PaletteCommands(PageKeys):
    """A table of workloads whose palette knows them by name."""

    view: TableState
    options: ScreenOptions
    shown_moment: Moment | None

    def redraw(self) -> None:
        raise NotImplementedError

    def _go(self, index: int) -> None:
        raise NotImplementedError

    def set_filter(self, text: str, is_typing: bool = False) -> bool:
        raise NotImplementedError

    def action_sort(self, key: str) -> None:
        raise NotImplementedError

    def action_only(self, kind: str) -> None:
        raise NotImplementedError

    def column_sets(self) -> Mapping[str, tuple[str, ...]]:
        """Return the sets of columns by name."""
        raise NotImplementedError

    def show_columns(self, keys: tuple[str, ...]) -> None:
        """Show these columns, in this order."""
        raise NotImplementedError

    def toggle_column(self, key: str) -> None:
        """Show or hide a column."""
        raise NotImplementedError

    def more_commands(self) -> Iterator[Command]:
        for text, kind, words in _KINDS:
            yield Command(text, words, partial(self.action_only, kind))
        for workload in self._workloads():
            yield Command(workload.name, f"go to it: {facts(workload)}", partial(self.go_to, workload.id), is_name=True)

    def arguments(self) -> Iterator[Argument]:
        yield from super().arguments()
        yield Argument("sort", "sort by a column", self.sorts)
        yield Argument("columns", "a set of columns, or one more or less", self._columns)
        yield Argument("filter", "filter by an expression: kind=vm cpu>50", self._filters)

    def _workloads(self) -> Iterable[Workload]:
        return self.shown_moment.frame.workloads.values() if self.shown_moment is not None else ()

    def sorts(self, typed: str = "") -> Iterator[Command]:
        """Yield everything that the table can be sorted by; what it is sorted by now is marked."""
        for key in sort_order():
            now = "now" if key == self.view.sort else ""
            yield Command(_word(key), describe(key), partial(self.action_sort, key), now)

    def _columns(self, typed: str) -> Iterator[Command]:
        for name, keys in self.column_sets().items():
            labels = " ".join(column_of(key).label for key in keys)
            yield Command(name, f"the set {name}: {labels}", partial(self.show_columns, keys))
        for key in CHOICES:
            yield Command(_word(key), describe(key), partial(self.toggle_column, key))

    def _filters(self, typed: str) -> list[Command]:
        return [Command(typed, "show only what matches", partial(self.set_filter, typed))] if typed else []

    def go_to(self, identity: WorkloadId) -> None:
        """Put the cursor on a workload; what hides it is lifted."""
        moment = self.shown_moment
        if moment is None or identity not in moment.readings:
            self.notify("This workload is gone.", timeout=3)
            return
        if not self._reveal(identity):
            self.view.query, self.view.query_text, self.view.only, self.view.show_all = None, "", None, True
            self.view.folded.clear()
            self.redraw()
            self._reveal(identity)

    def _reveal(self, identity: WorkloadId) -> bool:
        index = next((index for index, line in enumerate(self.view.lines) if line.id == identity), None)
        if index is not None:
            self._go(index)
        return index is not None


def sort_order() -> tuple[str, ...]:
    """Return everything that the table can be sorted by, texts first."""
    texts = [key for key in SORTS if key not in METRICS]
    return (*texts, *(key for key in SORTS if key in METRICS))


def _word(key: str) -> str:
    """Return what users type for a column."""
    metric = METRICS.get(key.removeprefix("spark:"))
    if metric is None:
        return "up" if key == "uptime" else key
    return f"{metric.alias} past" if key.startswith("spark:") else metric.alias
