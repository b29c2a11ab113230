"""How `vmtop` fails: one sentence on standard error and an exit code, never a traceback."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from tui.cli.configuration import set_command_defaults, set_defaults
from tui.cli.exit_codes import FAILED, INTERRUPTED
from tui.cli.lazy import LazyGroup
from tui.settings import log_file

log = logging.getLogger(__name__)

_LONGEST_SENTENCE = 4000
_COMPLETING = "_VMTOP_COMPLETE"
"""The variable by which a shell's script asks for completions; click ends after it has printed them."""


class Program(LazyGroup):
    """A group whose errors are one sentence, and which ends quietly when its reader has gone."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and exit with 0, 1 (it failed), 2 (bad arguments) or 130 (interrupted)."""
        with log_file.taking():
            try:
                code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
            except SystemExit as ending:
                if _COMPLETING in os.environ:
                    _end_at_once(ending.code)
                raise
            except click.ClickException as error:
                click.echo(f"vmtop: {_sentence(error)}", err=True)
                code = error.exit_code
            except click.Abort:
                code = INTERRUPTED
            except MemoryError:
                log.error(log_file.NO_MEMORY)
                click.echo(f"vmtop: {log_file.NO_MEMORY}", err=True)
                code = FAILED
            except Exception as error:
                # The boundary to the user, who gets a sentence; the log has the traceback.
                code = _report_failure(error)
        if not standalone_mode:
            return code
        sys.exit(code if isinstance(code, int) else 0)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the main command's options, whose defaults the configuration may set."""
        if ctx.parent is None and not ctx.resilient_parsing:
            set_defaults(ctx, args)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, with the defaults that the configuration sets."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and command is not None and not ctx.resilient_parsing:
            set_command_defaults(ctx, name, command, rest)
        return name, command, rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a closed pipe is not an error."""
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # What is still buffered would be written, and fail, once more at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.ClickException(f"cannot write: {error.strerror or error}") from error
        return code


def _end_at_once(code: object) -> NoReturn:
    """End without taking apart what is loaded, a tenth of a completion, and without waiting for a source that hangs."""
    try:
        sys.stdout.flush()
    finally:
        os._exit(code if isinstance(code, int) else 0)


def _report_failure(error: Exception) -> int:
    from collectors.safety.sanitize import sanitize

    log.exception("the command failed")
    error_text = sanitize(f"{type(error).__name__}: {error}")
    click.echo(f"vmtop: unexpected error: {error_text}{log_file.FILE.reference}", err=True)
    return FAILED


def _sentence(error: click.ClickException) -> str:
    """Return an error's message, sanitized and on one line: it may quote a path or other text from outside."""
    from collectors.safety.sanitize import sanitize

    return sanitize(" ".join(error.format_message().split()), _LONGEST_SENTENCE)
