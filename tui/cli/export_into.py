"""`vmtop export --into`: a session into VictoriaMetrics, or as blocks for Prometheus."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import click
from msgspec.structs import replace

from collectors.model.errors import SourceError
from collectors.prometheus.backfill import HOST, INSTANCE, Backfill, Piece
from collectors.prometheus.importer import Importer, batches
from collectors.prometheus.server import Server, checked
from collectors.safety.sanitize import sanitize
from collectors.session.exporting.rows import Selection
from collectors.session.format import SessionError
from collectors.session.frame_sequence import FrameSequence
from tui.cli.configuration import config_for_looking
from tui.presenters.formatting import stamp

_LARGEST_PIECE = 256 << 20
"""Characters of text that promtool gets at once: so much is on the disk beside the blocks."""
_PROMTOOL_S = 3600.0
_QUOTED = 500


def destination(into: str, insecure: bool) -> Server | Path:
    """Return where a session goes: a server by its address or its name in the configuration, or a folder.

    Raises:
        click.ClickException: It is neither, or it may not be used.
    """
    servers = config_for_looking().servers
    if into not in servers and "://" not in into:
        if os.sep not in into and not Path(into).is_dir():
            known = f"; there are {', '.join(servers)}" if servers else ""
            raise click.UsageError(
                f"--into {sanitize(into)!r} is no URL, no folder (./{sanitize(into)} makes one), and no server of the "
                f"configuration{known}"
            )
        return Path(into)
    server = servers[into] if into in servers else Server(into)
    try:
        return checked(replace(server, insecure=True) if insecure else server)
    except SourceError as error:
        reason = error.reason.replace("the address of Prometheus", "--into")
        raise click.ClickException(f"{reason}; fix: {error.remedy}" if error.remedy else reason) from error


def send(
    session: FrameSequence,
    selection: Selection,
    server: Server,
    labels: Mapping[str, str],
    advance: Callable[[float], None],
) -> str:
    """Send a session to VictoriaMetrics; return a sentence about it.

    Raises:
        SessionError: It was not taken, or there is nothing; the message says how to go on.
    """
    sent, last_wall = 0, None
    try:
        importer = Importer(server)
        try:
            for batch in batches(Backfill(session, selection, labels).pieces(advance)):
                importer.send(batch)
                sent, last_wall = sent + batch.samples, batch.last_wall
        finally:
            importer.close()
    except SourceError as error:
        remedy = f"; fix: {error.remedy}" if error.remedy else ""
        if last_wall is None:
            raise SessionError(f"{error.reason}; nothing was sent{remedy}") from error
        raise SessionError(
            f"{error.reason}; {sent:,} samples up to {stamp(last_wall)} have arrived: go on from there with "
            f"--from '{stamp(last_wall)}'{remedy}"
        ) from error
    if not sent:
        raise _nothing()
    return f"{sent:,} samples are in {server.shown}"


def make_blocks(
    session: FrameSequence,
    selection: Selection,
    folder: Path,
    labels: Mapping[str, str],
    advance: Callable[[float], None],
) -> str:
    """Make blocks of a session for Prometheus, by its own promtool; return a sentence about them.

    Raises:
        SessionError: There is no promtool, it failed, or there is nothing.
    """
    promtool = shutil.which("promtool")
    if promtool is None:
        raise SessionError(
            "blocks for Prometheus are made by promtool, which is not installed here: it is part of Prometheus "
            "(Debian: apt install prometheus)"
        )
    folder.mkdir(parents=True, exist_ok=True)
    before, samples = _blocks(folder), 0
    pieces = Backfill(session, selection, labels, is_in_ms=False).pieces(advance)
    with tempfile.TemporaryDirectory(prefix=".vmtop-", dir=folder) as scratch:
        for count, text in _files(pieces, Path(scratch)):
            samples += count
            _run([promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(text), str(folder)])
            text.unlink()
    if not samples:
        raise _nothing()
    made = len(_blocks(folder) - before)
    where = sanitize(str(folder))
    return (
        f"{samples:,} samples are in {made} {'block' if made == 1 else 'blocks'} in {where}; a Prometheus shows them "
        "that has them in its data folder, for as long as its retention reaches back"
    )


def _files(pieces: Iterator[Piece], folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield files of OpenMetrics text, each of bounded size, with how many samples each has."""
    piece = next(pieces, None)
    while piece is not None:
        path, length, samples = folder / "samples.om", 0, 0
        with path.open("w", encoding="utf-8", errors="replace") as file:
            while piece is not None and length < _LARGEST_PIECE:
                file.write(piece.text)
                length, samples = length + len(piece.text), samples + piece.samples
                piece = next(pieces, None)
            file.write("# EOF\n")
        yield samples, path


def _blocks(folder: Path) -> frozenset[str]:
    return frozenset(entry.name for entry in os.scandir(folder) if (folder / entry.name / "meta.json").is_file())


def _run(words: Sequence[str]) -> None:
    try:
        ended = subprocess.run(  # noqa: S603  # words without a shell
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROMTOOL_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise SessionError(f"promtool has not ended within {_PROMTOOL_S:.0f} s") from None
    except OSError as error:
        raise SessionError(f"promtool cannot be started: {error.strerror}") from error
    if ended.returncode:
        said = (ended.stderr or ended.stdout).decode("utf-8", "replace").strip().splitlines()
        reason = sanitize(said[-1], _QUOTED) if said else f"exit code {ended.returncode}"
        raise SessionError(f"promtool made no blocks: {reason}")


def _nothing() -> SessionError:
    return SessionError("nothing matches: 'vmtop info' lists the workloads of the session and their times")


def checked_labels(texts: Sequence[str]) -> dict[str, str]:
    """Return labels that were typed as `NAME=VALUE`.

    Raises:
        click.UsageError: One is none, or is one that every series has.
    """
    from collectors.exposition.families import HOST_LABEL, WORKLOAD_LABELS

    labels: dict[str, str] = {}
    taken = {*WORKLOAD_LABELS, HOST_LABEL, "what", "source", "state"}
    for text in texts:
        name, equals, value = text.partition("=")
        is_name = name.isidentifier() and name.isascii() and not name.startswith("__")
        if not equals or not is_name or not value or name in taken:
            raise click.UsageError(
                f"--label {sanitize(text)!r} has to be NAME=VALUE, with a name that the series do not have yet"
            )
        if name == INSTANCE and HOST not in value:
            raise click.UsageError(f"--label {INSTANCE}=... has to contain {HOST}, so that hosts do not mix")
        labels[name] = sanitize(value)
    return labels
