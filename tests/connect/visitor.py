"""Customers at the deployed page, by HTTP: one of them, and as many at once as a test asks for."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from local.cell import LocalCell
from ops.actions.connect_links import Made

NO_ANSWER: Final = 0
BUSY: Final = frozenset({429, 502, 503, 504, NO_ANSWER})
"""Lambda's own answers where no execution is free or one was ended, the page's where AWS gives it none, and a lost
connection. For all of them the page's script says "trying again"."""


class Browser:
    """Requests to the page's URL, by its host. `traffic` is all of both ways but the bodies that it sends."""

    def __init__(self, cell: LocalCell, url: str) -> None:
        self._aws = urlsplit(cell.aws_url)
        self._host = urlsplit(url).netloc
        self.cookie = ""
        self.traffic: list[str] = []

    def ask(self, method: str, path: str, fields: dict[str, Any] | None = None) -> tuple[int, str]:
        """Status and text. Raises OSError and HTTPException where the connection is lost."""
        headers = {"Host": self._host, "Origin": f"https://{self._host}", "Sec-Fetch-Site": "same-origin"}
        headers |= {"Content-Type": "application/json"} if fields is not None else {}
        headers |= {"Cookie": self.cookie} if self.cookie else {}
        connection = http.client.HTTPConnection(self._aws.hostname or "", self._aws.port, timeout=120)
        try:
            connection.request(method, path, json.dumps(fields) if fields is not None else None, headers)
            answer = connection.getresponse()
            self.cookie = (answer.getheader("Set-Cookie") or self.cookie).partition(";")[0]
            text = answer.read().decode(errors="replace")
            self.traffic.append(f"{method} {path} {headers}\n{answer.status} {answer.getheaders()}\n{text}")
            return answer.status, text
        finally:
            connection.close()

    def post(self, path: str, **fields: Any) -> dict[str, Any]:
        status, text = self.ask("POST", path, fields)
        assert status == 200, text
        return json.loads(text)


@dataclass
class Customer:
    """One with a link and a key, who tries again where the page is busy, as the page's script does."""

    made: Made
    key: str = field(repr=False)
    saved: bool = False
    seconds: float = 0.0
    answers: Counter[int] = field(default_factory=Counter[int])
    traffic: list[str] = field(default_factory=list[str], repr=False)

    def hand_in(self, cell: LocalCell, pauses: Sequence[float] = ()) -> None:
        """Tries a request once more after each of `pauses` (seconds), and then gives up. Raises AssertionError for
        whatever is neither done nor busy."""
        browser, began, link = Browser(cell, self.made.url), time.monotonic(), self.made.link.id
        steps: list[tuple[str, str, dict[str, Any] | None]] = [
            ("GET", "/", None),
            ("POST", "/session", {"token": self.made.url.partition("#")[2]}),
            ("POST", "/check", {"link": link, "key": self.key}),
            ("POST", "/save", {"link": link, "key": self.key}),
        ]
        done = all(self._done(browser, step, pauses) for step in steps)
        self.saved, self.seconds = done, time.monotonic() - began
        self.traffic += browser.traffic

    def _done(self, browser: Browser, step: tuple[str, str, dict[str, Any] | None], pauses: Sequence[float]) -> bool:
        for pause in (*pauses, None):
            try:
                status, text = browser.ask(*step)
            except (OSError, http.client.HTTPException) as error:
                status, text = NO_ANSWER, repr(error)
            self.answers[status] += 1
            if status == 200:
                return step[1] != "/check" or bool(json.loads(text)["passed"])
            # Their own check still runs, whose answer was lost.
            again = status in BUSY or (status == 409 and json.loads(text)["error"] == "busy")
            assert again, f"{step[0]} {step[1]}: {status} {text[:500]}"
            if pause is not None:
                # As the page's script does, so that those who wait do not come back together.
                time.sleep(pause * random.uniform(0.75, 1.25))
        return False


def at_once(cell: LocalCell, customers: Sequence[Customer], pauses: Sequence[float], *, most: int = 1000) -> None:
    """All of them begin together, or `most` of them at a time."""
    with ThreadPoolExecutor(min(most, len(customers) or 1)) as crowd:
        for one in [crowd.submit(each.hand_in, cell, pauses) for each in customers]:
            one.result()
