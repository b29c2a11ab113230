"""`vmtop completion`: what a shell needs to complete commands and values; `--install` puts it where it belongs."""

from __future__ import annotations

import click

from tui.cli.completion.scripts import SHELLS, CompletionError, detect_shell, install, script

_NEXT = {
    "bash": "it holds for new shells, if the package bash-completion is installed",
    "zsh": "it holds for new shells, if ~/.zshrc has, before compinit:  fpath+=(~/.zfunc)",
    "fish": "it holds at once",
}


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.option("--install", "is_installed", is_flag=True, help="Write the script where the shell finds it by itself.")
@click.pass_context
def command(ctx: click.Context, /, shell: str | None, is_installed: bool) -> None:
    """Print a completion script for a shell, or install it for this user.

    Without SHELL, it is for the shell from which vmtop was started.
    """
    program = ctx.find_root().command
    try:
        shell = shell or detect_shell()
        if not is_installed:
            click.echo(script(shell, program))
            return
        path = install(shell, program)
    except CompletionError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{path} is written; {_NEXT[shell]}", err=True)
