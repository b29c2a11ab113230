"""A headless Chromium without any network, driven over the DevTools protocol through two pipes.

https://chromedevtools.github.io/devtools-protocol/ and `--remote-debugging-pipe`: messages are JSON with a zero byte
behind each, on descriptors 3 and 4.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.helpers.lab.process import find_program, require_root
from tests.helpers.patience import PATIENCE

Answer = dict[str, Any]
_ANSWER_S = 60
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
)  # fmt: skip


class Browser:
    """The browser's end of the protocol.

    Args:
        requests: Descriptor to write to.
        answers: Descriptor to read from.
        log: Where it writes its complaints.
    """

    def __init__(self, requests: int, answers: int, log: Path) -> None:
        self._requests, self._answers, self._log = requests, answers, log
        self._number = 0
        self._left = b""
        self.events: list[Answer] = []
        """What the browser told without being asked, oldest first."""

    def call(self, method: str, session: str | None = None, **parameters: Any) -> Answer:
        """Call a method and return its result; fail with the browser's own words."""
        self._number += 1
        request = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            request["sessionId"] = session
        try:
            os.write(self._requests, json.dumps(request).encode() + b"\0")
        except BrokenPipeError:
            raise self._ended() from None
        while (message := self._read()).get("id") != self._number:
            self.events.append(message)
        assert "error" not in message, f"{method}: {message['error']}"
        result: Answer = message["result"]
        return result

    def wait_for(self, method: str, session: str) -> Answer:
        """Wait for an event of a session, also one that has already come, and return its parameters."""
        seen = 0
        while True:
            for event in self.events[seen:]:
                if event.get("method") == method and event.get("sessionId") == session:
                    parameters: Answer = event["params"]
                    return parameters
            seen = len(self.events)
            self.events.append(self._read())

    def _read(self) -> Answer:
        deadline = time.monotonic() + PATIENCE * _ANSWER_S
        while b"\0" not in self._left:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"the browser did not answer within {PATIENCE * _ANSWER_S} s")
            data = os.read(self._answers, 1 << 20)
            if not data:
                raise self._ended()
            self._left += data
        message, _, self._left = self._left.partition(b"\0")
        answer: Answer = json.loads(message)
        return answer

    def _ended(self) -> ChildProcessError:
        return ChildProcessError(f"the browser has ended:\n{self._log.read_text(errors='replace')[-2000:]}")


class Page:
    """A tab with a document in it, loaded completely.

    Args:
        browser: Where to open it.
        url: What to open.
        width: Pixels.
        is_dark: What the reader prefers.
        media: `screen` or `print`.
        has_scripts: Whether the document may run any.
        height: Pixels of the window.
    """

    def __init__(
        self,
        browser: Browser,
        url: str,
        width: int = 1200,
        is_dark: bool = False,
        media: str = "screen",
        has_scripts: bool = True,
        height: int = 900,
    ) -> None:
        self._browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 640
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.call("Emulation.setScriptExecutionDisabled", value=not has_scripts)
        self.call("Page.navigate", url=url)
        browser.wait_for("Page.loadEventFired", self._session)

    def call(self, method: str, **parameters: Any) -> Answer:
        """Call a method of this tab."""
        return self._browser.call(method, self._session, **parameters)

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression; what it throws is a failure."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def click(self, selector: str) -> None:
        """Click on the middle of an element with the mouse."""
        quoted = json.dumps(selector)
        x, y = self.evaluate(
            f"(() => {{const one = document.querySelector({quoted}); one.scrollIntoView({{block: 'center'}});"
            "const box = one.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]})()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def told(self, method: str) -> list[Answer]:
        """Return the parameters of every event of this tab with a name."""
        self.evaluate("new Promise(done => setTimeout(done, 0))")
        return [
            event["params"]
            for event in self._browser.events
            if event.get("method") == method and event.get("sessionId") == self._session
        ]

    def requested(self) -> list[str]:
        """Return what was asked of the network, of files and of the browser itself, in order."""
        return [told["request"]["url"] for told in self.told("Network.requestWillBeSent")]

    def complaints(self) -> list[str]:
        """Return what the browser wrote into its log and console, such as what a policy forbade, and dialogs."""
        entries = [told["entry"]["text"] for told in self.told("Log.entryAdded")]
        lines = [str(told["args"]) for told in self.told("Runtime.consoleAPICalled")]
        thrown = [str(told["exceptionDetails"]) for told in self.told("Runtime.exceptionThrown")]
        return entries + lines + thrown + [told["message"] for told in self.told("Page.javascriptDialogOpening")]

    def screenshot(self) -> bytes:
        """Return a picture of the window as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])


@contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """Start Debian's Chromium in a network of its own, in which there is nothing, with its profile in a folder."""
    require_root()
    command = [find_program("unshare"), "--net", find_program("chromium"), *_OPTIONS, f"--user-data-dir={folder}"]
    requests, answers = os.pipe(), os.pipe()
    theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (requests[0], answers[1])]  # none of them is 3 or 4
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [find_program("bash"), "-c", f'exec "$@" 3<&{theirs[0]} 4>&{theirs[1]}', "bash", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=theirs,
            env={**os.environ, "HOME": str(folder)},
            start_new_session=True,
        )
    for end in (requests[0], answers[1], *theirs):
        os.close(end)
    try:
        yield Browser(requests[1], answers[0], folder / "log")
    finally:
        os.close(requests[1])  # it ends when nobody is left at its pipes
        os.close(answers[0])
        try:
            process.wait(PATIENCE * 10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
