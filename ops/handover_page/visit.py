"""One visit: what the page may ask, in which order, and when the visit ends. No HTTP, no clock of its own.

A token opens the page once. The page that holds the visit names itself by a secret of its own, which only its script
knows: a second tab, a restored one and a copy of the link get nothing. A page that is left may come back for a moment,
as after a reload, by another token that its tab keeps; then the visit ends.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from ops.errors import OperationError
from ops.handover_page.clipboard import Clipboard, Outcome
from ops.handover_page.held import HeldKey

SECONDS: Final = 600.0
"""A visit is no longer than this."""
CLIPBOARD_SECONDS: Final = 60
RETURN_SECONDS: Final = 20.0
"""For a page that was left, by a reload or by closing it: nobody can tell which before it is back."""
_TRIES: Final = 3
"""Of a page that is reloaded: it may ask before this end has heard that it was left. A second tab goes on asking."""
_LATE_SECONDS: Final = 15.0
"""Longer than CLIPBOARD_SECONDS: the page asks first, and shows what became of it."""

End = Literal["saved", "later", "closed", "too_long", "stopped"]
Test = Literal["worked", "not_tried"]
"""Of the consumer's own test call, as the person says. One that failed ends nothing."""


@dataclass(frozen=True)
class Shown:
    """What the page says. `steps` are the consumer's clicks, of which the last one saves."""

    tenant: str
    name: str
    cell: str
    consumer: str
    steps: Sequence[str]


class Refused(Exception):
    """`error` is a word that the page knows; `text` a sentence for it to show, in some cases."""

    def __init__(self, error: str, text: str = "") -> None:
        super().__init__(error)
        self.error, self.text = error, text


class Visit:
    """Safe for threads: every call holds the lock, so a double click confirms once."""

    def __init__(
        self,
        shown: Shown,
        key: HeldKey,
        clipboard: Clipboard,
        *,
        saved: Callable[[Test], Sequence[str]],
        told: Callable[[str], None],
        now: Callable[[], float],
    ) -> None:
        """`saved` does what a confirmation means, and returns what holds now in sentences; raises OperationError.
        `told` tells the person at the terminal. `now` in seconds, of any beginning."""
        self._shown, self._key, self._clipboard = shown, key, clipboard
        self._saved, self._told, self._now = saved, told, now
        self._lock = threading.Lock()
        self._token, self._used = secrets.token_hex(32), set[str]()
        self._tab, self._refused = "", 0
        self._ends = now() + SECONDS
        self._left_at: float | None = None
        self._copied_at: float | None = None
        self._result: list[str] | None = None
        self.end: End | None = None
        self.clipboard_outcome: Outcome | None = None

    @property
    def token(self) -> str:
        """Opens the page, once."""
        return self._token

    def open(self, token: str) -> dict[str, Any]:
        """Raises Refused."""
        with self._lock:
            self._check_open()
            if any(secrets.compare_digest(token, one) for one in self._used):
                self._told("A second page asked for the key with a link that was used. It got nothing.")
                raise Refused("used")
            if not secrets.compare_digest(token, self._token):
                raise Refused("no_link")
            if self._tab:
                self._refused += 1
                if self._refused == _TRIES:
                    self._told("A second tab asked for the key while the first one is open. It got nothing.")
                raise Refused("open_elsewhere")
            self._used.add(token)
            self._refused = 0
            self._tab, self._token, self._left_at = secrets.token_hex(32), secrets.token_hex(32), None
            return {
                "tab": self._tab,
                "again": self._token,
                "tenant": self._shown.tenant,
                "name": self._shown.name,
                "cell": self._shown.cell,
                "consumer": self._shown.consumer,
                "steps": list(self._shown.steps),
                "last_four": self._key.last_four,
                "seconds_left": int(self._ends - self._now()),
                "clipboard_seconds": CLIPBOARD_SECONDS,
            }

    def key(self, tab: str) -> dict[str, Any]:
        """The one answer with the key. Raises Refused."""
        with self._lock:
            self._check_tab(tab)
            return {"key": self._key.reveal()}

    def copied(self, tab: str) -> dict[str, Any]:
        """The page has copied. `proven` None: the command could not look. Raises Refused."""
        with self._lock:
            self._check_tab(tab)
            self._copied_at, self.clipboard_outcome = self._now(), None
            return {"proven": self._clipboard.holds(self._key)}

    def clear(self, tab: str) -> dict[str, Any]:
        """Raises Refused."""
        with self._lock:
            self._check_tab(tab)
            return {"clipboard": self._clear()}

    def cleared(self, tab: str) -> dict[str, Any]:
        """The page has emptied the clipboard by itself. Raises Refused."""
        with self._lock:
            self._check_tab(tab)
            self._copied_at, self.clipboard_outcome = None, "cleared"
            return {}

    def saved(self, tab: str, test: Test) -> dict[str, Any]:
        """The person says that the consumer has the key. Asked twice, it is done once. Raises Refused."""
        with self._lock:
            if self._result is None:
                self._check_tab(tab)
                try:
                    self._result = list(self._saved(test))
                except OperationError as error:
                    raise Refused("not_recorded", str(error)) from None
                self._finish("saved")
            elif not secrets.compare_digest(tab, self._tab):
                raise Refused("other_tab")
            return {"result": self._result}

    def later(self, tab: str) -> dict[str, Any]:
        """Raises Refused."""
        with self._lock:
            self._check_tab(tab)
            self._finish("later")
            return {}

    def left(self, tab: str) -> dict[str, Any]:
        """The page is gone, for good or for a moment. Raises Refused."""
        with self._lock:
            self._check_tab(tab)
            self._tab, self._left_at = "", self._now()
            return {}

    def wait_seconds(self) -> float:
        """Until `look` may have something to do."""
        with self._lock:
            moments = [self._ends]
            if self._left_at is not None:
                moments.append(self._left_at + RETURN_SECONDS)
            if self._copied_at is not None:
                moments.append(self._copied_at + CLIPBOARD_SECONDS + _LATE_SECONDS)
            return max(0.0, min(moments) - self._now())

    def look(self) -> None:
        """Ends what is over by now."""
        with self._lock:
            now = self._now()
            if self._copied_at is not None and now >= self._copied_at + CLIPBOARD_SECONDS + _LATE_SECONDS:
                self._clear()
            if self._left_at is not None and now >= self._left_at + RETURN_SECONDS:
                self._finish("closed")
            elif now >= self._ends:
                self._finish("too_long")

    def stop(self) -> None:
        """By the person at the terminal, or because of an error."""
        with self._lock:
            self._finish("stopped")

    def _finish(self, end: End) -> None:
        """The first end counts. Nobody clears the clipboard later, so it is done now."""
        if self.end is not None:
            return
        self.end = end
        if self._copied_at is not None:
            self._clear()
        self._key.drop()

    def _clear(self) -> Outcome:
        outcome = self._clipboard.clear(self._key)
        if self.clipboard_outcome != "cleared" or outcome == "cleared":
            self.clipboard_outcome = outcome
        self._copied_at = None
        return outcome

    def _check_open(self) -> None:
        if self.end is not None:
            raise Refused("over")

    def _check_tab(self, tab: str) -> None:
        self._check_open()
        if not self._tab or not secrets.compare_digest(tab, self._tab):
            raise Refused("other_tab")
