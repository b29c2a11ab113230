"""The functions of libbpf that load one program and run it over the control groups of a tree, through ctypes.

Nothing here is loaded unless BPF was asked for. Source of the signatures: libbpf's API documentation (version 1) and
`union bpf_iter_link_info` of linux/bpf.h.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p, sizeof
from typing import Any

LIBRARY = "libbpf.so.1"
_DESCENDANTS_PRE = 2
"""BPF_CGROUP_ITER_DESCENDANTS_PRE: a group before those below it."""
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "libbpf_set_print": (c_void_p, (c_void_p,)),
    "bpf_object__open_mem": (c_void_p, (c_char_p, c_size_t, c_void_p)),
    "bpf_object__find_map_by_name": (c_void_p, (c_void_p, c_char_p)),
    "bpf_object__find_program_by_name": (c_void_p, (c_void_p, c_char_p)),
    "bpf_object__load": (c_int, (c_void_p,)),
    "bpf_object__close": (None, (c_void_p,)),
    "bpf_map__set_max_entries": (c_int, (c_void_p, c_uint32)),
    "bpf_map__fd": (c_int, (c_void_p,)),
    "bpf_program__attach_iter": (c_void_p, (c_void_p, c_void_p)),
    "bpf_link__fd": (c_int, (c_void_p,)),
    "bpf_link__destroy": (c_int, (c_void_p,)),
    "bpf_iter_create": (c_int, (c_int,)),
}
"""Name -> result and arguments. A NULL pointer and a number below zero are failures, with the cause in errno."""


class BpfError(Exception):
    """What could not be done, and why."""


class _Target(Structure):
    _fields_ = (("order", c_uint32), ("directory", c_uint32), ("id", c_uint64))


class _AttachOptions(Structure):
    _fields_ = (("size", c_size_t), ("target", POINTER(_Target)), ("target_size", c_uint32))


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(LIBRARY, use_errno=True)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise BpfError(f"{LIBRARY} cannot be used: {error}") from error
    library.libbpf_set_print(None)  # it would write over the screen
    return library


class Iteration:
    """A loaded program that runs once for each control group of a tree, and the table that it fills.

    After an error of any method it can only be closed.
    """

    def __init__(self, code: bytes, program: str, table: str, row_bytes: int, capacity: int) -> None:
        """Load the program.

        Args:
            code: The compiled object.
            program: The name of its iterator.
            table: The name of its array, which can be mapped into memory.
            row_bytes: Bytes of a row of the table; a multiple of 8.
            capacity: Rows that the table is to have.

        Raises:
            BpfError: libbpf is missing, this user may not load it, or this kernel refuses it.
        """
        self._library = _library()
        self._links: list[int] = []
        self._object = 0
        self.table: mmap.mmap | None = None
        """The rows, as the program writes them; `None` once it is closed."""
        try:
            self._object = self._call("bpf_object__open_mem", code, len(code), None, doing="read the program")
            found = self._call("bpf_object__find_map_by_name", self._object, table.encode(), doing=f"find {table}")
            self._call("bpf_map__set_max_entries", found, capacity, doing=f"make room for {capacity} rows")
            self._call("bpf_object__load", self._object, doing="load the program into the kernel")
            self._program = self._call(
                "bpf_object__find_program_by_name", self._object, program.encode(), doing=f"find {program}"
            )
            descriptor = self._call("bpf_map__fd", found, doing="open the table")
            try:
                self.table = mmap.mmap(descriptor, row_bytes * capacity, mmap.MAP_SHARED, mmap.PROT_READ)
            except (OSError, ValueError) as error:
                raise BpfError(f"cannot map the table into memory: {error}") from error
        except BpfError:
            self.close()
            raise

    def attach(self, directory: str) -> int:
        """Have the program run for a directory of cgroupfs and all below it; return what `run` takes.

        Raises:
            BpfError: The directory cannot be opened, or this kernel has no iterator for it.
        """
        try:
            opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise BpfError(f"cannot open {directory}: {error.strerror}") from error
        try:
            target = _Target(_DESCENDANTS_PRE, opened, 0)
            options = _AttachOptions(sizeof(_AttachOptions), ctypes.pointer(target), sizeof(target))
            link = self._call(
                "bpf_program__attach_iter", self._program, byref(options), doing=f"walk the groups of {directory}"
            )
        finally:
            os.close(opened)
        self._links.append(link)
        return self._call("bpf_link__fd", link, doing="open the link")

    def run(self, attached: int) -> None:
        """Run the program for each group of a tree.

        Raises:
            BpfError: The kernel broke it off.
        """
        descriptor = self._call("bpf_iter_create", attached, doing="start the walk over the groups")
        try:
            while os.read(descriptor, 4096):
                pass  # the program writes into its table only
        except OSError as error:
            raise BpfError(f"the walk over the groups broke off: {error.strerror}") from error
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Take the program out of the kernel."""
        if self.table is not None:
            self.table.close()
            self.table = None
        while self._links:
            self._library.bpf_link__destroy(self._links.pop())
        if self._object:
            self._library.bpf_object__close(self._object)
            self._object = 0

    def _call(self, function: str, *arguments: Any, doing: str) -> int:
        result = getattr(self._library, function)(*arguments)
        if result is None or result < 0:
            cause = os.strerror(ctypes.get_errno() or -(result or 0))
            raise BpfError(f"cannot {doing}: {cause}")
        return int(result)
