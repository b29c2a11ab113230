"""The threat model names a test for every threat, and each of them exists."""

from __future__ import annotations

import re

import pytest

from tests.helpers.checkout import ROOT

MODEL = (ROOT / "docs" / "threat-model.md").read_text()
SOURCES = "\n".join(path.read_text() for path in sorted((ROOT / "tests").rglob("test_*.py")))
TESTS = set(re.findall(r"^ *(?:async )?def (test_\w+)", SOURCES, re.MULTILINE))
NAMED = re.findall(r"`(test_\w+)`", MODEL)
PAGES = sorted(str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))


@pytest.mark.parametrize("name", sorted(set(NAMED)))
def test_a_test_that_holds_a_protection_exists(name: str) -> None:
    assert name in TESTS


def test_every_threat_has_a_protection_and_a_test() -> None:
    rows = [line.strip("|").split("|") for line in MODEL.splitlines() if line.startswith("| ")]
    threats = [row for row in rows if row[0].strip() != "threat"]
    assert len(threats) > 20
    for threat, protection, tests in threats:
        assert threat.strip()
        assert protection.strip()
        assert "`test_" in tests, threat


def test_what_is_said_of_files_is_so() -> None:
    """The bounds that SECURITY.md promises are those of the code."""
    from collectors.safety import private_file
    from collectors.session import spool

    said = (ROOT / "SECURITY.md").read_text()
    assert f"at most {private_file.LARGEST >> 20} MiB each" in said
    assert f"at most {spool.LARGEST >> 20} MiB or {spool.LONGEST_S / 3600:.0f} hours" in said


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    for target, heading in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", (ROOT / page).read_text()):
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), target
        assert not heading or heading in headings(path.read_text()), f"{target}#{heading}"


def headings(page: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
