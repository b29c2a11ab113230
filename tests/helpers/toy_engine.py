"""Toys in a folder: a toy is a file, and it runs while the file says `running`."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from collectors.engines.access import EngineAccess
from collectors.engines.base import Engine
from collectors.engines.file_log import FileLog
from collectors.engines.options import EngineOption
from collectors.model.actions import Observed, Request
from collectors.model.details import Fact, Page, RawDescription, Table
from collectors.model.errors import SourceAbsent, WorkloadGone
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.safety.sanitize import sanitize
from collectors.sampling.source import Source, SourceReading, SourceSpec


class ToySource:
    name, interval_s, holds_tick, is_authority, is_near = "toy", 1.0, False, True, True
    replace_after_s: float | None = None

    def __init__(self, box: str | None) -> None:
        self.box = Path((box or os.environ.get("TOY_BOX") or "/no/toys").removeprefix("toy://"))

    def open(self, wake: Callable[[], None]) -> None:
        if not self.box.is_dir():
            raise SourceAbsent(f"there is no box of toys at {self.box}", f"mkdir {self.box}")

    def read(self) -> SourceReading:
        toys = [described(file) for file in self.box.glob("*.toy")]
        return SourceReading({toy.id: toy for toy in toys}, {}, detail=f"{len(toys)} toys")

    def close(self) -> None: ...


def described(file: Path) -> Workload:
    state = State.RUNNING if file.read_text().strip() == "running" else State.STOPPED
    return Workload(WorkloadId("toy", str(file)), Kind.CONTAINER, sanitize(file.stem), state)


class ToyAccess(EngineAccess):
    restart_is_a_new_run = True

    def actions(self, workload: Workload) -> "ToyAccess":
        return self

    def observe(self, workload: Workload) -> Observed:
        if not (file := Path(workload.id.id)).exists():
            raise WorkloadGone("it is not in the box any more")
        return Observed(workload.name, described(file).state, str(file.stat().st_mtime_ns))

    def perform(self, request: Request) -> None:
        Path(request.workload.id.id).write_text("running" if request.verb == "start" else "stopped")

    force = perform

    def details(self) -> Callable[[Workload], list[Table]]:
        return lambda toy: [Table(Page.FACTS, "Toy", facts=(Fact("file", sanitize(toy.id.id)),))]

    def raw_description(self, workload: Workload) -> RawDescription:
        return RawDescription("file of the toy", Path(workload.id.id).read_text())

    def open_log(self, workload: Workload) -> FileLog:
        return FileLog(str(Path(workload.id.id).with_suffix(".log")))


class ToyEngine(Engine):
    name, engine_names, kinds = "toy", frozenset({"toy"}), frozenset({"container"})
    address = EngineOption("--toys", "box", "Box of toys; may be repeated.", "URL", ("toy://",), "TOY_BOX")
    libraries = ("toybox",)
    verbs, lacks = ("start", "stop"), "toys are only started and stopped"

    def load_source(self) -> Callable[..., Source]:
        return ToySource

    def connect(self, specs: Sequence[SourceSpec]) -> ToyAccess:
        return ToyAccess()

    def commands(self, request: Request) -> tuple[str, ...]:
        return (f"toybox {request.verb} {request.workload.name}",)
