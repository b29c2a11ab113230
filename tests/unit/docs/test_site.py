"""The site: built without a warning and without a network, with an index to search, and nothing from elsewhere."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from tests.helpers.checkout import DOCS, ROOT
from tests.helpers.doc_pages import PAGES

pytest.importorskip("myst_parser", reason="the extra 'docs' is not installed")
pytest.importorskip("furo", reason="the extra 'docs' is not installed")
pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated. Check CHANGES for Sphinx")
_LOADED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"([^\"]+)\"|<link\b[^>]*\brel=\"stylesheet\"[^>]*\bhref=\"([^\"]+)\""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does it."""
    from sphinx.cmd.build import build_main

    folder = tmp_path_factory.mktemp("site")
    arguments = ["-q", "-W", "-E", "-b", "html", "-d", str(folder / "trees"), "-c", str(DOCS), str(ROOT)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(socket.socket, "connect", _no_network)
        assert build_main([*arguments, str(folder / "html")]) == 0
    return folder / "html"


def _no_network(*_: object) -> None:
    raise OSError("a build needs no network")


@pytest.mark.slow
@pytest.mark.xdist_group("site")
class TestSite:
    def test_every_page_is_on_it(self, site: Path) -> None:
        missing = [page for page in PAGES if not (site / page.relative_to(ROOT)).with_suffix(".html").is_file()]
        assert missing == []

    def test_it_is_searched_by_a_script_that_a_file_may_load(self, site: Path) -> None:
        index = (site / "searchindex.js").read_text()
        assert index.startswith("Search.setIndex(")
        assert all(f'"{word}"' in index or f"{word}:" in index for word in ("virtualbox", "throttl"))
        assert 'src="searchindex.js"' in (site / "search.html").read_text()

    def test_no_page_loads_anything_from_elsewhere(self, site: Path) -> None:
        loaded = {
            (page.name, part)
            for page in site.rglob("*.html")
            for match in _LOADED.findall(page.read_text())
            for part in match
            if re.match(r"([a-z]+:)?//", part)
        }
        assert loaded == set()

    def test_the_top_leads_to_the_front_page(self, site: Path) -> None:
        assert 'url=docs/index.html"' in (site / "index.html").read_text()
        front = (site / "docs" / "index.html").read_text()
        assert all(f'<span class="caption-text">{title}</span>' in front for title in ("How to", "Reference"))
