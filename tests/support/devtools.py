"""A page in headless Chromium, driven as a person would: real clicks and keys, through the DevTools protocol over a pipe."""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.chromium import PROGRAM, QUIET

_LAUNCH = """
import fcntl, os, sys
ours = [fcntl.fcntl(int(one), fcntl.F_DUPFD, 10) for one in sys.argv[1:3]]
for at, one in zip((3, 4), ours):
    os.dup2(one, at)
os.execv(sys.argv[3], sys.argv[3:])
"""
_SECONDS = 60


class Page:
    """One page of one browser; `requests` and `complaints` grow while it is used, `downloads` are the files that arrived."""

    def __init__(self, to: int, come: int, folder: Path) -> None:
        self._to, self._come, self._rest, self._number, self._session = to, come, b"", 0, ""
        self._folder = folder
        self.requests: list[dict] = []
        self.complaints: list[str] = []
        self._loads = 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        self.resize(1280, 900)

    def call(self, method: str, **parameters) -> dict:
        """Send a command, wait for its answer; what happens meanwhile is noted."""
        self._number += 1
        number = self._number
        session = {"sessionId": self._session} if self._session else {}
        os.write(self._to, json.dumps({"id": number, "method": method, "params": parameters, **session}).encode() + b"\0")
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end:
            message = self._next(end - time.monotonic())
            if message and message.get("id") == number:
                assert "error" not in message, message["error"]
                return message["result"]
        raise TimeoutError(method)

    def _next(self, seconds: float) -> dict | None:
        while b"\0" not in self._rest:
            if not select.select([self._come], [], [], max(seconds, 0))[0]:
                return None
            read = os.read(self._come, 1 << 16)
            if not read:
                raise EOFError("the browser is gone")
            self._rest += read
        text, _, self._rest = self._rest.partition(b"\0")
        message = json.loads(text)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method: str | None, about: dict) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append({"url": about["request"]["url"], "method": about["request"]["method"]})
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(about["exceptionDetails"].get("exception", {}).get("description", about["exceptionDetails"]["text"]))
        elif method == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning"):
            self.complaints.append(" ".join(str(one.get("value", one.get("description"))) for one in about["args"]))
        elif method == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            self.complaints.append(about["entry"]["text"])
        elif method == "Page.loadEventFired":
            self._loads += 1

    def resize(self, width: int, height: int) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def open(self, url: str) -> None:
        """Go to an address and wait until it is loaded."""
        with self.loading():
            self.call("Page.navigate", url=url)

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Around what makes the page load another."""
        before = self._loads
        yield
        self._wait(lambda: self._loads > before)

    def wait(self, expression: str) -> None:
        """Wait until an expression is true in the page."""
        self._wait(lambda: self.evaluate(f"Boolean({expression})"))

    def _wait(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + _SECONDS
        while not done():
            assert time.monotonic() < end, "waited in vain"
            self._next(0.05)

    def evaluate(self, expression: str):
        """The value of an expression in the page; of a promise, what it gives."""
        found = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def text(self, selector: str) -> str:
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")

    def click(self, selector: str) -> None:
        """Click the middle of an element with the mouse."""
        where = self.evaluate(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}}); "
                              "const r = e.getBoundingClientRect(); return [r.left + Math.min(r.width, 40) / 2, r.top + r.height / 2]; })()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=where[0], y=where[1], button="left", clickCount=1)

    def paste(self, text: str) -> None:
        """Put text where the focus is."""
        self.call("Input.insertText", text=text)

    def press(self, key: str, code: int, modifiers: int = 0) -> None:
        """Press a key; modifiers: 2 is Control."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, modifiers=modifiers)

    def choose(self, selector: str, path: Path) -> None:
        """Choose a file in a file field."""
        node = self.call("DOM.querySelector", nodeId=self.call("DOM.getDocument")["root"]["nodeId"], selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def download(self, name: str) -> str:
        """The text of a file that is being downloaded, once it is there."""
        self._wait(lambda: (self._folder / name).exists())
        return (self._folder / name).read_text(encoding="utf-8")

    def screenshot(self, path: Path, whole: bool = False) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]))


@contextmanager
def page(folder: Path, *options: str) -> Iterator[Page]:
    """A new browser with an empty profile in a folder, until the block ends."""
    theirs, to = os.pipe()
    come, ours = os.pipe()
    line = [sys.executable, "-c", _LAUNCH, str(theirs), str(ours), PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
            f"--user-data-dir={folder / 'profile'}", *QUIET, *options]
    process = subprocess.Popen(line, pass_fds=(theirs, ours), stderr=subprocess.DEVNULL, start_new_session=True)
    os.close(theirs)
    os.close(ours)
    try:
        yield Page(to, come, folder)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(to)
        os.close(come)
