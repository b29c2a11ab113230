"""Where vmtop begins as a program that carries its own Python (PyInstaller)."""

from __future__ import annotations

import os


def restore_library_path() -> None:
    """Give programs that vmtop starts, such as ssh, their own libraries back.

    PyInstaller's loader has `LD_LIBRARY_PATH` point to the libraries of this program, and keeps what it was in
    `LD_LIBRARY_PATH_ORIG`. The dynamic linker has read it when this process began, so it is of no more use here.
    """
    original = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    os.environ.pop("LD_LIBRARY_PATH", None)
    if original:
        os.environ["LD_LIBRARY_PATH"] = original


def main() -> None:
    """Run the command line."""
    restore_library_path()
    from tui.cli.main import main as vmtop

    vmtop(prog_name="vmtop")


if __name__ == "__main__":
    main()
