"""OpenAI's Admin API as the functions use it: paced calls, pages, and the keys of one project.

Owns how often and how long an admin call is tried, and listing, expiring and deleting keys. Leaves out creating
projects (`provisioner/project.py`) and minting (`rotation/mint.py`), so that the provisioner's zip holds no code that
mints.

The Admin API allows about 7 to 10 requests a minute and endpoint, without rate-limit headers, and recovers after about
a minute; 429 is a normal answer. Waits stay within the invocation's time and leave time for cleaning up.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from functions.shared import log
from functions.shared.deadline import Deadline
from functions.shared.openai_http import MAX_BODY_BYTES, READ_SECONDS, OpenAIError, OpenAIHTTP, path
from myflux_keys.payload import SecretText

KEEP_SECONDS: Final = 20.0
"""Seconds that a wait must leave: enough to undo what the invocation created."""
_BUSY_PAUSES: Final = (5.0, 10.0, 20.0, 30.0)
"""After a 429 without headers; the last one repeats. Together they outlast the minute that the limit needs."""
_FAULT_PAUSES: Final = (1.0, 3.0)
"""After a 5xx or a lost answer, for requests that may be repeated; then the error is raised."""
_PAGE: Final = "100"
STILL_THERE: Final = "OpenAI answered that the key was deleted, but it still exists"


class KeySource(Protocol):
    """Where an admin key comes from: `functions.shared.admin_key.AdminKey` for the cell's, or another."""

    def get(self) -> SecretText: ...
    def after_refusal(self, refused: SecretText, /) -> SecretText | None: ...
    def at(self, secret_name: str, /) -> KeySource: ...


