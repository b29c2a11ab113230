"""The theme that a user chooses, and files of the user's own."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.deep_toml import DEEP_TOML
from tui.themes.choice import AUTO, ThemeError, choices, find_palette, problems, warnings
from tui.themes.contrast import rgb
from tui.themes.look import theme_of
from tui.themes.palette import PALETTES
from tui.themes.roles import ROLES


def own(folder: Path, text: str, name: str = "mine") -> Path:
    path = folder / "themes" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_the_built_in_ones_go_by_either_name(tmp_path: Path) -> None:
    assert find_palette("light", tmp_path) is find_palette("vmtop-light", tmp_path) is PALETTES["light"]
    assert choices(tmp_path) == [AUTO, "dark", "light", "contrast"]


def test_a_file_changes_roles_of_its_base(tmp_path: Path) -> None:
    own(tmp_path, 'base = "vmtop-light"\nbad = "#b00020"\n')
    colors = find_palette("mine", tmp_path).colors
    assert colors["bad"] == rgb("#b00020")
    assert colors["background"] == PALETTES["light"].colors["background"]
    assert choices(tmp_path)[-1] == "mine"


def test_without_a_base_it_is_dark_and_a_new_text_is_that_of_titles_too(tmp_path: Path) -> None:
    own(tmp_path, 'text = "#ffffff"\n')
    palette = find_palette("mine", tmp_path)
    assert theme_of(palette).dark
    assert palette.colors["title"] == (255, 255, 255)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('\nbad = "red"\n', "line 2: bad is a colour such as '#1a2b3c', not 'red'"),
        ("bad = 3\n", "line 1: bad is a colour such as '#1a2b3c', not '3'"),
        ('base = "dark"\nbaad = "#000000"\n', "line 2: no role 'baad'. Did you mean 'bad'? Roles: background, panel, "),
        ('base = "blue"\n', "line 1: base is one of dark, light, contrast, not 'blue'"),
        ('bad = "#00\n', "is not TOML: Illegal character '\\n' (at line 1, column 11)"),
        ("[bad]\nx = 1\n", "bad is a colour such as '#1a2b3c', not \"{'x': 1}\""),
        ("#" * 20_000, "is longer than 16 KiB"),
        ('"b\\u001bad" = "#000000"\n', "no role 'b\\x1bad'"),
    ],
)
def test_a_mistake_names_the_file_the_line_and_what_is_allowed(tmp_path: Path, text: str, sentence: str) -> None:
    path = own(tmp_path, text)
    with pytest.raises(ThemeError) as caught:
        find_palette("mine", tmp_path)
    assert str(path) in str(caught.value)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("name", ["nosuch", "../../etc/passwd", "", "a" * 60, "x\x1b[2J", "/dev/zero"])
def test_a_theme_that_is_not_there_is_a_sentence_with_those_that_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(ThemeError, match=r"there is no theme .*Themes: auto, dark, light, contrast"):
        find_palette(name, tmp_path)


def test_the_nearest_name_is_offered(tmp_path: Path) -> None:
    with pytest.raises(ThemeError, match="Did you mean 'contrast'"):
        find_palette("contrasts", tmp_path)


def test_a_pipe_or_a_folder_in_its_place_is_refused_without_waiting(tmp_path: Path) -> None:
    folder = tmp_path / "themes"
    folder.mkdir()
    os.mkfifo(folder / "pipe.toml")
    (folder / "folder.toml").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(ThemeError, match=r"not a regular file|cannot be read"):
            find_palette(name, tmp_path)


def test_low_contrast_is_a_warning_not_an_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    own(tmp_path, 'muted = "#333333"\n')
    with caplog.at_level(logging.WARNING):
        palette = find_palette("mine", tmp_path)
    assert "muted on background has a contrast of 1.5:1, 4.5:1 is legible" in list(warnings(palette))
    assert "mine.toml: muted on panel" in caplog.text
    assert list(warnings(PALETTES["dark"])) == []
    own(tmp_path, "bad = 3", "broken")
    assert any("line 1: bad is a colour" in sentence for sentence in problems(tmp_path))
    assert "mine: muted on background has a contrast of 1.5:1, 4.5:1 is legible" in list(problems(tmp_path))


@given(st.dictionaries(st.sampled_from(list(ROLES)), st.from_regex("#[0-9a-f]{6}", fullmatch=True)))
def test_any_colours_make_a_theme(tmp_path_factory: pytest.TempPathFactory, roles: dict[str, str]) -> None:
    folder = tmp_path_factory.mktemp("own")
    own(folder, "".join(f'{role} = "{code}"\n' for role, code in roles.items()))
    palette = find_palette("mine", folder)
    theme_of(palette)
    for role, code in roles.items():
        assert palette.colors[role] == rgb(code)


@pytest.mark.parametrize("name", ["quoted key", "heading", "key below a heading", "array"])
def test_a_deep_one_is_one_sentence_with_file_and_line(name: str, tmp_path: Path) -> None:
    path = own(tmp_path, DEEP_TOML[name])
    with pytest.raises(ThemeError, match=rf"{path} .* nested deeper than 16 levels \(at line 2\)"):
        find_palette("mine", tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user's file")
def test_root_takes_no_theme_that_another_user_could_change(tmp_path: Path) -> None:
    os.chown(own(tmp_path, 'bad = "#b00020"'), 12345, -1)
    with pytest.raises(ThemeError, match="belongs to another user"):
        find_palette("mine", tmp_path)
