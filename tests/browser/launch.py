"""Starts the browser that tools/browser.py finds, and opens pages in it: for tests, screenshots and measurements."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Protocol

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tools import browser


class NewPage(Protocol):
    def __call__(self, **context: Any) -> Page:
        """Opens an empty page. `context` is what playwright's `new_context` takes, e.g. viewport, color_scheme."""
        ...


@contextmanager
def chromium() -> Generator[Browser]:
    """A headless browser. Without its sandbox, which root may not have: it opens our own pages alone."""
    executable = browser.ensure(os.environ).executable
    with sync_playwright() as playwright:
        # A container's shared memory is often too small for a page.
        started = playwright.chromium.launch(
            executable_path=executable, chromium_sandbox=False, args=["--disable-dev-shm-usage"]
        )
        try:
            yield started
        finally:
            started.close()


@contextmanager
def opening(started: Browser) -> Generator[NewPage]:
    """Opens each page in a context of its own, and closes all of them.

    Raises AssertionError at the end if a page's script raised, or the browser reported an error, such as a blocked
    script or style. An answer of 400 and above is no such error: which answer is right, the caller knows.
    """
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            errors.append(message.text)

    def open_one(**context: Any) -> Page:
        contexts.append(started.new_context(**context))
        page = contexts[-1].new_page()
        page.on("console", on_console)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    try:
        yield open_one
    finally:
        for context in contexts:
            context.close()
    assert not errors, "the browser reported:\n  " + "\n  ".join(errors)
