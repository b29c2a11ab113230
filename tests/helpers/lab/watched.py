"""Watches a program's system calls: what it opens to write, changes in a file system, runs, or sends signals to."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.helpers.lab.process import find_program

_OPENING = ("open", "openat", "openat2", "creat")
_CHANGING = (
    "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "link", "linkat", "symlink",
    "symlinkat", "chmod", "fchmodat", "chown", "lchown", "fchownat", "truncate", "mknod", "mknodat", "mount", "umount2",
)  # fmt: skip
_POWERFUL = ("kill", "ptrace", "setuid", "setresuid", "setgid", "setresgid", "setgroups", "capset")
_CALL = re.compile(r"^\d+ +(?P<call>\w+)\((?P<arguments>.*)")
_PATH = re.compile(r'(?:<(?P<folder>[^>]*)>, )?"(?P<name>(?:[^"\\]|\\.)*)"')
"""A path, with the folder that it is relative to where the call has one."""
_WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")


class Watched:
    """One program under strace.

    Args:
        log: Where strace writes to.
        argv: The program.
    """

    def __init__(self, log: Path, argv: Sequence[str]) -> None:
        self._log = log
        calls = ",".join(f"?{call}" for call in (*_OPENING, *_CHANGING, *_POWERFUL, "execve", "execveat"))
        strace = [find_program("strace"), "-f", "--seccomp-bpf", "-qq", "-y", "-s", "300", "-o", str(log)]
        self.command = [*strace, "-e", f"trace={calls}", *argv]

    def opened_to_write(self) -> set[str]:
        """Return every path that was opened to be written to, or was to be, and what a path was changed by."""
        paths: set[str] = set()
        for call, arguments in self._calls():
            found = _paths(arguments)
            if call in _OPENING and (call == "creat" or _WRITING.search(arguments)):
                paths.update(found[:1])
            elif call in _CHANGING:
                paths.update(f"{call} {path}" for path in found)
        return paths

    def opened(self) -> int:
        """Return how many files were opened, for whatever."""
        return sum(call in _OPENING for call, _ in self._calls())

    def programs(self) -> list[str]:
        """Return the programs that were run, the watched one first."""
        return [_paths(arguments)[0] for call, arguments in self._calls() if call.startswith("execve")]

    def powers(self) -> set[str]:
        """Return signals sent and rights changed."""
        return {f"{call}({arguments}" for call, arguments in self._calls() if call in _POWERFUL}

    def _calls(self) -> Iterator[tuple[str, str]]:
        for line in self._log.read_text(errors="replace").splitlines():
            if found := _CALL.match(line):
                yield found["call"], found["arguments"]


def _paths(arguments: str) -> list[str]:
    return [str(Path(found["folder"] or "", found["name"])) for found in _PATH.finditer(arguments)]
