"""A customer at a real browser: opens links, pastes, presses buttons, and reads what the page says."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.launch import NewPage
from tests.connect_page.serving import Served
from tests.connect_page.world import Given

expect.set_options(timeout=20_000)


class Tab:
    """One tab with the page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def field(self) -> Locator:
        return self.page.locator("#pasted")

    @property
    def save(self) -> Locator:
        return self.page.locator("#save")

    @property
    def notice(self) -> Locator:
        return self.page.locator("#notice")

    @property
    def title(self) -> Locator:
        return self.page.locator("h1")

    def paste(self, text: str) -> None:
        """From the clipboard, as a person does it, over what is in the field."""
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.field.focus()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.press("Control+V")

    def row(self, name: str) -> Locator:
        return self.page.locator(f"#rows li:has(#why-{name})")

    def wait_for(self, name: str, state: str) -> None:
        """Until the check has this state."""
        expect(self.row(name)).to_have_class(state)

    def wait_until_right(self) -> None:
        expect(self.save).to_have_attribute("aria-disabled", "false")

    def wait_for_receipt(self) -> None:
        expect(self.page.locator("dl")).to_be_visible()

    def said(self) -> list[str]:
        """What a screen reader was given to say, in order."""
        return self.page.locator("#said p").all_inner_texts()


class Customer:
    def __init__(self, served: Served, new_page: NewPage) -> None:
        self.served = served
        self._new_page = new_page

    def address(self, given: Given) -> str:
        return f"{self.served.url}/#{given.token}"

    def open(self, given: Given, *, wait: bool = True, **context: Any) -> Tab:
        """In a browser that nobody used before."""
        page = self._new_page(**{"locale": "en-GB", "timezone_id": "America/Costa_Rica"} | context)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=self.served.url)
        page.goto(self.address(given))
        if wait:
            expect(page.locator("#pasted")).to_be_visible()
        return Tab(page)

    def another_tab(self, tab: Tab, given: Given) -> Tab:
        page = tab.page.context.new_page()
        page.goto(self.address(given))
        expect(page.locator("#pasted")).to_be_visible()
        return Tab(page)
