"""Headless Chromium for the tests of pages, driven by Playwright, and a reader's actions in it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from typing import Any, cast

import pytest
from playwright.sync_api import Browser as Program
from playwright.sync_api import Dialog, Page, sync_playwright


class Browser:
    """A page of headless Chromium.

    Attributes:
        page: Playwright's page, for what this class does not have.
        troubles: messages of its console, errors of its scripts and dialogues that it opened.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self.troubles: list[str] = []
        self.page = self._new(touch=False)

    def _new(self, touch: bool) -> Page:
        page = self._program.new_context(has_touch=touch, accept_downloads=True).new_page()
        page.set_default_timeout(90_000)
        page.on("console", lambda message: self.troubles.append(message.text))
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("dialog", self._refuse)
        return page

    def _refuse(self, dialog: Dialog) -> None:
        self.troubles.append(dialog.message)
        dialog.dismiss()

    def open(self, url: str, width: int = 1280, media: str = "screen", scheme: str = "light",
             touch: bool = False) -> None:  # fmt: skip
        if touch:
            self.close()
            self.page = self._new(touch)
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(media=cast(Any, media), color_scheme=cast(Any, scheme))
        self.page.goto("about:blank")  # from another page, since a new hash alone loads nothing
        self.page.goto(url)

    def js(self, code: str) -> Any:
        return self.page.evaluate(code)

    def key(self, key: str) -> None:
        self.page.keyboard.press(key)

    def close(self) -> None:
        self.page.context.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Program]:
    """The system's Chromium, for the tests of one module: while Playwright runs, asyncio cannot be used."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium is installed; CI must have one (apt install chromium)")
        pytest.skip("no Chromium is installed here (apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def browser(chromium: Program) -> Iterator[Browser]:
    """A page that fails the test at any message on its console, any error and any dialogue."""
    browser = Browser(chromium)
    yield browser
    browser.close()
    assert browser.troubles == []


def choose(browser: Browser, control: str, value: str, event: str = "change") -> None:
    """Set a control of the page as a reader would."""
    browser.js(f"(() => {{ const s = document.getElementById('{control}'); s.value = {json.dumps(value)}; "
               f"s.dispatchEvent(new Event('{event}')); }})()")


def cells(browser: Browser, table: str) -> list[list[str]]:
    """The rows of the table that a selector finds, as a reader sees them."""
    return cast(list[list[str]], browser.js(f"[...document.querySelector({json.dumps(table)}).rows].map("
                                            "r => [...r.cells].map(c => c.innerText.trim()))"))
