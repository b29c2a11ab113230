"""The YAML of the shipped files: texts that mean something else without quotes get them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.process import find_program
from tui.presenters.monitoring.yaml_text import Data, yaml_text


def test_mappings_and_lists_are_written_in_blocks() -> None:
    text = yaml_text({"groups": [{"name": "vmtop", "rules": [{"record": "a:b", "expr": 'x{y="z"}'}]}], "size": 3})
    assert text == (
        'groups:\n  - name: vmtop\n    rules:\n      - record: "a:b"\n        expr: \'x{y="z"}\'\nsize: 3\n'
    )


@pytest.mark.parametrize("word", ["yes", "No", "null", "15s", "1e3", "- a", "a: b", "a #b", "", " a", "*x", "a,b"])
def test_a_text_that_yaml_would_take_for_something_else_is_quoted(word: str) -> None:
    assert yaml_text({"key": word}) == f"key: {json.dumps(word)}\n"


def test_several_lines_are_a_block() -> None:
    assert yaml_text({"key": "one\ntwo"}) == "key: |\n  one\n  two\n"


def test_a_short_list_of_words_stays_on_its_line() -> None:
    assert yaml_text({"key": ["__name__", "kind"], "none": []}) == "key: [__name__, kind]\nnone: []\n"


def test_a_single_value_is_no_document() -> None:
    with pytest.raises(TypeError, match="neither a mapping nor a list"):
        yaml_text("word")


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=20).filter(lambda text: "\n" not in text), max_size=3))
def test_any_text_is_one_value_on_one_line(data: dict[str, str]) -> None:
    lines = yaml_text(data).split("\n")
    assert len(lines) == len(data) + 1
    assert all(line.isprintable() for line in lines)


def test_promtool_reads_what_is_quoted(tmp_path: Path) -> None:
    """It is the reader that the files are for; its own word is the authority."""
    rules = tmp_path / "rules.yml"
    texts = ["it's", 'a "b"', "true", "x: y", "# no", "back\\slash", "ünï", "{{ $labels.x }}"]
    alerts: list[Data] = [
        {"alert": f"A{index}", "expr": "up", "annotations": {"text": text}} for index, text in enumerate(texts)
    ]
    rules.write_text(yaml_text({"groups": [{"name": "g", "rules": alerts}]}))
    with skip_or_fail():
        promtool = find_program("promtool")
    subprocess.run([promtool, "check", "rules", rules], check=True, capture_output=True)
