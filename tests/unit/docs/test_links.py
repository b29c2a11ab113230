"""Links in the pages: files and titles that are there, and every page within reach of the front page."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest

from docs.navigation import FRONT, sections, with_navigation
from tests.helpers.checkout import ROOT
from tests.helpers.doc_pages import PAGES, anchors, links

_FRONT = ROOT / f"{FRONT}.md"


def dead(page: Path, link: str) -> str:
    """Return why a link leads nowhere; empty if it does not."""
    path, _, anchor = link.partition("#")
    target = (page.parent / unquote(path)).resolve() if path else page
    if not target.is_relative_to(ROOT):
        return "leads out of the repository"
    if not target.is_file():
        return "a folder has no page on the site" if target.is_dir() else "there is no such file"
    return f"{target.name} has no title {anchor!r}" if anchor and anchor not in anchors(target) else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_title_that_are_there(page: Path) -> None:
    assert {link: why for link in links(page) if (why := dead(page, link))} == {}


def test_every_page_is_in_exactly_one_list_of_the_front_page() -> None:
    listed = [path for rows in sections(_FRONT.read_text()).values() for _, path in rows]
    found = [(_FRONT.parent / f"{path}.md").resolve() for path in listed]
    decisions = {page for page in PAGES if page.parent.name == "decisions"} - {
        ROOT / "docs" / "decisions" / "README.md"
    }
    assert len(found) == len(set(found))
    assert set(found) == set(PAGES) - decisions - {_FRONT}


def test_the_lists_become_tables_of_contents_that_are_not_shown() -> None:
    page = with_navigation(
        FRONT, "# vmtop\n\n## How to\n\n- [Find it](how-to/find.md): quickly\n- plain\n\n## Nothing\n"
    )
    assert page.endswith("```{toctree}\n:hidden:\n:caption: How to\n\nFind it <how-to/find>\n```\n")
    assert page.count("{toctree}") == 1
    assert with_navigation("docs/screen", "# The screen\n") == "# The screen\n"


def test_a_link_to_what_is_not_there_is_found(tmp_path: Path) -> None:
    assert dead(_FRONT, "nothing.md") == "there is no such file"
    assert dead(_FRONT, "decisions/") == "a folder has no page on the site"
    assert dead(_FRONT, "screen.md#nothing") == "screen.md has no title 'nothing'"
    assert dead(_FRONT, "../../elsewhere.md") == "leads out of the repository"
