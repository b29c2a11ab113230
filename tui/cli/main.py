"""The `vmtop` command and the table of its subcommands, each of which is imported when it is run.

Data goes to stdout, messages to stderr; `tui.cli.exit_codes` has the exit codes.
"""

from __future__ import annotations

import atexit
import gc
from typing import TYPE_CHECKING, Any

import click

from collectors import __version__
from tui.cli.errors import Program
from tui.cli.options import live_options, refuse_before, source_options

if TYPE_CHECKING:
    from collectors.sampling.source import SourceSpec

atexit.register(gc.freeze)  # without it, Python searches all that is loaded for cycles at its end

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_COMMANDS = {
    "list": ("tui.cli.commands.workloads.list", "Print what the screen shows, once."),
    "logs": ("tui.cli.commands.workloads.logs", "Print or follow the logs of workloads."),
    "top": ("tui.cli.commands.workloads.top", "Print the processes of a workload."),
    "exec": ("tui.cli.commands.workloads.exec", "Open a shell or a console, or run a command."),
    "inspect": ("tui.cli.commands.workloads.inspect", "Print what the engine knows of a workload."),
    "check": ("tui.cli.commands.workloads.check", "Tell whether a condition holds for any workload."),
    "wait": ("tui.cli.commands.workloads.wait", "Wait until a condition holds."),
    "run": ("tui.cli.commands.workloads.run", "Run a command and print what it used."),
    "stream": ("tui.cli.commands.workloads.stream", "Print one JSON document per line at each interval."),
    "fleet": ("tui.cli.commands.hosts.fleet", "Show what a Prometheus scraped of many hosts."),
    "serve": ("tui.cli.commands.exposition.serve", "Answer scrapes of Prometheus and VictoriaMetrics."),
    "textfile": ("tui.cli.commands.exposition.textfile", "Write the metrics into a file for node_exporter."),
    "doctor": ("tui.cli.commands.doctor", "Check every data source and show how to fix it."),
    "demo": ("tui.cli.commands.demo", "Start the screen with made-up workloads."),
    "config": ("tui.cli.commands.config", "Show the configuration, and where each value comes from."),
    "completion": ("tui.cli.commands.completion", "Print or install a completion script for a shell."),
    "host": ("tui.cli.commands.hosts.host", "Add, list, check and remove the hosts to watch over ssh."),
    "record": ("tui.cli.commands.sessions.record", "Record what the screen would show, without a screen."),
    "replay": ("tui.cli.commands.sessions.replay", "Play a session back on the screen."),
    "info": ("tui.cli.commands.sessions.info", "Show what a session holds."),
    "export": ("tui.cli.commands.sessions.export", "Write a session as rows."),
    "cut": ("tui.cli.commands.sessions.cut", "Copy part of a session into a new file."),
    "report": ("tui.cli.commands.sessions.report", "Write a session as one HTML page."),
    "compare": ("tui.cli.commands.sessions.compare", "Put workloads of any kind side by side."),
    "sizes": ("tui.cli.commands.workloads.sizes", "Show what workloads use, and which limits would fit."),
    "monitoring": ("tui.cli.commands.exposition.monitoring", "Write dashboards, rules and a scrape configuration."),
    "answer": ("tui.cli.commands.hosts.answer", ""),
    "start": ("tui.cli.commands.workloads.actions", "Start workloads."),
    "stop": ("tui.cli.commands.workloads.actions", "Stop workloads gracefully."),
    "restart": ("tui.cli.commands.workloads.actions", "Restart containers and services, reboot virtual machines."),
    "pause": ("tui.cli.commands.workloads.actions", "Freeze workloads."),
    "resume": ("tui.cli.commands.workloads.actions", "Let paused workloads continue."),
    "kill": ("tui.cli.commands.workloads.actions", "End workloads at once, without asking them."),
    "set": ("tui.cli.commands.workloads.limits", "Set limits of running workloads."),
    "remove": ("tui.cli.commands.workloads.actions", "Remove stopped containers."),
}
"""For each subcommand its module and one line of help."""


@click.group(cls=Program, rows=_COMMANDS, invoke_without_command=True, context_settings=_CONTEXT)
@live_options
@source_options
@click.version_option(__version__, prog_name="vmtop", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, /, specs: list[SourceSpec], **screen_options: Any) -> int | None:
    """Show what every virtual machine, container and service on this host uses right now.

    Without a command, the live screen starts.
    """
    if ctx.invoked_subcommand is not None:
        refuse_before(ctx)
        return None
    from tui.cli import screen

    return screen.start(specs, screen.choose(**screen_options))
