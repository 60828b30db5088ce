"""Visits, each with a key of its own, and browsers that open them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.cell import LocalCell
from ops.handover_page.clipboard import Clipboard
from tests.browser.fixtures import chromium as chromium
from tests.browser.fixtures import new_page as new_page
from tests.browser.launch import NewPage
from tests.handover.person import Command, Tab, allow_clipboard
from tests.handover.world import World

OpenTab = Callable[..., Tab]


@pytest.fixture
def command() -> Iterator[Command]:
    """On a machine without a program for the clipboard."""
    made = Command(Clipboard(None))
    yield made
    made.server.close()


@pytest.fixture
def open_tab(command: Command, new_page: NewPage) -> OpenTab:
    """Opens the page in a browser that nobody used before, which allows the clipboard unless told otherwise."""

    def open_one(*, allowed: bool = True, clock: bool = False, script: str = "", **context: Any) -> Tab:
        page = new_page(**{"locale": "en-GB"} | context)
        if allowed:
            allow_clipboard(page.context, command)
        if script:
            page.add_init_script(script)
        if clock:
            page.clock.install()
        return Tab(page, command).open()

    return open_one


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("cell")
    cell = LocalCell.start(folder)
    try:
        made = World(cell, folder)
        yield made
        made.close()
    finally:
        cell.stop()
