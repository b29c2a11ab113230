"""The scripts by which shells complete vmtop's words, and where each shell finds them by itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_VMTOP_COMPLETE"
_MOST_ANCESTORS = 16


class CompletionError(ValueError):
    """What is wrong, and what to do, in one sentence."""


def script(shell: str, program: click.Command) -> str:
    """Return what a shell needs to complete a command, its options and their values.

    Args:
        shell: One of `SHELLS`.
        program: The main command.

    Raises:
        CompletionError: click has no script for that shell.
    """
    completion_class = get_completion_class(shell)
    if completion_class is None:
        raise CompletionError(f"click has no completion for {shell}.")
    return completion_class(program, {}, "vmtop", _VARIABLE).source()


def detect_shell(proc: Path = Path("/proc"), environment: Mapping[str, str] = os.environ) -> str:
    """Return the shell that this process was started from: the nearest one above it, else that of the login.

    Args:
        proc: Where processes are read (proc_pid_stat(5)).
        environment: Has `SHELL`.

    Raises:
        CompletionError: It is none of `SHELLS`.
    """
    pid = str(os.getpid())
    for _ in range(_MOST_ANCESTORS):
        try:
            name, _, fields = (proc / pid / "stat").read_text(errors="replace").partition("(")[2].rpartition(")")
        except OSError:
            break  # hidden from this user, or gone
        if (shell := name.removeprefix("-")) in SHELLS:
            return shell
        pid = fields.split()[1]
    login = Path(environment.get("SHELL", "")).name
    if login in SHELLS:
        return login
    raise CompletionError("vmtop cannot tell which shell this is; name it: vmtop completion bash, zsh or fish.")


def own_place(shell: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the file that a shell reads for completion of this user's `vmtop`.

    For zsh, that is `~/.zfunc`, which has to be in `fpath`; the other two need nothing more. Sources: bash-completion's
    README, fish's page on completions ("Where to put completions").

    Raises:
        CompletionError: This user has no home.
    """
    home = environment.get("HOME", "")
    if not home:
        raise CompletionError("HOME is not set, so there is no place for it; vmtop completion SHELL prints the script.")
    data = environment.get("XDG_DATA_HOME") or f"{home}/.local/share"
    bash = environment.get("BASH_COMPLETION_USER_DIR", "").partition(":")[0] or f"{data}/bash-completion"
    config = environment.get("XDG_CONFIG_HOME") or f"{home}/.config"
    return {
        "bash": Path(bash, "completions", "vmtop"),
        "zsh": Path(home, ".zfunc", "_vmtop"),
        "fish": Path(config, "fish", "completions", "vmtop.fish"),
    }[shell]


def install(shell: str, program: click.Command) -> Path:
    """Write the script where the shell looks for it; return the file.

    Raises:
        CompletionError: There is another file of that name, or it cannot be written.
    """
    from collectors.safety.private_file import replace

    path = own_place(shell)
    try:
        if path.exists() and _VARIABLE not in path.read_text(errors="replace"):
            raise CompletionError(f"{path} is not vmtop's, and is left as it is: move it away and try again.")
        replace(path, script(shell, program).encode(), 0o644)
    except OSError as error:
        raise CompletionError(f"{path} cannot be written: {error.strerror}.") from error
    return path
