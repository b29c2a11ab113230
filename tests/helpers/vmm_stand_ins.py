"""Stand-ins for VMMs: a copy of Python under a VMM's name, which speaks its protocol on the socket that it is given."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from collectors.kernel.vmm.process import VmmProcess, find

HTTP = """
import http.server, json, socketserver, sys
path = sys.argv[1]
class Handler(http.server.BaseHTTPRequestHandler):
    def address_string(self): return "unix"
    def log_message(self, *words): pass
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        with open(path + ".asked", "a") as asked: asked.write(f"{self.command} {self.path} {body}\\n")
        try: said = open(path + ".answer").read()
        except OSError: said = "{}"
        status, _, text = said.rpartition("\\n")
        self.send_response(int(status or 200)); self.end_headers(); self.wfile.write(text.encode())
    do_GET = do_PUT = do_PATCH = answer
class Server(socketserver.UnixStreamServer):
    def get_request(self): return super().get_request()[0], ("unix", 0)
Server(path, Handler).serve_forever()
"""
"""Writes what it is asked to `<socket>.asked`, and answers what is in `<socket>.answer`: a status in a line, a body."""
QMP = """
import json, os, socket, sys
path = sys.argv[1]
server = socket.socket(socket.AF_UNIX); server.bind(path); server.listen(8)
mode = os.environ.get("MODE", "")
held = []
def serve(client):
    held.append(client)
    if mode == "busy": return
    if mode == "garbage": return client.sendall(b"hello\\n")
    if mode == "long": return client.sendall(b"{" + b" " * (5 << 20))
    client.sendall(b'{"QMP": {}}\\n')
    for line in client.makefile("rb"):
        name = json.loads(line)["execute"]
        with open(path + ".asked", "a") as asked: asked.write(name + "\\n")
        client.sendall(b'{"event": "NIC_RX_FILTER_CHANGED"}\\n')
        if name == "query-status": client.sendall(b'{"return": {"status": "paused"}}\\n')
        elif name == "cont": client.sendall(b'{"error": {"class": "GenericError", "desc": "no \\\\u001b[31mway"}}\\n')
        else: client.sendall(b'{"return": {}}\\n')
    client.close()
while True:
    client, _ = server.accept()
    try: serve(client)
    except OSError: pass  # whoever asked has left
"""
"""Answers as QEMU does: `query-status` says paused, `cont` is refused. `MODE` is `busy`, `garbage` or `long`."""


@contextmanager
def stand_in(
    folder: Path, program: str, script: str, socket: Path, options: Sequence[str] = (), mode: str = ""
) -> Iterator[VmmProcess]:
    """Run a script under a VMM's name until the end of the block.

    Args:
        folder: For the program.
        program: Its name, by which vmtop knows a VMM.
        script: What it runs, with the socket as its first argument.
        socket: The path of its socket.
        options: The VMM's options, which follow.
        mode: The script's `MODE`.
    """
    executable = folder / program
    shutil.copy(Path(sys.executable).resolve(), executable)
    words = [str(executable), "-c", script, str(socket), *options]
    process = subprocess.Popen(words, env={"MODE": mode, "PYTHONHOME": sys.base_prefix}, cwd=folder)
    try:
        deadline = time.monotonic() + 120
        while not _listens(socket):
            assert process.poll() is None, "the stand-in has ended"
            assert time.monotonic() < deadline, "the stand-in does not listen"
            time.sleep(0.02)
        vmm = find(process.pid)
        assert vmm is not None
        yield vmm
    finally:
        process.kill()
        process.wait()


def _listens(socket: Path) -> bool:
    """Return whether a socket takes calls, without a call, which some stand-ins would take for their only client's."""
    lines = Path("/proc/net/unix").read_bytes().split(b"\n")  # names of other programs' sockets may have any character
    return any(b" 00010000 " in line and line.endswith(b" " + os.fsencode(socket)) for line in lines)  # __SO_ACCEPTCON
