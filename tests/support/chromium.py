"""Headless Chromium for the tests of pages, and a reader's actions in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest


class Browser:
    """Headless Chromium, driven over a pipe by the DevTools protocol.

    Attributes:
        troubles: messages of its console and dialogues that it opened.
    """

    def __init__(self, program: str, profile: Path) -> None:
        read, self._out = os.pipe()
        self._in, write = os.pipe()
        # Chromium reads commands from descriptor 3 and answers on 4; a shell puts ours there.
        command = f'exec "$0" "$@" 3<&{read} 4>&{write}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--no-first-run", "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(read, write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(read)
        os.close(write)
        self._count, self._buffer, self._session = 0, b"", ""
        self.troubles: list[str] = []
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.do(f"{domain}.enable")

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            part = os.read(self._in, 1 << 16)
            assert part, "Chromium has gone"
            self._buffer += part
        message, self._buffer = self._buffer.split(b"\0", 1)
        found = cast(dict[str, Any], json.loads(message))
        if found.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded",
                                   "Page.javascriptDialogOpening"):
            self.troubles.append(json.dumps(found["params"])[:500])
        return found

    def do(self, method: str, **params: Any) -> Any:
        self._count += 1
        session = {"sessionId": self._session} if self._session else {}
        message = {"id": self._count, "method": method, "params": params, **session}
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (found := self._receive()).get("id") != self._count:
            pass
        assert "error" not in found, found
        return found["result"]

    def open(self, url: str, width: int = 1280, media: str = "") -> None:
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.do("Emulation.setEmulatedMedia", media=media)
        for address in ("about:blank", url):  # from another page, since a new hash alone loads nothing
            self.do("Page.navigate", url=address)
            while self._receive().get("method") != "Page.loadEventFired":
                pass

    def js(self, code: str) -> Any:
        found = self.do("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def mouse(self, kind: str, x: float, y: float, buttons: int = 0) -> None:
        button = "left" if kind != "mouseMoved" else "none"
        self.do("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, buttons=buttons, clickCount=1)

    def key(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self.do("Input.dispatchKeyEvent", type=kind, key=key)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._out)
        os.close(self._in)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium is installed; CI must have one (apt install chromium)")
        pytest.skip("no Chromium is installed here (apt install chromium)")
    browser = Browser(program, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """A browser that fails the test at any message on its console and any dialogue."""
    chromium.troubles.clear()
    yield chromium
    assert chromium.troubles == []


def choose(browser: Browser, control: str, value: str, event: str) -> None:
    """Set a control of the page as a reader would."""
    browser.js(f"(() => {{ const s = document.getElementById('{control}'); s.value = {json.dumps(value)}; "
               f"s.dispatchEvent(new Event('{event}')); }})()")


def cells(browser: Browser, table: str) -> list[list[str]]:
    """The rows of the table that a selector finds, as a reader sees them."""
    return cast(list[list[str]], browser.js(f"[...document.querySelector({json.dumps(table)}).rows].map("
                                            "r => [...r.cells].map(c => c.innerText.trim()))"))
