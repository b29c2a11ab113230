"""What an engine is: all that vmtop needs to know of it before it is asked anything.

The module of an engine that subclasses `Engine` imports nothing heavy at its top, neither its library nor msgspec: the
command line is made from it, and `--help` has to be quick. Verbs and kinds are therefore written as their words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from collectors.engines.options import EngineOption, source_label

if TYPE_CHECKING:
    from collectors.engines.access import EngineAccess
    from collectors.model.actions import Request, Verb
    from collectors.model.workloads import Kind, Workload
    from collectors.sampling.source import Source, SourceSpec


class Engine:
    """An engine that runs workloads, and what it is able to do.

    The class as it stands is an engine that vmtop can only watch: whatever a subclass does not override is absent, and
    a sentence says so to whoever asks for it.
    """

    name: str = ""
    """Of its source: in the header, in `doctor`, in a `SourceSpec`."""
    engine_names: frozenset[str] = frozenset()
    """The `WorkloadId.engine` of its workloads, as far as its source alone tells whether they still run."""
    kinds: frozenset[str] = frozenset()
    """Kinds of workloads that its source could list."""
    address: EngineOption | None = None
    """The option that takes the addresses of its daemons."""
    switches: tuple[EngineOption, ...] = ()
    """Its other options."""
    environment: tuple[str, ...] = ()
    """Environment variables that change what it does, besides that of `address`."""
    libraries: tuple[str, ...] = ()
    """Distributions whose versions `doctor` shows."""
    daemons: frozenset[str] = frozenset()
    """Names of processes that work for all its containers together."""
    shims: tuple[str, ...] = ()
    """How the names of processes begin that hold one of its containers each."""
    quick_samples: frozenset[str] = frozenset()
    """Names in `Sample.source` of readings whose second one `vmtop list` waits for, to have rates."""
    verbs: tuple[str, ...] = ()
    """What it can do with its workloads."""
    lacks: str = ""
    """Why it does not have the other verbs."""
    has_aliases: bool = False
    """Whether one workload may go by several names: an action on another one than its own is refused."""
    is_simulated: bool = False
    """Whether its workloads do not exist. While it is sampled it answers for all workloads, whoever seems to run them,
    and no file keeps what was done to them."""

    def owns(self, workload: Workload) -> bool:
        """Return whether the workload is spoken to through this engine."""
        return workload.id.engine in self.engine_names

    def load_source(self) -> Callable[..., Source]:
        """Import the class of its source, which is made with the options of a `SourceSpec`.

        Raises:
            LookupError: It has none.
        """
        raise LookupError(f"engine {self.name!r} has no source")

    def specs(self, values: Mapping[str, Any]) -> list[SourceSpec]:
        """Return the sources to run: one for each address, or a single one that finds its daemon by itself.

        Args:
            values: The options of the command line, by `EngineOption.parameter`.
        """
        from collectors.sampling.source import SourceSpec

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

    def could_know(self, spec: SourceSpec, kind: Kind | None) -> bool:
        """Return whether one of its sources could list a workload of a kind; of any kind for `None`."""
        return kind is None or kind in self.kinds

    def unlisted(self, typed: str) -> Workload | None:
        """Return the workload that a typed name can only mean although no source lists it."""
        return None

    def connect(self, specs: Sequence[SourceSpec]) -> EngineAccess:
        """Return how its workloads are worked with on demand. Connects to nothing yet.

        Args:
            specs: Those of its sources that are sampled.
        """
        from collectors.engines.access import EngineAccess

        return EngineAccess()

    def forbids(self, verb: Verb, workload: Workload) -> str:
        """Return why a verb is never possible for a workload, whatever its state; empty when it may be."""
        if verb in self.verbs:
            return ""
        return self.lacks or f"{workload.id.engine} runs it, and vmtop can only watch it"

    def commands(self, request: Request) -> tuple[str, ...]:
        """Return the command lines that do the same, quoted for a shell; empty when there are none."""
        return ()

    def warnings(self, request: Request) -> list[str]:
        """Return what an action brings about that its verb does not tell: what is lost, and what is hit with it."""
        return []
