"""A command in a container through the engine's exec API, without a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from collectors.engines.docker.endpoint import failures, is_id
from collectors.model.errors import SourceError
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import whole_number

if TYPE_CHECKING:
    from collectors.engines.docker.access import DockerAccess


class DockerCommand:
    """Runs a command whose two streams of output are told apart."""

    def __init__(self, workload: Workload, access: DockerAccess, command: Sequence[str]) -> None:
        with ExitStack() as stack:  # so that failures in here become a `SourceError`
            self._client: Any = stack.enter_context(access.daemon(workload).client())
            execution = self._client.exec_create(workload.id.id, list(command))
            self._id = str(execution["Id"])
            if not is_id(self._id):
                raise SourceError("the engine's answer has no valid id of the command")
            self._stack = stack.pop_all()

    def output(self) -> Iterator[tuple[bool, bytes]]:
        try:
            for written, complained in self._client.exec_start(self._id, stream=True, demux=True):
                if written:
                    yield False, written
                if complained:
                    yield True, complained
        except failures() as error:
            raise SourceError(f"the command's output cannot be read: {sanitize(str(error))}") from error

    def exit_code(self) -> int:
        try:
            code = whole_number(self._client.exec_inspect(self._id).get("ExitCode"))
        except failures() as error:
            raise SourceError(f"the command's exit code cannot be read: {sanitize(str(error))}") from error
        if code is None:
            raise SourceError("the engine does not say how the command ended")
        return code

    def close(self) -> None:
        with suppress(*failures(), SourceError):
            self._stack.close()
