"""Fixtures for tests of pages: import both into a folder's conftest.py, and mark the tests `browser`.

One browser a module, since it takes a second to start; a context of its own for each page, so that no cookie, storage
or cache reaches another test.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest
from playwright.sync_api import Browser

from tests.browser.launch import NewPage, opening
from tests.browser.launch import chromium as started


@pytest.fixture(scope="module")
def chromium() -> Generator[Browser]:
    with started() as browser:
        yield browser


@pytest.fixture
def new_page(chromium: Browser) -> Generator[NewPage]:
    """Opens pages. Fails the test if the browser reports an error of one of them."""
    with opening(chromium) as open_one:
        yield open_one
