"""The inspect screen, through Textual's pilot and on real engines."""

from __future__ import annotations

import json
import subprocess
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Input

from collectors.engines.connections import EngineConnections
from collectors.inspection.raw_description import Document, read_document
from collectors.model.errors import SourceError
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.app.test_logs import WEB, seen, showing
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.pilot_wait import until
from tui.presenters.folding import Folds, toned
from tui.screens.inspect import InspectScreen
from tui.widgets.line_view import LineView

TEXTS = st.lists(st.tuples(st.integers(0, 4), st.text("ab{}", min_size=1, max_size=4)), max_size=40)


class TestFolds:
    @given(TEXTS)
    def test_unfolded_every_line_shows_and_folded_none_of_the_outermost_hides(
        self, drawn: list[tuple[int, str]]
    ) -> None:
        lines = ["  " * depth + text for depth, text in drawn]
        folds = Folds(lines)
        assert folds.visible() == list(range(len(lines)))
        folds.fold_all()
        least = min((depth for depth, _ in drawn), default=0)
        assert {place for place, (depth, _) in enumerate(drawn) if depth == least} <= set(folds.visible())
        folds.unfold_all()
        assert folds.visible() == list(range(len(lines)))

    @given(TEXTS, st.data())
    def test_a_line_that_is_revealed_shows(self, drawn: list[tuple[int, str]], data: st.DataObject) -> None:
        folds = Folds(["  " * depth + text for depth, text in drawn])
        folds.fold_all()
        if drawn:
            place = data.draw(st.integers(0, len(drawn) - 1))
            folds.reveal(place)
            assert place in folds.visible()

    @given(st.text(max_size=60).filter(lambda text: "\n" not in text))
    def test_tones_change_no_text(self, text: str) -> None:
        assert "".join(part for part, _ in toned(text)) == text


JSON = Document("inspection", tuple(json.dumps({"a": {"b": [1, 2], "c": "needle"}, "d": 1}, indent=2).splitlines()))


class TestInspectScreen:
    async def test_blocks_fold_and_unfold(self) -> None:
        async with showing(InspectScreen(WEB, lambda: JSON)) as pilot:
            assert "needle" in seen(pilot)
            await pilot.press("j", "enter")
            assert "needle" not in seen(pilot)
            assert "..." in seen(pilot)
            await pilot.press("space")
            assert "needle" in seen(pilot)
            await pilot.press("minus")
            assert "needle" not in seen(pilot)
            await pilot.press("plus")
            assert "needle" in seen(pilot)

    async def test_a_search_unfolds_what_hides_the_match(self) -> None:
        async with showing(InspectScreen(WEB, lambda: JSON)) as pilot:
            await pilot.press("minus", "slash", *"needle", "enter")
            assert "needle" in seen(pilot)
            view = pilot.app.screen.query_one(LineView)
            assert "needle" in "".join(text for text, _ in view.lines[view.cursor])

    async def test_a_search_goes_round_and_says_where_there_is_nothing(self) -> None:
        lines = ("{", *(f'  "{number}": "{"odd" if number % 2 else "even"}"' for number in range(6)), "}")
        async with showing(InspectScreen(WEB, lambda: Document("inspection", lines))) as pilot:
            view = pilot.app.screen.query_one(LineView)
            await pilot.press("slash", *"odd", "enter")
            passed = [view.cursor]
            for key in "nnnNN":
                await pilot.press(key)
                passed.append(view.cursor)
            assert passed == [2, 4, 6, 2, 6, 4]
            await pilot.press("slash")
            pilot.app.screen.query_one(Input).value = "[/b]nothing"
            await pilot.press("enter")
            assert "[/b]nothing not found" in seen(pilot).splitlines()[0]
            assert view.cursor == 4

    async def test_when_all_is_folded_or_unfolded_the_cursor_stays_on_its_line_or_on_what_hides_it(self) -> None:
        async with showing(InspectScreen(WEB, lambda: JSON)) as pilot:
            view = pilot.app.screen.query_one(LineView)

            def under_cursor() -> str:
                return "".join(text for text, _ in view.lines[view.cursor]).strip(" ▸▾{}[],")

            while under_cursor() != '"d": 1':
                await pilot.press("j")
            for key in ("minus", "plus", "minus"):
                await pilot.press(key)
                assert under_cursor() == '"d": 1', f"after {key}"
            await pilot.press("plus", "k", "k")
            assert "needle" in under_cursor()
            await pilot.press("minus")
            assert under_cursor().startswith('"a": {')

    async def test_the_block_under_the_cursor_is_copied(self) -> None:
        async with showing(InspectScreen(WEB, lambda: JSON)) as pilot:
            await pilot.press("j", "y")
            assert json.loads("{" + pilot.app.clipboard.rstrip(",") + "}}") == {"a": {"b": [1, 2], "c": "needle"}}

    async def test_what_cannot_be_read_is_a_sentence_and_is_read_again_on_a_key(self) -> None:
        answers: list[Document | SourceError] = [SourceError("the engine is away"), JSON]

        def read() -> Document:
            answer = answers.pop(0)
            if isinstance(answer, SourceError):
                raise answer
            return answer

        async with showing(InspectScreen(WEB, read)) as pilot:
            assert "the engine is away" in seen(pilot)
            await pilot.press("r")
            await until(pilot, lambda: "needle" in seen(pilot))

    @pytest.mark.parametrize("size", [(80, 24), (200, 60)])
    async def test_it_fits(self, size: tuple[int, int]) -> None:
        document = Document("long", tuple("x" * 500 for _ in range(500)))
        async with showing(InspectScreen(WEB, lambda: document), size) as pilot:
            lines = seen(pilot).splitlines()
            assert max(len(line) for line in lines) <= size[0]
            assert "Esc back" in lines[-1]


@pytest.mark.lab
def test_an_inspection_is_json_without_secrets(docker_lab: DockerLab) -> None:
    client = docker_lab.client
    canary = "inspect-c4n4ry"
    made = client.create_container("busybox:lab", ["true"], environment={"PASSWORD": canary, "COLOUR": "blue"})
    try:
        workload = Workload(WorkloadId("docker", made["Id"]), Kind.CONTAINER, "x", State.CREATED)
        document = read_document(workload, EngineConnections([SourceSpec("docker", {"url": docker_lab.url})]))
        found = json.loads("\n".join(document.lines))
        assert found["Id"] == made["Id"]
        assert "COLOUR=blue" in found["Config"]["Env"]
        assert canary not in "\n".join(document.lines)
    finally:
        docker_lab.remove(made["Id"])


@pytest.mark.lab
def test_a_definition_is_what_virsh_shows(libvirt_lab: LibvirtLab) -> None:
    name = libvirt_lab.shut_off
    uuid = libvirt_lab.connection.lookupByName(name).UUIDString()
    workload = Workload(WorkloadId("qemu", uuid), Kind.VM, name, State.STOPPED)
    document = read_document(workload, EngineConnections([SourceSpec("libvirt", {"uri": libvirt_lab.uri})]))
    words = ["virsh", "--readonly", "--connect", libvirt_lab.uri, "dumpxml", name]
    virsh = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    ours = ElementTree.canonicalize("\n".join(document.lines), strip_text=True)
    assert ours == ElementTree.canonicalize(virsh, strip_text=True)
