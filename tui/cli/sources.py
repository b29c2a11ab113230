"""From the command line to the sources that the sampler runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from collectors.engines.demo.engine import demo_specs
from collectors.engines.registry import specs_from
from tui.cli.configuration import loaded

if TYPE_CHECKING:
    from collectors.fleet.hosts import HostSpec
    from collectors.sampling.spec import SourceSpec


def _known() -> Sequence[HostSpec]:
    """Return the hosts of the configuration; none where there is no command, as in a shell's completion."""
    ctx = click.get_current_context(silent=True)
    return loaded(ctx).content.hosts if ctx is not None else ()


def specs(values: Mapping[str, Any]) -> list[SourceSpec]:
    """Return the kernel's sources, then those of each engine, then those of other hosts.

    Args:
        values: The options of `source_options`, by parameter.

    Raises:
        click.UsageError: A value of `--host` means no host.
    """
    if not (words := values.get("host")):
        return specs_from(values)
    from collectors.fleet.hosts import HostError, choose
    from collectors.fleet.specs import specs_of

    try:
        is_local, hosts = choose(words, _known())
    except HostError as error:
        raise click.UsageError(f"--host: {error}.") from error
    return [*(specs_from(values) if is_local else ()), *specs_of(hosts)]


def host_words(ctx: click.Context) -> list[str]:
    """Return what the configuration offers for `--host`."""
    from collectors.fleet.hosts import ALL, TAG
    from collectors.model.workloads import LOCAL_HOST

    hosts = loaded(ctx).content.hosts
    tags = sorted({f"{TAG}{tag}" for host in hosts for tag in host.tags})
    return [*(host.name for host in hosts), LOCAL_HOST, *([ALL] if hosts else ()), *tags]


def demo(workloads: int, seed: int, hosts: int = 1) -> list[SourceSpec]:
    """Return the source of each host that does not exist, with so many workloads: of one, it is this host."""
    if hosts == 1:
        return demo_specs(workloads, seed)
    from collectors.fleet.demo import demo_hosts

    return demo_hosts(hosts, workloads, seed)
