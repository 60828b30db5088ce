"""A local cell that the tests of this folder share. Each test has a tenant, a link and a key of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from functions.connect import handler
from local.cell import LocalCell
from tests.browser.fixtures import chromium as chromium
from tests.browser.fixtures import new_page as new_page
from tests.browser.launch import NewPage
from tests.connect_page.customer import Customer
from tests.connect_page.serving import Served
from tests.connect_page.world import Browser, Given, Intake
from tests.customer_key.theirs import TheirOpenAI


@pytest.fixture(scope="session")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCell]:
    running = LocalCell.start(tmp_path_factory.mktemp("cell"))
    try:
        running.openai.settings(admin_requests_per_minute=0)
        yield running
    finally:
        running.stop()


@pytest.fixture
def theirs(cell: LocalCell) -> Iterator[TheirOpenAI]:
    """A new project in the customer's own OpenAI account."""
    cell.openai.clear_faults()
    cell.openai.clear_calls()
    yield TheirOpenAI(cell)
    cell.openai.clear_faults()


@pytest.fixture(scope="session")
def intake(cell: LocalCell) -> Iterator[Intake]:
    made = Intake(cell)
    yield made
    made.close()


@pytest.fixture(scope="module")
def served(intake: Intake) -> Iterator[Served]:
    """The function with its environment, and with the rights that its role has by the documents that ship."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (intake.cell.environment() | intake.credentials() | intake.variables).items():
            patch.setenv(name, value)
        handler.warm.cache_clear()
        running = Served()
        yield running
        running.stop()
        for client in handler.warm():
            client.close()
        handler.warm.cache_clear()


@pytest.fixture
def given(intake: Intake) -> Given:
    return intake.issue()


@pytest.fixture
def customer(served: Served, theirs: TheirOpenAI, new_page: NewPage) -> Iterator[Customer]:
    """Opens links in a real browser."""
    yield Customer(served, new_page)
    served.in_the_way = lambda _: None


@pytest.fixture
def browser(served: Served, given: Given, theirs: TheirOpenAI) -> Iterator[Browser]:
    """With an open link."""
    made = Browser(served, given)
    assert made.open()[0] == 200
    yield made
    served.in_the_way = lambda _: None
