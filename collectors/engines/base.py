"""The interface of an engine: what vmtop needs to know about it before the first query.

A module that subclasses `Engine` imports nothing heavy at its top, neither its library nor msgspec: the command line is
built from it, and `--help` has to be quick. Verbs and kinds are therefore written as strings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from collectors.engines.about import About
from collectors.engines.options import EngineOption, source_label

if TYPE_CHECKING:
    from collectors.engines.access import EngineAccess
    from collectors.model.actions import Request, Verb
    from collectors.model.errors import SourceAbsent
    from collectors.model.workloads import Kind, Workload
    from collectors.sampling.source import Source, SourceSpec


class Engine:
    """An engine that runs workloads, and its capabilities.

    This base class is an engine that vmtop can only watch: what a subclass does not override is missing, and a request
    for it is answered with a sentence that says so.
    """

    name: str = ""
    """The name of its source in the header, in `doctor` and in a `SourceSpec`."""
    engine_names: frozenset[str] = frozenset()
    """`WorkloadId.engine` of the workloads for which only its source knows whether they still run."""
    sources: frozenset[str] = frozenset()
    """Names of further sources whose daemons may turn out to be its own, so that `connect` gets their specs too."""
    about: About = About("", "", "", "")
    """What the documentation and `doctor` say about it."""
    kinds: frozenset[str] = frozenset()
    """The kinds of workloads that its source could list."""
    adds_workloads: bool = True
    """Whether its source lists workloads that the kernel's does not; without any it is not asked for names."""
    address: EngineOption | None = None
    """The option for the addresses of its daemons; `None` without one."""
    switches: tuple[EngineOption, ...] = ()
    """Its other options."""
    environment: tuple[str, ...] = ()
    """Environment variables that affect it, without the one of `address`."""
    libraries: tuple[str, ...] = ()
    """Python distributions whose versions `doctor` shows."""
    daemons: frozenset[str] = frozenset()
    """Names of the processes that serve all its containers together."""
    shims: tuple[str, ...] = ()
    """Prefixes of the names of processes that serve one container each."""
    quick_samples: frozenset[str] = frozenset()
    """Values of `Sample.source` for which `vmtop list` waits for a second reading, to show rates."""
    paced_samples: frozenset[str] = frozenset()
    """Further ones that are read less often, and are read again where rates are measured over a span of time."""
    verbs: tuple[str, ...] = ()
    """The actions that it supports."""
    lacks: str = ""
    """Why it does not support the others."""
    has_aliases: bool = False
    """Whether a workload may have several names; actions are accepted by its own name only."""
    is_simulated: bool = False
    """Whether its workloads do not exist. While it is sampled it handles all workloads, whatever engine they name, and
    no action is logged to a file."""

    def owns(self, workload: Workload) -> bool:
        """Return whether this engine handles the workload."""
        return workload.id.engine in self.engine_names

    def load_source(self) -> Callable[..., Source]:
        """Import the class of its source, whose arguments are the options of a `SourceSpec`.

        Raises:
            LookupError: It has no source.
        """
        raise LookupError(f"engine {self.name!r} has no source")

    def names(self, spec: SourceSpec) -> Sequence[str] | None:
        """Return the sanitized names of what its source would list, where they cost less than the source's reading.

        `None` where only a reading has them. Names of one kind alone: there must be one in `kinds`.

        Args:
            spec: One of its sources.

        Raises:
            SourceError: It cannot be asked.
        """
        return None

    def specs(self, values: Mapping[str, Any]) -> list[SourceSpec]:
        """Return the sources to run: one per address, or a single one that finds its daemon by itself.

        Args:
            values: The options of the command line, by `EngineOption.parameter`.
        """
        from collectors.sampling.spec import SourceSpec

        given = {switch.key: True for switch in self.switches if values.get(switch.parameter)}
        if self.address is None:
            return [SourceSpec(self.name, dict(given))]
        addresses: Sequence[str | None] = values.get(self.address.parameter) or (None,)
        return [
            SourceSpec(
                self.name, {self.address.key: address, **given}, source_label(self.name, address, len(addresses))
            )
            for address in addresses
        ]

    def redirect(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the options of the command line, with addresses moved here that other engines' options were given.

        Args:
            values: As of `specs`.
        """
        return values

    def could_know(self, spec: SourceSpec, kind: Kind | None) -> bool:
        """Return whether a source of this engine could list workloads of a kind; `None` means any kind."""
        return kind is None or kind in self.kinds

    def unlisted(self, typed: str) -> Workload | None:
        """Return the workload that a typed name must mean although no source lists it; `None` if there is none."""
        return None

    def connect(self, specs: Sequence[SourceSpec]) -> EngineAccess:
        """Return the access to its workloads on demand. Does not connect yet.

        Args:
            specs: Its sources that are sampled.
        """
        from collectors.engines.access import EngineAccess

        return EngineAccess()

    def forbids(self, verb: Verb, workload: Workload) -> str:
        """Return why a verb is never possible for a workload, whatever its state; empty when it may be."""
        if verb in self.verbs:
            return ""
        return self.lacks or f"{workload.id.engine} runs it, and vmtop can only watch it"

    def unreachable(self, workload: Workload) -> SourceAbsent | None:
        """Return why nothing can be asked or done about one of its workloads, with the remedy; `None` if it can."""
        return None

    def commands(self, request: Request) -> tuple[str, ...]:
        """Return the equivalent command lines, quoted for a shell; empty when there are none."""
        return ()

    def warnings(self, request: Request) -> list[str]:
        """Return the side effects of an action that its verb does not imply, as sentences."""
        return []
