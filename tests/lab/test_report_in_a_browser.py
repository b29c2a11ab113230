"""The report in Debian's Chromium, which is on no network: what it draws, sorts and unfolds, and what never runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import msgspec
import pytest

from collectors.model.workloads import Event, Frame
from tests.helpers.host_recordings import host_frames, record
from tests.helpers.lab.browser import Browser, Page, chromium
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import made_anew

pytestmark = pytest.mark.lab

VMTOP = str(Path(sys.executable).parent / "vmtop")
HOSTILE = (
    "<img src=x onerror=document.title=1>", "<script>document.title=1</script>", "\"><svg onload=document.title=1>",
    "</title></style><iframe src=//example.org>", "<a href=javascript:document.title=1>x</a>",
)  # fmt: skip
ALL = "details.all:has(table)"


@pytest.fixture(scope="module")
def browser(lab_root: Path) -> Iterator[Browser]:
    folder = lab_root / "browser"
    made_anew(folder)
    with skip_or_fail(), chromium(folder) as started:
        yield started


def with_hostile_names(frames: list[Frame]) -> list[Frame]:
    """The same, but some workloads, events and notes have names and texts that would run if they could."""
    changed = []
    for number, frame in enumerate(frames):
        workloads = dict(frame.workloads)
        for name, identity in zip(HOSTILE, list(workloads), strict=False):
            workloads[identity] = msgspec.structs.replace(workloads[identity], name=name)
        told = [Event(frame.wall, frame.host.id, "note", HOSTILE[0], HOSTILE[1])] if number == 100 else []
        if number == 200:
            told = [
                Event(frame.wall, next(iter(workloads)), "alert", f"critical: {HOSTILE[2]}: {HOSTILE[0]}", HOSTILE[0])
            ]
        changed.append(msgspec.structs.replace(frame, workloads=workloads, events=(*frame.events, *told)))
    return changed


def reported(folder: Path, frames: list[Frame]) -> Path:
    path, target = record(folder / "night.vmtop.gz", frames), folder / "night.html"
    subprocess.run([VMTOP, "report", str(path), "-o", str(target)], check=True, capture_output=True, timeout=240)
    return target


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    frames = with_hostile_names(host_frames("hv01", 300, workloads=30))
    return reported(tmp_path_factory.mktemp("report"), frames).as_uri()


def column(page: Page, head: str, table: str) -> list[str]:
    """The cells of a column, as they are shown."""
    found: list[str] = page.evaluate(
        f"""(() => {{
            const table = document.querySelector({table!r});
            const at = [...table.tHead.rows[0].cells].findIndex(cell => cell.textContent.trim() === {head!r});
            return [...table.tBodies[0].rows].map(row => row.cells[at].textContent);
        }})()"""
    )
    return found


def press(page: Page, head: str, table: str) -> str | None:
    """Click on a heading; return the direction in which it now says that the table is sorted."""
    at = page.evaluate(
        f"[...document.querySelectorAll('{table} th')].findIndex(cell => cell.textContent.trim() === {head!r}) + 1"
    )
    page.click(f"{table} th:nth-child({at}) button")
    direction: str | None = page.evaluate(f"document.querySelector('{table} th:nth-child({at})').ariaSort")
    return direction


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 400])
def test_it_is_drawn_at_any_width_in_the_reader_s_colours(
    browser: Browser, report: str, width: int, is_dark: bool
) -> None:
    page = Page(browser, report, width, is_dark)
    assert page.evaluate("document.documentElement.scrollWidth") == width, "nothing is cut off at the right"
    colors = page.evaluate("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
    brightness = [sum(map(int, color.strip("rgb()").split(","))) for color in colors]
    assert (brightness[0] < brightness[1]) == is_dark
    boxes = page.evaluate(
        "[...document.querySelectorAll('figure path.c1')].filter(one => one.checkVisibility())"
        ".map(one => one.getBoundingClientRect()).map(box => [box.width, box.height])"
    )
    assert len(boxes) >= 5
    assert all(box[0] > width / 2 and box[1] > 0 for box in boxes)
    assert page.screenshot()[:4] == b"\x89PNG"


@pytest.mark.parametrize("width", [1200, 981, 980, 600, 400])
def test_no_two_words_of_a_chart_cover_each_other(browser: Browser, report: str, width: int) -> None:
    overlaps = Page(browser, report, width).evaluate(
        """[...document.querySelectorAll('svg.area, svg.scale')].filter(one => one.checkVisibility()).flatMap(svg => {
            const boxes = [...svg.querySelectorAll('text')].map(one => [one.textContent, one.getBoundingClientRect()])
                .filter(([, box]) => box.width);
            return boxes.flatMap(([words, box], index) => boxes.slice(index + 1)
                .filter(([, other]) => box.left < other.right - 1 && other.left < box.right - 1
                    && box.top < other.bottom - 3 && other.top < box.bottom - 3)
                .map(([other]) => `${words} | ${other}`));
        })"""
    )
    assert overlaps == []


def test_it_loads_nothing_and_complains_of_nothing(browser: Browser, report: str) -> None:
    page = Page(browser, report)
    for table in ("table", f"{ALL} table"):
        press(page, "Name", table)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert page.requested() == [report]
    assert page.complaints() == []
    assert page.evaluate("performance.getEntriesByType('resource').length") == 0


def test_nothing_that_a_workload_is_called_runs(browser: Browser, report: str) -> None:
    page = Page(browser, report)
    assert page.evaluate("document.title") == "vmtop: hv01"
    assert page.evaluate("document.querySelectorAll('img, iframe, object, embed').length") == 0
    assert page.evaluate("document.scripts.length") == 1
    names = column(page, "Name", f"{ALL} table")
    assert set(HOSTILE) <= set(names), "they are shown as they are"
    page.evaluate("document.querySelector('.verdict a').click()")
    assert page.evaluate("document.title") == "vmtop: hv01"


def test_a_guest_that_is_called_a_script_is_recorded_reported_and_shown(
    browser: Browser, libvirt_lab: LibvirtLab, tmp_path: Path
) -> None:
    name = f"<img src=x onerror=document.title=1>-{os.getpid()}"
    xml = BootSector.IDLE.xml("called", libvirt_lab.folder, 4, "")
    libvirt_lab.connection.defineXML(xml.replace("<name>called</name>", f"<name>{escape(name)}</name>")).create()
    path, target = tmp_path / "night.vmtop.gz", tmp_path / "night.html"
    try:
        sources = ("--libvirt", libvirt_lab.uri, "--duration", "5s")
        for command in (("record", str(path), *sources), ("report", str(path), "-o", str(target))):
            subprocess.run([VMTOP, *command], check=True, capture_output=True, timeout=240)
    finally:
        libvirt_lab.remove(name)
    page = Page(browser, target.as_uri())
    assert name in page.evaluate("[...document.querySelectorAll('td.name')].map(cell => cell.textContent)")
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert page.evaluate("document.title").startswith("vmtop: ")
    assert page.complaints() == []


def test_the_policy_would_stop_what_slipped_through(browser: Browser, report: str) -> None:
    page = Page(browser, report)
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=document.title=1><b style=color:red>b</b>')"
    )
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'document.title=2'}))")
    page.evaluate("new Promise(done => setTimeout(done, 200))")
    assert page.evaluate("document.title") == "vmtop: hv01"
    assert len([words for words in page.complaints() if "Content Security Policy" in words]) >= 3
    assert page.evaluate("fetch('x').then(() => 'fetched', () => 'refused')") == "refused"


def test_a_click_on_a_heading_sorts_and_a_second_one_turns_the_order(browser: Browser, report: str) -> None:
    page = Page(browser, report)
    before = column(page, "Name", "table")
    assert press(page, "CPU s", "table") == "descending"
    used = [float(cell.replace(",", "")) for cell in column(page, "CPU s", "table")]
    assert used == sorted(used, reverse=True)
    assert press(page, "CPU s", "table") == "ascending"
    assert [float(cell.replace(",", "")) for cell in column(page, "CPU s", "table")] == sorted(used)
    assert press(page, "Name", "table") == "ascending"
    names = column(page, "Name", "table")
    assert sorted(names) == sorted(before), "no row is lost"
    assert names != before
    assert page.evaluate("document.querySelectorAll('table')[0].querySelectorAll('[aria-sort]').length") == 1


def test_sizes_are_sorted_as_numbers_and_what_is_missing_is_last(browser: Browser, tmp_path: Path) -> None:
    frames = host_frames("hv01", 40, workloads=6)
    cut = next(iter(frames[0].workloads))
    frames = [msgspec.structs.replace(frame, samples={**frame.samples, cut: ()}) for frame in frames]
    page = Page(browser, reported(tmp_path, frames).as_uri())
    for direction in ("descending", "ascending"):
        assert press(page, "MEM peak", "table") == direction
        cells = column(page, "MEM peak", "table")
        sizes = [in_bytes(cell) for cell in cells[:-1]]
        assert cells[-1] == "-"
        assert sizes == sorted(sizes, reverse=direction == "descending")


def in_bytes(words: str) -> float:
    return float(words[:-1]) * 1024.0 ** "BKMGT".index(words[-1])


def test_the_keyboard_sorts_too(browser: Browser, report: str) -> None:
    page = Page(browser, report)
    page.evaluate("document.querySelector('th button').focus()")
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r", windowsVirtualKeyCode=13)
    assert page.evaluate("document.querySelector('th').ariaSort") == "ascending"


def test_a_name_in_the_verdict_leads_to_its_charts_and_unfolds_them(browser: Browser, report: str) -> None:
    page = Page(browser, report)
    page.click(".verdict a")
    target = page.evaluate("location.hash")
    assert page.evaluate(f"document.querySelector('{target} path').checkVisibility()")
    top = page.evaluate(f"document.querySelector('{target}').getBoundingClientRect().top")
    assert 0 <= top < 900, "it is in the window"


def test_without_scripts_nothing_is_missing_but_the_sorting(browser: Browser, report: str) -> None:
    page = Page(browser, report, has_scripts=False)
    assert page.evaluate("document.querySelectorAll('th button').length") == 0
    assert page.evaluate("document.querySelectorAll('figure svg.area').length") >= 5
    page.click(f"{ALL} > summary")
    assert page.evaluate(f"document.querySelector('{ALL} table').checkVisibility()")


def test_no_column_is_cut_off_on_paper(browser: Browser, report: str) -> None:
    page = Page(browser, report, 718, media="print")  # A4 within margins of 1 cm
    cut = page.evaluate("[...document.querySelectorAll('table')].map(one => one.getBoundingClientRect().right)")
    assert max(cut) <= 718


def test_on_paper_it_is_light_and_all_workloads_are_there(browser: Browser, report: str) -> None:
    page = Page(browser, report, 800, is_dark=True, media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate(f"document.querySelector('{ALL} table').getBoundingClientRect().height") > 300
    assert not page.evaluate("document.querySelector('.charts').checkVisibility()"), "what is folded beyond stays so"
    paper = page.call("Page.printToPDF", printBackground=False)["data"]
    assert len(paper) > 10_000
