"""A client of the Docker API for single workloads; turns its errors into `SourceError`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from collectors.model.errors import SourceError, WorkloadGone
from collectors.sampling.timeout import ANSWER_S

if TYPE_CHECKING:
    from docker import APIClient


class DockerDaemon:
    """One engine's API."""

    def __init__(self, url: str | None = None, insecure: bool = False) -> None:
        self._url = url
        self._insecure = insecure
        self._version = ""
        self.engine = ""
        """`docker` or `podman`; empty until it has answered for the first time."""

    @property
    def url(self) -> str:
        """The engine's address.

        Raises:
            SourceError: There is no engine, or its address may not be used.
        """
        return str(self._resolve().url)

    @property
    def shown(self) -> str:
        """The engine's host as in `Workload.endpoint`; empty for a local engine."""
        return str(self._resolve().shown)

    def _resolve(self) -> Any:
        from collectors.engines.docker.address import resolve

        return resolve(self._url, self._insecure)

    @contextmanager
    def client(self, timeout_s: float = ANSWER_S) -> Iterator[APIClient]:
        """Connect with the negotiated version; failures inside the block become a `SourceError`.

        Raises:
            SourceError: The engine cannot be reached or refuses, with the remedy.
            WorkloadGone: The object of a request does not exist.
        """
        from docker.errors import NotFound

        from collectors.engines.docker.endpoint import clamp_version, engine_of, failures, translate

        endpoint = self._resolve()
        client: APIClient | None = None
        try:
            if not self._version:
                answer = endpoint.ask_version(timeout_s)
                self._version, self.engine = clamp_version(answer), engine_of(answer)
            client = endpoint.connect(self._version, timeout_s)
            yield client
        except SourceError:
            raise
        except NotFound as error:
            raise WorkloadGone("the engine no longer has it") from error
        except failures() as error:
            raise translate(error, endpoint, timeout_s) from error
        finally:
            if client is not None:
                client.close()
