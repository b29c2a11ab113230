"""Hosts that go wrong at each stage of a connection, as names that the lab's SSH client knows."""

from __future__ import annotations

import socket
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from collectors.session.encode import sealed
from collectors.session.format import FORMAT, HEADER_SIZE, VERSION
from tests.helpers.demo_fleet import Fleet
from tests.helpers.far_streams import write_stream
from tests.helpers.lab.far_hosts import FarHost, FarHosts, place_program
from tests.helpers.lab.process import find_program

_MUTE_KEYS = "AuthorizedKeysFile none\nAuthorizedKeysCommand {sleep} 1000\nAuthorizedKeysCommandUser root\n"
_ASKS = "AuthorizedKeysFile none\nPasswordAuthentication yes\nKbdInteractiveAuthentication yes\n"
_BANNER = "\x1b]0;owned\x07\x1b[2J \x1b[31mAuthorized use only\x1b[0m\r\n" * 20
ENTRIES = {
    "mute-port": "HostName 127.0.0.1\nPort {full}",
    "mute-server": "HostName 127.0.0.1\nPort {mute}",
    "mute-keys": "HostName {address}\nPort 2201\nHostKeyAlias {host}",
    "asks-password": "HostName {address}\nPort 2202\nHostKeyAlias {host}",
    "new-key": "HostName {address}\nHostKeyAlias new-key",
    "no-key-known": "HostName {address}\nHostKeyAlias no-key-known",
    "refused": "HostName 127.0.0.1\nPort 1",
    "nowhere": "HostName nowhere.invalid",
    "banner": "HostName {address}\nPort 2203\nHostKeyAlias {host}",
}
"""Entries of the client's configuration, by name."""
PROGRAMS = {
    "silent": "exec sleep 1000",
    "floods-zeros": "exec cat /dev/zero",
    "floods-text": "exec yes",
    "floods-errors": "yes >&2",
    "floods-frames": "while cat {folder}/good; do :; done",
    "bomb": "exec cat {folder}/bomb",
    "rubbish": "exec head -c 300000 /dev/urandom",
    "newer": "cat {folder}/newer; exec sleep 1000",
    "cut-off": "head -c 1500 {folder}/good",
    "damaged": "cat {folder}/damaged; exec sleep 1000",
    "complains": "printf '\\033[2J\\033]0;owned\\007vmtop: no \\033[31mway\\n' >&2; exit 4",
    "old-vmtop": "echo \"vmtop: No such option '--control'\" >&2; exit 2",
}
"""What answers as `vmtop-NAME` on the host, as shell scripts."""


@contextmanager
def faulty(lab: FarHosts, host: FarHost) -> Iterator[None]:
    """Put the programs on a host, and the names into the client's configuration."""
    with ExitStack() as undo:
        ports = {"full": undo.enter_context(_full_port()), "mute": undo.enter_context(_mute_port())}
        _write_streams(host.folder)
        for name, script in PROGRAMS.items():
            place_program(host.folder / "bin" / f"vmtop-{name}", script.format(folder=host.folder))
        for port, more in (
            (2201, _MUTE_KEYS.format(sleep=find_program("sleep"))),
            (2202, _ASKS),
            (2203, f"AuthorizedKeysFile {host.folder}/user.pub\nBanner {host.folder}/banner\n"),
        ):
            _serve(host, port, more)
        (host.folder / "banner").write_text(_BANNER)
        words = {"address": host.address, "host": host.name, **ports}
        lab.extra = {name: entry.format(**words) for name, entry in ENTRIES.items()}
        wrong = (lab.folder / "user.pub").read_text()  # any key but the host's
        lab.known = f"new-key {wrong}"
        lab.write_client_files()
        yield


def _serve(host: FarHost, port: int, more: str) -> None:
    """Start another SSH server on the host; it ends with it."""
    config = host.folder / f"sshd_config.{port}"
    own = (host.folder / "sshd_config").read_text().replace("Port 22\n", f"Port {port}\n")
    replaced = {line.split()[0] for line in more.splitlines()}
    kept = [line for line in own.splitlines() if line.split()[0] not in replaced]
    config.write_text("\n".join([*kept, more]))
    host.inside(find_program("sshd"), "-f", str(config))


@contextmanager
def _full_port() -> Iterator[int]:
    """Give a port whose queue is full: the kernel answers nothing to those who call."""
    with socket.socket() as server, ExitStack() as undo:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(3):
            caller = undo.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(server.getsockname())
        yield server.getsockname()[1]


@contextmanager
def _mute_port() -> Iterator[int]:
    """Give a port that takes calls and says nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(64)
        yield server.getsockname()[1]


def _write_streams(folder: Path) -> None:
    fleet = Fleet(10)
    write_stream(folder / "good", [fleet.frame() for _ in range(5)])
    good = (folder / "good").read_bytes()
    (folder / "damaged").write_bytes(good[:700] + bytes(100) + good[800:])
    (folder / "bomb").write_bytes(good[:HEADER_SIZE] + _deflated(bytes(256 << 20)))
    meta = {"k": "meta", "format": FORMAT, "version": VERSION + 1, "run": "0123456789abcdef", "sequence": 0}
    (folder / "newer").write_bytes(good[:HEADER_SIZE] + _deflated(sealed(msgspec.json.encode(meta))))


def _deflated(text: bytes) -> bytes:
    deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH)
