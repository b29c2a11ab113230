"""What loading a program says where it is impossible."""

import ctypes
import errno
from pathlib import Path

import pytest

from collectors.kernel.bpf import libbpf
from collectors.kernel.bpf.libbpf import BpfError, Iteration


class Function:
    """A function of a library that is not there."""

    def __init__(self, name: str, results: dict[str, int | None], calls: list[str]) -> None:
        self._name, self._results, self._calls = name, results, calls

    def __call__(self, *arguments: object) -> int | None:
        self._calls.append(self._name)
        ctypes.set_errno(errno.EPERM)
        return self._results.get(self._name, 1)


class Library:
    """A libbpf whose functions return what a test says, with "not permitted" as the cause."""

    def __init__(self, **results: int | None) -> None:
        self.calls: list[str] = []
        self._results = results

    def __getattr__(self, name: str) -> Function:
        function = Function(name, self._results, self.calls)
        setattr(self, name, function)
        return function


def use(library: Library, patch: pytest.MonkeyPatch) -> Library:
    patch.setattr(ctypes, "CDLL", lambda *_, **__: library)
    return library


@pytest.mark.parametrize(
    ("function", "result", "said"),
    [
        ("bpf_object__open_mem", None, "cannot read the program"),
        ("bpf_object__find_map_by_name", None, "cannot find rows"),
        ("bpf_map__set_max_entries", -1, "cannot make room for 8 rows"),
        ("bpf_object__load", -1, "cannot load the program into the kernel"),
        ("bpf_object__find_program_by_name", None, "cannot find write_row"),
        ("bpf_map__fd", -1, "cannot open the table"),
    ],
)
def test_each_step_that_fails_says_what_and_why_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, function: str, result: int | None, said: str
) -> None:
    library = use(Library(**{function: result}), monkeypatch)
    with pytest.raises(BpfError, match=f"{said}: Operation not permitted"):
        Iteration(b"code", "write_row", "rows", 96, 8)
    opened = function != "bpf_object__open_mem"
    assert library.calls.count("bpf_object__close") == opened


def test_a_table_that_cannot_be_mapped_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    use(Library(bpf_map__fd=1 << 30), monkeypatch)
    with pytest.raises(BpfError, match="cannot map the table"):
        Iteration(b"code", "write_row", "rows", 96, 8)


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libbpf, "LIBRARY", "libbpf.so.0.none")
    with pytest.raises(BpfError, match=r"libbpf\.so\.0\.none cannot be used"):
        Iteration(b"code", "write_row", "rows", 96, 8)


def test_a_directory_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Mapped(Iteration):
        def __init__(self) -> None:
            self._links = []

    with pytest.raises(BpfError, match=r"cannot open .*gone: No such file or directory"):
        Mapped().attach(str(tmp_path / "gone"))
