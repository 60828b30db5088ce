"""Opens a fleet's page in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Page

from ops.actions.fleet_view import FleetView
from ops.page.page import page
from tests.browser.fixtures import chromium as chromium
from tests.browser.fixtures import new_page as new_page
from tests.browser.launch import NewPage
from tests.page.fleets import NOW


class Look(Protocol):
    def __call__(self, fleet: FleetView, fragment: str = "", **context: Any) -> Page: ...


@pytest.fixture
def look(new_page: NewPage, tmp_path: Path) -> Look:
    """Writes the page of a fleet, and opens it at `fragment` a minute after the fleet was asked."""

    def opened(fleet: FleetView, fragment: str = "", **context: Any) -> Page:
        file = tmp_path / "status.html"
        file.write_bytes(page(fleet))
        shown = new_page(**{"viewport": {"width": 1280, "height": 2000}, "timezone_id": "Asia/Tokyo", **context})
        shown.clock.set_fixed_time(NOW)
        shown.goto(file.as_uri() + fragment)
        return shown

    return opened
