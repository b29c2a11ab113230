"""How metrics and columns are written in the configuration: by the short names that filters know."""

from __future__ import annotations

from functools import cache

_KINDS_OF_COLUMN = {"spark": "history"}
"""What stands before the colon of a column that is made of a metric, where users write another word."""


@cache
def sort_words() -> dict[str, str]:
    """Return all that the table can be ordered by: each word, with the table's own key."""
    from collectors.model.metrics import ALIASES
    from tui.presenters.table.state import SORTS

    return _words({key: alias for alias, key in ALIASES.items()}, SORTS)


@cache
def column_words() -> dict[str, str]:
    """Return all columns: each word, with the table's own key.

    `history:cpu` is the recent past of `cpu`, `change:mem` the trend of `mem`.
    """
    from collectors.model.metrics import ALIASES
    from tui.presenters.table.columns import CHOICES

    names = {key: alias for alias, key in ALIASES.items()}
    for column in CHOICES:
        kind, colon, key = column.partition(":")
        if colon:
            names[column] = f"{_KINDS_OF_COLUMN.get(kind, kind)}:{names[key]}"
    return _words(names, CHOICES)


def _words(names: dict[str, str], keys: tuple[str, ...]) -> dict[str, str]:
    """Return each key by its short name, then by itself."""
    return {names.get(key, key): key for key in keys} | {key: key for key in keys if ":" not in key}


def scales() -> dict[str, str]:
    """Return what 100 % CPU can mean."""
    from tui.presenters.table.state import Scale

    return {scale.value: scale.value for scale in Scale}


def orders() -> dict[str, str]:
    """Return the times over which the order averages."""
    from tui.presenters.main_screen.calm_order import Smoothing

    return {span.value: span.value for span in Smoothing}


def kinds() -> dict[str, str]:
    """Return the kinds that can be shown alone; `all` shows every kind."""
    from collectors.model.workloads import KINDS_BY_NAME

    return {"all": "", **{name: kind.value for name, kind in KINDS_BY_NAME.items()}}


def filter_text(text: str) -> str:
    """Return a filter that can be parsed.

    Raises:
        ValueError: It cannot.
    """
    from collectors.query.filter import QueryError, parse

    if text.strip():
        try:
            parse(text)
        except QueryError as error:
            raise ValueError(f"is no filter: {error}") from error
    return text.strip()


def theme_name(text: str) -> str:
    """Return the name of a theme that exists.

    Raises:
        ValueError: There is none, or its file is not well-formed.
    """
    if text in ("auto", "dark", "light", "contrast"):
        return text
    from tui.settings.paths import config_folder
    from tui.themes.choice import ThemeError, find_palette

    try:
        find_palette(text, config_folder())
    except ThemeError as error:
        raise ValueError(f"cannot be used: {error}") from error
    return text
