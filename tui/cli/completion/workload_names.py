"""Names of workloads for the shell's completion: what answers quickly."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from collectors.engines.registry import engine_of_source
from collectors.fleet.specs import load_source
from collectors.model.errors import SourceError
from collectors.model.workloads import Kind
from collectors.sampling.source import SourceSpec
from tui.cli import sources

log = logging.getLogger(__name__)

_PATIENCE_S = 1.0
"""Seconds after which a completion shows what there is."""
_MOST = 10_000
"""Names at most."""

Named = tuple[Kind, str]


def names_like(incomplete: str, parameters: Mapping[str, Any]) -> list[str]:
    """Return the names that begin like a text, also as `vm:NAME` once a kind is typed.

    Each source is asked once, and no counter is read.

    Args:
        incomplete: What has been typed.
        parameters: The options before it, by parameter.
    """
    hurry()
    kind, colon, _ = incomplete.partition(":")
    prefix = f"{kind}:" if colon and kind in tuple(Kind) else ""
    found = {f"{prefix}{name}" for of, name in _ask(sources.specs(parameters)) if not prefix or of == kind}
    return sorted(name for name in found if name.startswith(incomplete))[:_MOST]


def hurry() -> None:
    """Log nothing, as the shell waits for names only; collect no garbage, as the process ends with its answer."""
    logging.disable()
    gc.disable()


def _ask(specs: Sequence[SourceSpec]) -> list[Named]:
    """Ask all sources at once, each on a thread of its own; return what has come before patience ends."""
    found: list[Named] = []
    threads = [
        threading.Thread(target=_take, args=(_reader(spec), found), name=f"names-{spec.name}", daemon=True)
        for spec in specs
        if spec.name != "host" and engine_of_source(spec.name).adds_workloads
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + _PATIENCE_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return list(found)


def _take(read: Callable[[], Iterable[Named]], found: list[Named]) -> None:
    try:
        found.extend(read())
    except SourceError as error:
        log.debug("no names: %s", error)  # it is not here, or not for this user
    except Exception:  # one source must not cost the names of the others
        log.exception("a source has no names")


def _reader(spec: SourceSpec) -> Callable[[], Iterable[Named]]:
    def read() -> Iterable[Named]:
        if spec.name == "cgroup":
            from tui.cli.completion.group_names import names_of_groups

            return names_of_groups()
        engine = engine_of_source(spec.name)
        names = engine.names(spec)
        return _names_read(spec) if names is None else [(Kind(kind), name) for kind in engine.kinds for name in names]

    return read


def _names_read(spec: SourceSpec) -> list[Named]:
    """Return the names in the first reading of a source."""
    from collectors.actions.targets import names_of

    source = load_source(spec.name)(**spec.options)
    try:
        source.open(lambda: None)
        workloads = source.read().workloads.values()
        return [(workload.kind, names_of(workload)[-1]) for workload in workloads if workload.name_is_known]
    finally:
        source.close()
