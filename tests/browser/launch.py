"""Starts the browser that tools/browser.py finds, and opens pages in it: for tests, screenshots and measurements."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tools import browser

_ANSWER_MILLISECONDS = 120_000.0
"""Long enough for any machine: only a page that never answers takes this long."""

_LAUNCH: Final[dict[str, Any]] = {"chromium_sandbox": False, "args": ["--disable-dev-shm-usage"]}
"""Root may not have the sandbox, and a container's shared memory is often too small for a page."""


class NewPage(Protocol):
    def __call__(self, **context: Any) -> Page:
        """Opens an empty page. `context` is what playwright's `new_context` takes, e.g. viewport, color_scheme."""
        ...


@contextmanager
def chromium(*, whole: bool = False) -> Generator[Browser]:
    """A browser without windows, and without its sandbox: it opens our own pages alone. `whole`: the one that a person
    has, which takes more than twice the time; a headless build asks nobody for permission to write to the clipboard."""
    executable = _found(whole=whole)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, **_LAUNCH)
        try:
            yield started
        finally:
            started.close()


@cache
def _found(*, whole: bool) -> Path:
    """Once in a process: the search starts each browser to ask for its version."""
    found = browser.ensure(os.environ)
    return found.executable if whole else found.headless


@contextmanager
def recorded(started: Browser, profile: Path, har: Path) -> Generator[BrowserContext]:
    """Another browser, of the playwright that runs `started`: with a profile on disk, which a headless build does not
    keep, and a HAR archive, both whole at the end."""
    context = started.browser_type.launch_persistent_context(
        profile,
        executable_path=_found(whole=True),
        **_LAUNCH,
        record_har_path=har,
        record_har_content="embed",
    )
    try:
        yield context
    finally:
        context.close()


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
        contexts[-1].set_default_timeout(_ANSWER_MILLISECONDS)
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
