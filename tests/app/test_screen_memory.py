"""The screen starts as it was left, and what is changed on it is kept: for the next run, or in the configuration."""

from __future__ import annotations

import stat
import threading
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.app.test_workload_list import Session
from tests.helpers.demo_fleet import Fleet, QuietSampler
from tests.helpers.fake_engines import FakeEngine, means_with
from tests.helpers.pilot_wait import notified, told_of
from tui.app.live import VmtopApp
from tui.configuration import screen_state
from tui.configuration.config import Config
from tui.configuration.screen_state import ScreenState, load
from tui.controllers.screen_memory import ScreenMemory
from tui.settings.screen_options import ScreenOptions


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of configuration and state."""
    for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    (tmp_path / "vmtop").mkdir()
    return tmp_path / "vmtop"


@asynccontextmanager
async def screen(
    memory: ScreenMemory | None = None, options: ScreenOptions | None = None, config: Config | None = None
) -> AsyncIterator[Session]:
    """A screen with a fleet on it."""
    app = VmtopApp(
        QuietSampler(), options or ScreenOptions(), means_with(FakeEngine(), config or Config()), memory=memory
    )
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        session = Session(pilot, Fleet(8))
        await session.tick(2)
        yield session


def memory_in(folder: Path, state: ScreenState | None = None, has_effect: bool = False) -> ScreenMemory:
    return ScreenMemory(state or ScreenState(), folder / "screen.toml", has_effect)


async def test_what_is_changed_is_kept_at_the_end(folder: Path) -> None:
    async with screen(memory_in(folder)) as session:
        await session.press("M", "t", "r", "percent_sign", "plus", "3", "o")
    assert load().values == {
        "screen.sort": "memory_host_bytes",
        "screen.tree": True,
        "screen.reverse": True,
        "screen.scale": "host",
        "screen.interval": 2.0,
        "screen.only": "container",
        "screen.large_panes": True,
    }


async def test_it_starts_as_the_options_say_and_they_are_not_kept(folder: Path) -> None:
    options = ScreenOptions(sort="name", is_tree=True, columns=("name", "cpu_percent"), scale="limit", show_all=True)
    async with screen(memory_in(folder, ScreenState({"screen.only": "vm"})), options) as session:
        view = session.screen.view
        assert (view.sort, view.is_tree, view.scale, view.show_all) == ("name", True, "limit", True)
        assert session.screen.layout_settings()["screen.columns"] == ("name", "cpu_percent")
        await session.press("r")
    assert load().values == {"screen.only": "vm", "screen.reverse": True}


async def test_a_run_that_changes_nothing_writes_nothing(folder: Path) -> None:
    async with screen(memory_in(folder)) as session:
        await session.press("j", "k")
    assert load().values == {}


async def test_a_fresh_run_leaves_what_was_left_until_it_changes_something(folder: Path) -> None:
    screen_state.save(ScreenState({"screen.tree": True, "screen.sort": "name"}), folder / "screen.toml")
    for key, left in (("j", {"screen.tree": True, "screen.sort": "name"}), ("r", {"screen.reverse": True})):
        memory = ScreenMemory(load(), folder / "screen.toml", is_fresh=True)
        async with screen(memory) as session:
            memory.count("some hint")
            await session.press(key)
        assert load().values == left


async def test_a_demonstration_keeps_nothing(folder: Path) -> None:
    async with screen(ScreenMemory()) as session:
        await session.press("M", "W")
        await told_of(session, "a demonstration keeps nothing")
    assert load() == ScreenState()


async def test_the_hint_is_shown_three_times_at_most(folder: Path) -> None:
    for is_shown in (True, True, True, False):
        async with screen(memory_in(folder, load(), has_effect=True)) as session:
            await session.pilot.pause()
            if is_shown:
                await told_of(session, "as you left it; W keeps it, --fresh does not")
            else:
                assert "as you left it" not in notified(session)


async def test_w_writes_it_into_the_configuration_and_leaves_the_rest_as_it_is(folder: Path) -> None:
    own = '# mine\nread_only = true # yes\n[screen]\nsort = "name" # by name\n\n[keys]\nlook = "ctrl+n"\n'
    own += '\n[sources]\nhost = ["local"]\n\n[list]\nlimit = 5\n'
    (folder / "config.toml").write_text(own)
    (folder / "config.toml").chmod(0o644)
    async with screen(memory_in(folder)) as session:
        await session.press("M", "t", "W")
        await told_of(session, "kept in")
    expected = own.replace('"name" #', '"mem" #').replace("by name\n", "by name\ntree = true\n")
    assert (folder / "config.toml").read_text() == expected
    assert stat.S_IMODE((folder / "config.toml").stat().st_mode) == 0o644, "as it was"


async def test_w_makes_the_configuration_where_there_is_none_and_links_stay_links(folder: Path, tmp_path: Path) -> None:
    async with screen(memory_in(folder)) as session:
        await session.press("M", "W")
    assert tomllib.loads((folder / "config.toml").read_text()) == {"screen": {"sort": "mem"}}
    assert stat.S_IMODE((folder / "config.toml").stat().st_mode) == 0o600
    elsewhere = tmp_path / "dotfiles.toml"
    (folder / "config.toml").rename(elsewhere)
    (folder / "config.toml").symlink_to(elsewhere)
    async with screen(memory_in(folder)) as session:
        await session.press("t", "W")
    assert (folder / "config.toml").is_symlink()
    assert tomllib.loads(elsewhere.read_text()) == {"screen": {"sort": "cpu", "tree": True}}


async def test_w_leaves_a_file_with_a_mistake_alone(folder: Path) -> None:
    for text, words in (("[screen]\nintervall = 2\n", "line 2: 'intervall'"), ("screen = [", "is not TOML")):
        (folder / "config.toml").write_text(text)
        async with screen(memory_in(folder)) as session:
            await session.press("M", "W")
            await told_of(session, words)
        assert (folder / "config.toml").read_text() == text


async def test_a_broken_configuration_locks_the_actions_and_says_why() -> None:
    config = Config(read_only=True, problem="config.toml line 7: 'intervall' is unknown")
    async with screen(config=config) as session:
        assert session.screen.actions.is_locked
        assert "configuration not used" in session.text()
        await told_of(session, "line 7: 'intervall' is unknown; defaults apply")
        await session.press("L")
        assert not session.screen.actions.is_locked


async def test_the_users_keys_work_and_are_shown() -> None:
    keymap = {"tree": "ctrl+o", "look": "ctrl+n,f9", "scale": "", "quit": "Q,ctrl+c"}
    async with screen(config=Config(keymap=keymap)) as session:
        await session.press("ctrl+o")
        assert session.screen.view.is_tree
        await session.press("t", "percent_sign")
        assert session.screen.view.is_tree, "its own key does nothing any more"
        assert session.screen.view.scale.value == "core", "an action without keys has none"
        footer = session.text().splitlines()[-1]
        assert "Ctrl-N open" in footer
        assert "Q quit" in footer
        await session.press("question_mark")
        assert "Ctrl-N F9" in session.text()
        assert "Ctrl-O" in session.text()


async def test_the_users_keys_work_on_the_pages_of_a_workload_too() -> None:
    async with screen(config=Config(keymap={"next_page": "ctrl+n", "back": "ctrl+x"})) as session:
        await session.press("j", "enter")
        page = session.pilot.app.screen
        assert page is not session.screen
        before = session.text()
        await session.press("ctrl+n")
        assert session.text() != before
        assert "Ctrl-N next page" in session.text()
        await session.press("escape")
        assert session.pilot.app.screen is page, "its own key does nothing any more"
        await session.press("ctrl+x")
        assert session.pilot.app.screen is session.screen


async def test_the_users_keys_work_and_are_shown_in_dialogs() -> None:
    keymap = {"column_right": "ctrl+r", "tick": "X", "close_columns": "f9,escape", "complete": "ctrl+n"}
    async with screen(config=Config(keymap=keymap)) as session:
        await session.press("c")
        assert "X on or off, Ctrl-R K move" in session.text()
        before = session.text()
        await session.press("down", "X")
        assert session.text() != before
        await session.press("f9")
        assert session.pilot.app.screen is session.screen
        await session.press("colon")
        assert "Ctrl-N completes" in session.text()
        await session.press(*"res", "ctrl+n")
        assert ": restart " in session.text()


async def test_a_theme_that_is_chosen_is_kept(folder: Path) -> None:
    async with screen(memory_in(folder)) as session:
        session.pilot.app.choose_theme("contrast")  # type: ignore[attr-defined]
    assert load().values == {"screen.theme": "contrast"}


async def test_a_disk_that_does_not_answer_stops_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()
    monkeypatch.setattr(screen_state, "save", lambda *_: is_over.wait(30))
    memory = memory_in(folder)
    async with screen(memory) as session:
        await session.press("M")
        memory.note(session.screen.layout_settings())
        await session.press("t")
        memory.note(session.screen.layout_settings())
        assert session.screen.view.is_tree
    is_over.set()


def test_a_folder_that_cannot_be_written_is_a_line_in_the_log(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    memory = ScreenMemory(ScreenState(), tmp_path / "file" / "screen.toml")
    memory.begin({"screen.tree": False})
    memory.note({"screen.tree": True})
    memory.close()
    assert "screen.toml cannot be written" in caplog.text
