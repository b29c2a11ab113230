"""The filter as it is typed, and going to a name: nothing disappears because an expression is not finished yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input

from collectors.analysis.rates import Moment
from collectors.query.filter import Query, QueryError, parse
from tui.presenters.prompts.completion import completions
from tui.presenters.prompts.name_match import matches_by_name
from tui.presenters.styled_lines import Line, Run
from tui.presenters.table.state import TableState
from tui.widgets.filter_prompt import FilterPrompt
from tui.widgets.footer import Footer
from tui.widgets.workload_table import WorkloadTable

if TYPE_CHECKING:
    from textual.screen import Screen

    Base = Screen[None]
else:
    Base = object

_MOST_EARLIER = 50
_MOST_OFFERED = 8
FILTER_LABEL, NAME_LABEL = "/", "'"
_HINT: Line = [
    ("Tab", "accent bold"), (" completes  ", "muted"), ("Up", "accent bold"), (" earlier  ", "muted"),
    ("Enter", "accent bold"), (" keeps  ", "muted"), ("Esc", "accent bold"), (" clears   ", "muted"),
    ("kind=vm cpu>50 name~web", "muted"),
]  # fmt: skip
_NAME_HINT: Line = [
    ("type a name", "muted"), ("   Tab", "accent bold"), (" next  ", "muted"), ("Enter", "accent bold"),
    (" stays there  ", "muted"), ("Esc", "accent bold"), (" goes back", "muted"),
]  # fmt: skip


class FilterKeys(Base):
    """A table of workloads that is filtered and searched by name as one types."""

    view: TableState
    shown_moment: Moment | None
    earlier_filters: list[str]
    """Filters that were kept with Enter, the newest last."""
    _filter_note = ""
    """Why the text that is being typed is not applied yet; empty if it is."""
    _last_match: tuple[Query | None, str] = (None, "")
    """The last filter that showed something, with its text: what stays while another one is not finished."""
    _is_naming = False
    """Whether a name is being typed, not a filter."""
    _came_from = 0
    """The line that the cursor was on before a name was typed."""

    def redraw(self) -> None:
        raise NotImplementedError

    def _go(self, index: int) -> None:
        raise NotImplementedError

    @property
    def is_prompt_open(self) -> bool:
        """Whether a filter or a name is being typed."""
        return self.query_one(FilterPrompt).is_open

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not (action == "filter" and isinstance(self.focused, Input))

    def action_filter(self) -> None:
        self._is_naming, self._filter_note = False, ""
        self._open(FILTER_LABEL, self.view.query_text)

    def action_jump(self) -> None:
        self._is_naming, self._came_from = True, self.view.index()
        self._open(NAME_LABEL, "")

    def _open(self, label: str, text: str) -> None:
        self.query_one(Footer).display = False
        prompt = self.query_one(FilterPrompt)
        prompt.open(label, text, None if self._is_naming else self._completions, self.earlier_filters)
        self.show_prompt()

    def _completions(self, text: str) -> list[str]:
        moment = self.shown_moment
        return completions(text, moment.frame.workloads.values() if moment is not None else ())

    def on_filter_prompt_typed(self, event: FilterPrompt.Typed) -> None:
        if self._is_naming:
            self._go_to_name(0)
        else:
            self.set_filter(event.text, is_typing=True)
        self.show_prompt()

    def on_filter_prompt_next_wanted(self, event: FilterPrompt.NextWanted) -> None:
        self._go_to_name(event.step)

    def on_filter_prompt_taken(self, event: FilterPrompt.Taken) -> None:
        if not self._is_naming and not self.set_filter(event.text):
            self.show_prompt()  # it cannot be used: the reason stands above it
            return
        if not self._is_naming and self.view.query_text:
            kept = [text for text in self.earlier_filters if text != self.view.query_text]
            self.earlier_filters[:] = [*kept, self.view.query_text][-_MOST_EARLIER:]
        self._close_prompt()

    def set_filter(self, text: str, is_typing: bool = False) -> bool:
        """Apply a filter if it is valid; the one before stays if it is not.

        Args:
            text: The filter.
            is_typing: Whether it may not be finished: then it is not applied either if it hides everything although
                its last word could still become something else.

        Returns:
            Whether it was applied.
        """
        try:
            query = parse(text) if text.strip() else None
        except QueryError as error:
            self._filter_note = str(error)
            if is_typing:
                self._show_filter(*self._last_match)
            return False
        if is_typing and query is not None and not self._matches_something(query) and self._completions(text):
            self._filter_note = f"nothing matches {text.strip()} yet"
            return False
        self._filter_note = ""
        self._show_filter(query, text.strip())
        if query is None or self._matches_something(query):
            self._last_match = query, text.strip()
        return True

    def _show_filter(self, query: Query | None, text: str) -> None:
        self.query_one(Footer).fall_silent()
        self.view.query, self.view.query_text = query, text
        self.redraw()

    def _matches_something(self, query: Query) -> bool:
        moment = self.shown_moment
        return moment is None or any(query.matches(reading) for reading in moment.readings.values())

    def _go_to_name(self, step: int) -> None:
        """Go to the first line whose name is like what was typed, or to the next or previous one of them."""
        found = matches_by_name(self.query_one(FilterPrompt).text, [line.label for line in self.view.lines])
        if not found:
            return
        if step == 0:
            self._go(found[0])
            return
        position = found.index(self.view.index()) if self.view.index() in found else -1
        self._go(found[(position + step) % len(found)])

    def show_prompt(self) -> None:
        """Say what is known of the text that is being typed; called with every new moment too."""
        prompt = self.query_one(FilterPrompt)
        moment = self.shown_moment
        if not prompt.is_open or moment is None:
            return
        shown = self.view.shown
        if self._is_naming:
            labels = [line.label for line in self.view.lines]
            found = len(matches_by_name(prompt.text, labels)) if prompt.text else len(labels)
            prompt.say(_NAME_HINT, f"{found} of {len(labels)}")
        else:
            prompt.say(self._hint(prompt.text), f"{shown} of {shown + self.view.filtered_out}")

    def _hint(self, text: str) -> Line:
        """Return what is missing in the filter, and what its last word can become; else which keys work."""
        note: list[Run] = [(f"{self._filter_note}   ", "warn")] if self._filter_note else []
        ends = [candidate.rpartition(" ")[2] for candidate in self._completions(text)[:_MOST_OFFERED]]
        if ends:
            return [*note, ("Tab", "accent bold"), (f" {'  '.join(ends)}", "muted")]
        return note or _HINT

    def _close_prompt(self) -> None:
        self.query_one(FilterPrompt).close()
        self.query_one(Footer).display = True
        self._filter_note = ""
        self.query_one(WorkloadTable).focus()

    def action_back(self) -> None:
        """Clear the filter; while a name is typed, go back to where the cursor was; else, look at all hosts again."""
        was_naming = self._is_naming and self.is_prompt_open
        if not (self.view.query_text or self.is_prompt_open):
            self.view.alone = None
        self._close_prompt()
        if was_naming:
            self._go(self._came_from)
        else:
            self.set_filter("")
