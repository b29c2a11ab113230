"""Small promises of the session's files: older formats, what spreadsheets take for formulas, nothing left behind."""

from __future__ import annotations

import io
import os
from pathlib import Path

import msgspec
import pytest

from collectors.analysis.rates import Reading
from collectors.session.decode import Decoder, LineError
from collectors.session.encode import sealed
from collectors.session.exporting.rows import Row
from collectors.session.exporting.writers import write_csv
from collectors.session.format import FORMAT, VERSION, MetaLine, SessionError
from collectors.session.storage import finished_file, new_file
from tests.helpers.strategies import workload


def meta(**changes: object) -> bytes:
    fields = {"k": "meta", "format": FORMAT, "version": VERSION, "run": "f1ee7", "sequence": 1, **changes}
    return sealed(msgspec.json.encode(fields)).rstrip(b"\n")


@pytest.mark.parametrize("version", range(VERSION + 1))
def test_every_version_up_to_this_one_is_read(version: int) -> None:
    decoder = Decoder()
    assert decoder.take(meta(version=version)) is None
    assert isinstance(decoder.meta, MetaLine)
    assert decoder.meta.version == version


@pytest.mark.parametrize("changes", [{"version": VERSION + 1}, {"format": "another"}])
def test_a_later_version_and_another_format_are_not(changes: dict[str, object]) -> None:
    with pytest.raises(LineError, match="cannot read"):
        Decoder().take(meta(**changes))


@pytest.mark.parametrize("first", "=+-@\t\r")
def test_a_name_that_a_spreadsheet_would_take_for_a_formula_comes_out_as_text(first: str) -> None:
    name = f"{first}1+1"
    row = Row(0.0, Reading(msgspec.structs.replace(workload(), name=name), ()))
    stream = io.StringIO(newline="")
    write_csv([row], ("cpu_percent",), stream)
    assert f"'{name}" in stream.getvalue()  # in quotes or not: Python 3.13 quotes a carriage return
    assert f",{name}" not in stream.getvalue()


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("precious")
    open_before = os.listdir("/proc/self/fd")
    for _ in range(3):
        with pytest.raises(SessionError, match="already exists"):
            new_file(tmp_path / "taken")
    assert os.listdir(tmp_path) == ["taken"]
    assert len(os.listdir("/proc/self/fd")) == len(open_before)


def test_a_file_that_is_not_finished_leaves_nothing_behind(tmp_path: Path) -> None:
    open_before = os.listdir("/proc/self/fd")
    with pytest.raises(TypeError), finished_file(tmp_path / "half") as descriptor:
        os.write(descriptor, "half of it")  # type: ignore[arg-type]  # that is the failure
    assert os.listdir(tmp_path) == []
    assert len(os.listdir("/proc/self/fd")) == len(open_before)
