"""A client of the Docker API for single workloads; turns its errors into `SourceError`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from collectors.engines.docker.connection.answers import Refused
from collectors.model.errors import SourceAbsent, SourceError, WorkloadGone
from collectors.sampling.timeout import ANSWER_S

if TYPE_CHECKING:
    from collectors.engines.docker.connection.bounded_client import BoundedClient
    from collectors.engines.docker.connection.endpoint import Endpoint
    from collectors.engines.docker.connection.greeting import Greeting


class WrongEngine(SourceAbsent):
    """Another engine answers at the address than the one that is asked for a workload."""


class DockerDaemon:
    """One engine's API.

    Args:
        find: Returns its endpoint; raises `SourceError` when there is none, or it may not be used.
        engine: The engine whose containers are meant, `docker` or `podman`. Another one that answers is asked nothing.
    """

    def __init__(self, find: Callable[[], Endpoint], engine: str) -> None:
        self._find = find
        self._engine = engine
        self._greeting: Greeting | None = None

    @property
    def url(self) -> str:
        """The engine's address.

        Raises:
            SourceError: There is no engine, or its address may not be used.
        """
        return str(self._find().url)

    @property
    def shown(self) -> str:
        """The engine's host as in `Workload.endpoint`; empty for a local engine."""
        return str(self._find().shown)

    @contextmanager
    def client(self, timeout_s: float = ANSWER_S) -> Iterator[BoundedClient]:
        """Connect with the negotiated version; failures inside the block become a `SourceError`.

        Raises:
            WrongEngine: Another engine answers.
            SourceError: The engine cannot be reached or refuses, with the remedy.
            WorkloadGone: The object of a request does not exist.
        """
        from collectors.engines.docker.connection.endpoint import failures, translate

        endpoint = self._find()
        client: BoundedClient | None = None
        try:
            if self._greeting is None:
                self._greeting = endpoint.greet(timeout_s)
            if self._greeting.engine != self._engine:
                raise WrongEngine(f"{self._greeting.engine} answers at {endpoint.location}, not {self._engine}")
            client = endpoint.connect(self._greeting, timeout_s)
            yield client
        except SourceError:
            raise
        except failures() as error:
            if isinstance(error, Refused) and error.status == 404:
                raise WorkloadGone("the engine no longer has it") from error
            raise translate(error, endpoint, timeout_s) from error
        finally:
            if client is not None:
                client.close()