class AdminAPI:
    """Admin calls, by default with the cell's admin key."""

    def __init__(self, http: OpenAIHTTP, admin_key: KeySource, deadline: Deadline) -> None:
        self.http = http
        self._admin_key = admin_key
        self._deadline = deadline

    def at(self, secret_name: str | None) -> AdminAPI:
        """The same API with the admin key in another secret; the same object for None."""
        return self if secret_name is None else AdminAPI(self.http, self._admin_key.at(secret_name), self._deadline)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | list[str]] | None = None,
        body: Mapping[str, Any] | None = None,
        repeatable: bool = True,
        seconds: float = READ_SECONDS,
        keep: float = KEEP_SECONDS,
        largest: int = MAX_BODY_BYTES,
    ) -> dict[str, Any]:
        """Sends a request, with retries. `keep`: seconds of the invocation that waiting must leave. `repeatable=False`
        is for requests that create something each time: they are repeated only if OpenAI certainly refused them (429,
        or 401 for a replaced admin key). Raises OpenAIError."""
        key = self._admin_key.get()
        busy, faults, replaced = 0, 0, False
        while True:
            try:
                return self.http.send(method, path, key, query=query, body=body, seconds=seconds, largest=largest)
            except OpenAIError as error:
                if error.status == 401 and not replaced:
                    replaced = True
                    newer = self._admin_key.after_refusal(key)
                    if newer is None:
                        raise
                    key = newer
                elif error.status == 429:
                    pause = error.retry_after or _BUSY_PAUSES[min(busy, len(_BUSY_PAUSES) - 1)]
                    busy += 1
                    if not self._deadline.pause(pause, keep=keep):
                        raise
                elif repeatable and faults < len(_FAULT_PAUSES) and (error.status is None or error.status >= 500):
                    faults += 1
                    if not self._deadline.pause(_FAULT_PAUSES[faults - 1], keep=keep):
                        raise
                else:
                    raise

    def pages(
        self, path: str, query: Mapping[str, str] | None = None, *, between: Callable[[int], None] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Every object of a list, page by page. Raises OpenAIError, also for an invalid list.

        `between` is called before each further page, with the number of pages so far; it may wait.
        """
        after: str | None = None
        for number in itertools.count():
            if number and between is not None:
                between(number)
            parameters = {**(query or {}), "limit": _PAGE} | ({"after": after} if after else {})
            answer = self.send("GET", path, query=parameters)
            data: Any = answer.get("data")
            if not isinstance(data, list):
                raise OpenAIError(f"GET {path}", "the list has no `data`", maybe_applied=False, status=200)
            items = cast("list[dict[str, Any]]", data)
            yield from items
            if not answer.get("has_more"):
                return
            last: Any = answer.get("last_id") or (items[-1].get("id") if items else None)
            if not isinstance(last, str) or last == after:
                raise OpenAIError(f"GET {path}", "the list repeats a page", maybe_applied=False, status=200)
            after = last


@dataclass(frozen=True)
class Key:
    """A key as OpenAI lists it, without its value. Times are Unix seconds by OpenAI's clock.

    `service_account` is the owner's name, if that is a service account.
    """

    id: str
    name: str
    created_at: int
    expires_at: int | None
    service_account_id: str | None
    last_used_at: int | None = None
    redacted_value: str = ""
    service_account: str = ""


class ProjectKeys:
    """The keys of one OpenAI project."""

    def __init__(self, api: AdminAPI, project_id: str) -> None:
        self._api = api
        self._path = path("/organization/projects/{project}/api_keys", project=project_id)

    def of_service_account(self, service_account_id: str) -> list[Key]:
        """`owner_project_access=any`: without it the endpoint may leave out keys that are enabled."""
        return [key for key in self.all() if key.service_account_id == service_account_id]

    def all(self) -> list[Key]:
        """Every key of the project, whoever owns it. An archived project has no valid keys."""
        try:
            return [_key(item) for item in self._api.pages(self._path, {"owner_project_access": "any"})]
        except OpenAIError as error:
            if error.code == "project_archived":
                return []
            raise

    def expire(self, key_id: str, seconds: int) -> int | None:
        """Sets the key's expiry to `seconds` from this request; returns it in Unix seconds.

        None if the key does not exist or has expired already, when it cannot be updated.
        """
        try:
            answer = self._api.send("POST", self._one(key_id), body={"expires_in_seconds": seconds})
        except OpenAIError as error:
            if error.status == 404 or (error.status == 400 and "expired" in f"{error.code} {error.message}".lower()):
                return None
            raise
        expires_at: Any = answer.get("expires_at")
        if not isinstance(expires_at, int):
            raise OpenAIError(f"POST {self._one(key_id)}", "the answer has no expiry", maybe_applied=True, status=200)
        return expires_at

    def retire(self, key_id: str) -> str:
        """Revokes a key now: ``deleted``, ``gone`` (did not exist) or ``expired`` (invalid within a second).

        This is OpenAI's answer, not verified: read the key back before you report it (`end`, or a list).
        Service accounts' keys can be deleted since September 2026; if OpenAI still refuses, the key's expiry is set to
        the minimum instead. Raises OpenAIError if neither works and the key stays valid.
        """
        try:
            self._api.send("DELETE", self._one(key_id))
        except OpenAIError as error:
            if error.status == 404:
                return "gone"
            if error.status not in (400, 403, 405, 409, 422):
                raise
            log.line("key.delete_refused", level=logging.WARNING, key_id=key_id, error=str(error))
        else:
            return "deleted"
        self.expire(key_id, 1)
        return "expired"

    def end(self, key_id: str) -> str:
        """`retire`, then reads the key back. Raises OpenAIError also if the key still exists."""
        how = self.retire(key_id)
        if how != "expired" and self.is_there(key_id):
            raise OpenAIError(f"DELETE {self._one(key_id)}", STILL_THERE, maybe_applied=True, status=200)
        return how

    def is_there(self, key_id: str) -> bool:
        """Raises OpenAIError."""
        try:
            self._api.send("GET", self._one(key_id))
        except OpenAIError as error:
            if error.status == 404:
                return False
            raise
        return True

    def _one(self, key_id: str) -> str:
        return self._path + path("/{key}", key=key_id)


def _key(item: Mapping[str, Any]) -> Key:
    owner: Any = item.get("owner") or {}
    account: Any = owner.get("service_account") or {}
    expires_at: Any = item.get("expires_at")
    last_used_at: Any = item.get("last_used_at")
    return Key(
        id=str(item["id"]),
        name=str(item.get("name") or ""),
        created_at=int(item["created_at"]),
        expires_at=int(expires_at) if expires_at is not None else None,
        service_account_id=account.get("id"),
        last_used_at=int(last_used_at) if last_used_at is not None else None,
        redacted_value=str(item.get("redacted_value") or ""),
        service_account=str(account.get("name") or ""),
    )
