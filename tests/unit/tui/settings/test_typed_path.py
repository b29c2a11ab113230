"""Paths from prompts: whatever is typed, there is a path or a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.screens.mixins.session_keys import _is_free
from tui.settings.typed_path import path_problem, typed_path


def test_a_home_folder_is_meant_by_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert typed_path("~/x.log") == Path("/home/me/x.log")
    assert path_problem("~/x.log") == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("~nosuchuser/x", "~nosuchuser is not a user with a home folder; write the whole path"),
        ("/srv/a\0b", "a path cannot hold a NUL character"),
    ],
)
def test_what_is_no_path_is_a_sentence(text: str, sentence: str) -> None:
    assert path_problem(text) == sentence


@given(st.text() | st.text().map("~{}".format))
def test_there_is_a_path_or_a_sentence(text: str) -> None:
    assert path_problem(text) or isinstance(typed_path(text), Path)


@pytest.mark.parametrize("text", ["~nosuchuser/x", "/srv/a\0b", "/srv/" + "a" * 5000, "/no/such/folder/x"])
def test_a_session_is_not_saved_where_no_file_can_be(text: str) -> None:
    assert _is_free(text)
