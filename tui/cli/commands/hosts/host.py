"""`vmtop host`: the other hosts of the configuration, and vmtop on them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from collectors import __version__
from collectors.fleet import copying
from collectors.fleet.bundle import FILE_NAME, Bundle, build, own_target
from collectors.fleet.hosts import HostError, HostSpec, check_address, check_command, check_name, check_tag, host_of
from collectors.model.errors import SourceError
from collectors.safety import private_file
from collectors.safety.own_folder import check_path
from tui.cli.configuration import read_config
from tui.cli.exit_codes import DONE, FAILED, REFUSED
from tui.cli.one_workload import unreadable
from tui.configuration.config import ConfigError, config_file
from tui.configuration.host_tables import with_host, without_host
from tui.configuration.reading import read
from tui.presenters.reports.troubles import named

_YES = click.option("--yes", "is_sure", is_flag=True, help="Do not ask for confirmation.")


@click.group("host")
def command() -> None:
    """Add, list, check and remove the hosts that vmtop watches over ssh.

    \b
      vmtop host add admin@hv02 --tag prod
      vmtop host list
      vmtop host check
      vmtop host remove hv02

    They are [[hosts]] in the configuration; --host NAME, --host tag:TAG and --host all of the other commands choose
    among them.
    """


@command.command("add")
@click.argument("address", metavar="[USER@]HOST[:PORT]")
@click.option("--name", metavar="NAME", help="What the table calls it; by default the host of the address.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A word that hosts are chosen by; repeatable.")
@click.option("--command", "there", metavar="COMMAND", help="What starts vmtop there, where it is not on the PATH.")
@click.option("--copy", "is_copied", is_flag=True, help="Copy this vmtop also where there is one already.")
@_YES
def add(
    address: str,
    name: str | None,
    tags: tuple[str, ...],
    there: str | None,
    is_copied: bool,
    is_sure: bool,
) -> int:
    """Add a host to the configuration, and copy vmtop there if it has none.

    The copy is one file with all its libraries, in the home of the user who logs in there, and no other rights are
    used. All that will be done is said before, and asked for.

    Exits with 1 if the host cannot be used, 4 if it refuses the login, 5 if it was not confirmed.
    """
    host = _described(address, name, tags, there)
    try:
        found = copying.probe(host, own_target())
        if found.vmtop and not is_copied:
            click.echo(_present(host, found))
        else:
            bundle = build()
            python = copying.fitting(host, found, own_target())
            host = replace(host, command=copying.copied(host, python))
            for line in _announcement(host, found, bundle, python):
                click.echo(line, err=True)
            if not is_sure and not _is_confirmed():
                return REFUSED
            copying.copy(host, python, bundle)
            click.echo(f"copied {len(bundle.data):,} bytes, and their sha256 is right there")
        copying.try_out(host)
    except SourceError as error:
        raise unreadable(None, error) from error
    _write(with_host, host)
    click.echo(f"{host.name} is in {config_file()}: vmtop --host {host.name}")
    return DONE


@command.command("list")
@click.option("--json", "is_json", is_flag=True, help="Print a list of objects.")
def list_hosts(is_json: bool) -> int:
    """List the hosts of the configuration."""
    hosts = read_config().hosts
    if is_json:
        keys = ("name", "address", "command", "tags")
        click.echo(json.dumps([{key: getattr(host, key) for key in keys} for host in hosts], indent=2))
        return DONE
    if not hosts:
        click.echo(f"{config_file()} has no [[hosts]]; vmtop host add HOST adds one", err=True)
    rows = [("NAME", "ADDRESS", "TAGS", "COMMAND"), *((h.name, h.address, " ".join(h.tags), h.command) for h in hosts)]
    widths = [max(len(row[index]) for row in rows) for index in range(3)]
    for row in rows if hosts else ():
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[3]]).rstrip())
    return DONE


@command.command("check")
@click.argument("names", nargs=-1, metavar="[NAME...]")
def check(names: tuple[str, ...]) -> int:
    """Log in on hosts and have their vmtop answer; by default on all of the configuration.

    Exits with 1 if one of them does not.
    """
    hosts = [_known(name) for name in names] or list(read_config().hosts)
    code = DONE
    for host in hosts:
        began = time.monotonic()
        try:
            found = copying.probe(host, own_target())
            copying.try_out(host)
        except SourceError as error:
            code = FAILED
            click.echo(f"vmtop: {named(host.name, error.reason)}", err=True)
            if error.remedy:
                click.echo(f"  fix: {error.remedy}", err=True)
            continue
        click.echo(f"{host.name}: vmtop {found.vmtop} as {found.user}, answered in {time.monotonic() - began:.1f} s")
    return code


@command.command("remove")
@click.argument("name")
@_YES
def remove(name: str, is_sure: bool) -> int:
    """Remove a host from the configuration, and the copy of vmtop that was made there.

    Exits with 1 if the copy cannot be removed, 5 if it was not confirmed.
    """
    host = _known(name)
    click.echo(f"{host.name} will be removed from {config_file()}", err=True)
    if copying.is_copy(host):
        click.echo(f"~/{copying.FOLDER}/{FILE_NAME} on {host.name}, and what it unpacked, will be deleted", err=True)
    if not is_sure and not _is_confirmed():
        return REFUSED
    code = DONE
    if copying.is_copy(host):
        try:
            copying.remove(host, host.command)
        except SourceError as error:
            code = FAILED
            click.echo(f"vmtop: the copy on {host.name} is still there: {error.reason}", err=True)
    _write(lambda text, gone: without_host(text, gone.name), host)
    return code


def _described(address: str, name: str | None, tags: tuple[str, ...], there: str | None) -> HostSpec:
    """Return the host that the command line describes; what it leaves open is as in the configuration."""
    known = next((host for host in read_config().hosts if host.name == (name or address)), None)
    try:
        host = known or host_of(address)
        if address != host.name:
            host = replace(host, address=check_address(address))
        return replace(
            host,
            name=check_name(name) if name else host.name,
            tags=tuple(map(check_tag, tags)) or host.tags,
            command=check_command(there) if there else host.command,
        )
    except HostError as error:
        raise click.UsageError(f"{address}: {error}.") from error


def _known(name: str) -> HostSpec:
    hosts = read_config().hosts
    host = next((host for host in hosts if host.name == name), None)
    if host is None:
        known = f"; it has {', '.join(host.name for host in hosts)}" if hosts else ""
        raise click.UsageError(f"{config_file()} has no host {name!r}{known}.")
    return host


def _is_confirmed() -> bool:
    """Ask for confirmation; without a terminal, say which option skips it."""
    if not sys.stdin.isatty():
        raise click.UsageError("stdin is not a terminal; use --yes to skip the confirmation.")
    return click.confirm("Go on?", default=False, err=True)


def _present(host: HostSpec, found: copying.Probe) -> str:
    other = "" if found.vmtop == __version__ else f", and this is {__version__}; --copy puts this one beside it"
    return f"{host.name} has vmtop {found.vmtop}{other}"


def _announcement(host: HostSpec, found: copying.Probe, bundle: Bundle, python: copying.Python) -> list[str]:
    """Return what will be done, in full."""
    target, place = own_target(), f"{found.home}/{copying.FOLDER}"
    size, unpacked = (f"{count / 1e6:.1f} MB" for count in (len(bundle.data), bundle.unpacked_bytes))
    return [
        f"vmtop will be copied to {host.name} ({host.target.command}):",
        f"  what   vmtop {__version__} with its libraries, one file of {size}, "
        f"for Python {target.python} on {target.machine}",
        f"  where  {place}/{FILE_NAME}, a file of {found.user}; it unpacks {unpacked} beside itself",
        f"  check  sha256 {bundle.sha256}",
        f"  run    {host.command}, with the Python {python.version} that is there",
        "  Nothing else is changed there, and nothing is done as root"
        + (", unless that is who logs in." if found.user == "root" else "."),
        f"Then [[hosts]] with the name {host.name} will be written into {config_file()}.",
    ]


def _write(edit: Callable[[str, HostSpec], str], host: HostSpec) -> None:
    """Change the hosts in the configuration; all else in it stays as it is."""
    path = config_file()
    try:
        content = read(path)
        if content.mistakes:
            raise click.ClickException(f"{path} {content.mistakes[0]}; correct it first")
        text = edit(content.text, host)
        target = path.resolve()  # a link leads to a file that is kept elsewhere
        mode = 0o600
        if target.exists():
            check_path(target)
            mode = target.stat().st_mode & 0o755
        private_file.replace(Path(target), text.encode(), mode)
    except (ConfigError, ValueError) as error:
        raise click.ClickException(f"{path}: {error}") from error
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror or error}") from error
