"""Sphinx's configuration of the site: `make docs` builds it from the Markdown pages of the repository, as they are.

The source folder is the repository, so that a link means the same there and on the site. `docs/index.md` is the front
page, and its lists are the navigation.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx

_TOP = Path(__file__).parents[1]
sys.path.insert(0, str(_TOP))

from collectors import __version__  # noqa: E402
from docs.navigation import with_navigation  # noqa: E402

project = "vmtop"
copyright = "the authors of vmtop"  # noqa: A001
release = version = __version__
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["docs/**.md", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "bench/*.md"]
exclude_patterns = [".*", "build", "dist", "**/.*", "tests", "collectors", "tui"]
suppress_warnings = ["misc.highlighting_failure", "myst.header"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
smartquotes = False
highlight_language = "none"
html_theme = "furo"
html_title = f"vmtop {__version__}"
html_extra_path = ["front"]
html_show_sphinx = False
html_copy_source = False
html_use_index = False


def setup(app: Sphinx) -> None:
    """Let the lists of pages become the navigation."""
    app.connect("source-read", lambda _app, page, source: source.__setitem__(0, with_navigation(page, source[0])))
