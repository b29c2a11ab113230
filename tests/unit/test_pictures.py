"""The pictures of the documentation: thirteen scenes, each where it is explained."""

from __future__ import annotations

import re
from pathlib import Path

from docs.make import PICTURES
from tests.helpers.scenes import SCENES

TOP = Path(__file__).parents[2]
_PICTURE = re.compile(r"!\[[^\]]+\]\(([^)]+\.svg)\)")


def test_the_pages_show_the_pictures_that_are_drawn_and_no_others() -> None:
    pages = [TOP / "README.md", *(TOP / "docs").rglob("*.md")]
    shown = {(page.parent / path).resolve() for page in pages for path in _PICTURE.findall(page.read_text())}
    assert shown == {TOP / path for path in PICTURES}
    assert len(PICTURES) == 13


def test_every_picture_is_one_of_a_scene_and_fetches_nothing() -> None:
    for path, (name, _) in PICTURES.items():
        picture = (TOP / path).read_text()
        assert picture.startswith("<svg"), path
        assert "@font-face" not in picture
        assert name in SCENES
