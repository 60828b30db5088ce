"""A person at a real browser with the page, whose command is this process."""

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, expect

from myflux_keys.consumers import PASTED
from ops.errors import OperationError
from ops.handover_page.clipboard import Clipboard
from ops.handover_page.held import HeldKey
from ops.handover_page.server import Server
from ops.handover_page.visit import Shown, Test, Visit

expect.set_options(timeout=20_000)
CINNOX = PASTED["cinnox"]
NO_CLIPBOARD = "Object.defineProperty(Navigator.prototype, 'clipboard', { get: () => undefined })"
RESULT = [
    "Recorded and read back: CINNOX has version 4f0c1d2e of acme's key since 2026-11-30 10:20 UTC, as ana confirmed.",
    "The old key key_7Hq2 was last used 2026-11-30 10:15 UTC, and ends 2026-12-01 09:00 UTC.",
]


class Command:
    """One visit with its server. `answers` are what the person said; `refuses` fails the record."""

    def __init__(self, clipboard: Clipboard, name: str = "Acmé Travel", key: str = "") -> None:
        self.key = key or "sk-" + "svcacct-" + uuid.uuid4().hex * 3
        self.answers: list[Test] = []
        self.told: list[str] = []
        self.refuses = ""
        self.now = 1000.0
        shown = Shown("acme", name, "prod-eu1", CINNOX.name, CINNOX.steps)
        self.visit = Visit(
            shown, HeldKey(self.key), clipboard, saved=self._saved, told=self.told.append, now=lambda: self.now
        )
        self.server = Server(self.visit)
        self.link = self.server.link

    @property
    def last_four(self) -> str:
        return self.key[-4:]

    @property
    def origin(self) -> str:
        return f"http://{self.server.host}"

    def _saved(self, test: Test) -> Sequence[str]:
        if self.refuses:
            raise OperationError(self.refuses)
        self.answers.append(test)
        return RESULT

    def pass_time(self, seconds: float) -> None:
        """By the command's clock."""
        self.now += seconds
        self.visit.look()

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str | None) -> tuple[int, Any, bytes]:
        """One request of any program, with what a browser adds unless `headers` say otherwise. ``_`` stands for ``-``;
        None leaves a header out."""
        sent: dict[str, str | None] = {"Host": self.server.host}
        if method == "POST":
            sent |= {"Origin": self.origin, "Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(*self.server.host.split(":"), timeout=60)  # type: ignore[arg-type]
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            if method == "POST" and "Content_Length" not in headers:
                sent["Content-Length"] = str(len(body))
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(body or None)
            with connection.getresponse() as response:
                return response.status, response.headers, response.read()
        finally:
            connection.close()

    def post(self, path: str, tab: str = "", **fields: Any) -> tuple[int, dict[str, Any]]:
        status, _, body = self.ask("POST", path, json.dumps(fields).encode(), X_Tab=tab)
        return status, json.loads(body)


class Tab:
    """One tab with the page."""

    def __init__(self, page: Page, command: Command) -> None:
        self.page, self.command = page, command

    def open(self, *, ready: bool = True) -> Tab:
        self.page.goto(self.command.link)
        if ready:
            self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        expect(self.button("Copy the key")).to_be_visible()

    @property
    def title(self) -> Locator:
        return self.page.locator("h1")

    @property
    def note(self) -> Locator:
        return self.page.locator("#copy-note")

    @property
    def clipboard_note(self) -> Locator:
        return self.page.locator("#clipboard-note")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def copy(self) -> None:
        self.button("Copy the key").click()

    def clipboard(self) -> str:
        return self.page.evaluate("navigator.clipboard.readText()")

    def say_saved(self, answer: str = "Yes, it worked") -> None:
        self.button("Saved in CINNOX").click()
        self.button(answer).click()

    def said(self) -> list[str]:
        """What a screen reader was given to say, in order."""
        return self.page.locator("#said p").all_inner_texts()


def say_saved(page: Page) -> None:
    """On a page whose key was pasted: until the page says that it is recorded."""
    page.get_by_role("button", name="Saved in CINNOX").click()
    page.get_by_role("button", name="Yes, it worked").click()
    expect(page.locator("h1")).to_contain_text("Recorded")


def allow_clipboard(context: BrowserContext, command: Command) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=command.origin)


def refuse_clipboard(page: Page, name: str) -> None:
    """As a person does it in the browser's settings."""
    session = page.context.new_cdp_session(page)
    context = session.send("Target.getTargetInfo")["targetInfo"]["browserContextId"]
    session.send(
        "Browser.setPermission", {"permission": {"name": name}, "setting": "denied", "browserContextId": context}
    )
