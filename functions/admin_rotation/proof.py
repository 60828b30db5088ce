"""Whether OpenAI accepts an admin key and lets it change things, tested by two calls that change nothing.

The read test lists admin keys. The write test asks to delete an admin key that cannot exist: without
`api.management.write` OpenAI refuses the caller, with it OpenAI answers that there is no such key. OpenAI may refuse
a new key for some seconds, so a call that got a plain 401 is repeated for a while.
"""

from __future__ import annotations

from typing import Final

from functions.shared.admin_keys import PATH
from functions.shared.deadline import Deadline
from functions.shared.openai_admin import KEEP_SECONDS, AdminAPI
from functions.shared.openai_http import OpenAIError, OpenAIHTTP
from functions.shared.openai_http import path as fill
from myflux_keys.payload import SecretText

SCOPE: Final = "api.management.write"
NO_KEY: Final = "key_myflux_asks_whether_it_may_write"
"""OpenAI never makes this id: its ids are `key_` and random letters."""
PATIENCE_SECONDS: Final = 45.0
_PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0)


class NotProven(Exception):
    """`reason` is ``refused`` (unknown, expired, revoked or too new), ``scope`` (valid, but may not write),
    ``organization`` (of another one) or ``unclear`` (no answer about the key). Never holds the key."""

    def __init__(self, reason: str, error: OpenAIError) -> None:
        super().__init__(f"the admin key is not proven ({reason}): {error}")
        self.reason = reason


class CandidateKey:
    """An admin key that is not the cell's, or not yet."""

    def __init__(self, value: SecretText) -> None:
        self._value = value

    def get(self) -> SecretText:
        return self._value

    def after_refusal(self, _refused: SecretText, /) -> SecretText | None:
        """There is no other key."""
        return None

    def at(self, _secret_name: str, /) -> CandidateKey:
        """It is in no secret, and there is no other key."""
        return self


def prove(
    http: OpenAIHTTP, deadline: Deadline, value: SecretText, *, patience: float = PATIENCE_SECONDS, keep: float
) -> None:
    """Repeats until the key is accepted, for at most `patience` seconds; leaves `keep` seconds of the invocation.

    Raises NotProven.
    """
    api = AdminAPI(http, CandidateKey(value), deadline)
    end = deadline.now() + patience
    _settled(api, "GET", PATH, deadline, end, keep)
    _settled(api, "DELETE", PATH + fill("/{key}", key=NO_KEY), deadline, end, keep)


def _settled(api: AdminAPI, method: str, path: str, deadline: Deadline, end: float, keep: float) -> None:
    query = {"limit": "1"} if method == "GET" else None
    tries = 0
    while True:
        try:
            api.send(method, path, query=query, keep=max(keep, KEEP_SECONDS))
        except OpenAIError as error:
            reason = judge(error, writing=method != "GET")
            if reason is None:
                return
            pause = _PAUSES[min(tries, len(_PAUSES) - 1)]
            tries += 1
            if reason != "refused" or deadline.now() + pause > end or not deadline.pause(pause, keep=keep):
                raise NotProven(reason, error) from None
        else:
            return


def judge(error: OpenAIError, *, writing: bool) -> str | None:
    """None if the answer shows that the key may; otherwise one of NotProven's reasons."""
    if not error.explained:
        return "unclear"
    if error.code == "mismatched_organization":
        return "organization"
    if error.status in (401, 403) and (error.code == "missing_scope" or "missing scopes" in error.message.lower()):
        return "scope"
    if error.status in (401, 403):
        return "refused" if error.status == 401 else "scope"
    # OpenAI checked its permissions before it looked for the key.
    return None if writing and error.status == 404 else "unclear"
