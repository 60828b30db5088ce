"""A client for the emulator's control endpoints: a person's actions on OpenAI's site, faults, settings, recorded calls.

Owns typed access to `/_emulator`. Leaves out OpenAI's API: OpenAI's SDK is the client for it. Uses only the standard
library. Thread-safe: every call opens its own connection.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

TIMEOUT_SECONDS = 30


class ControlError(Exception):
    """The emulator refused a control call, or did not answer. The message never contains a key or the token."""


@dataclass(frozen=True)
class MintedKey:
    """A key's value and owner. `kind` is admin, service_account, user or access_token; times are the cell's."""

    id: str
    kind: str
    value: str
    name: str
    project_id: str | None
    service_account_id: str | None
    created_at: int

    def __repr__(self) -> str:
        return f"MintedKey(id={self.id!r}, kind={self.kind!r}, name={self.name!r}, project_id={self.project_id!r})"


@dataclass(frozen=True)
class LiveKey:
    """A project key that is neither deleted nor expired. Times are seconds since the epoch by the cell's clock."""

    id: str
    name: str
    project_id: str
    service_account_id: str | None
    scopes: list[str]
    created_at: int
    expires_at: int | None
    last_used_at: int | None


@dataclass(frozen=True)
class RecordedCall:
    """One request under `/v1`. `at` is the machine's time; `endpoint` is method and path template, None for unknown
    URLs; `status` is None if no response was sent; `applied` is whether a call with an injected fault took effect."""

    at: float
    method: str
    path: str
    endpoint: str | None
    status: int | None
    fault: str | None
    applied: bool


@dataclass(frozen=True)
class ProjectState:
    """A project's state. `service_accounts` maps id to role."""

    id: str
    name: str
    archived: bool
    service_accounts: dict[str, str]
    live_keys: list[LiveKey]
    spent_usd: float


class EmulatorControl:
    """`url` is the server's root or its `/v1`; `token` is the text of `<home>/openai-token`."""

    def __init__(self, url: str, token: str) -> None:
        self._root = url.rstrip("/").removesuffix("/v1") + "/_emulator"
        self._token = token
        # The environment's proxies must not receive the token.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __repr__(self) -> str:
        return f"EmulatorControl({self._root!r})"

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - http on loopback is what the emulator speaks
            self._root + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Emulator-Token": self._token, "Content-Type": "application/json"},
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                return json.load(response)
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise ControlError(f"{method} {path}: {refusal.code} {_message(refusal.read())}") from None
        except (urllib.error.URLError, OSError) as failure:
            raise ControlError(f"{method} {path}: no emulator answers at {self._root} ({failure})") from None

    def healthy(self) -> bool:
        try:
            return self._send("GET", "/health") == {"status": "ok"}
        except ControlError:
            return False

    def open_customer(self, organization_id: str) -> str:
        """Opens the OpenAI account of a customer, unless it is open; returns the id of its default project."""
        return self._send("POST", "/customers", {"organization_id": organization_id})["project_id"]

    def create_admin_key(
        self,
        name: str = "admin",
        *,
        scopes: Sequence[str] | None = None,
        expires_in_seconds: int | None = None,
        organization_id: str | None = None,
    ) -> str:
        """Makes an admin key as an owner does on OpenAI's site, and returns its value. No scopes: all permissions.
        `organization_id` is an open customer's; None: the cell's own organization."""
        fields = {"name": name, "scopes": list(scopes or []), "expires_in_seconds": expires_in_seconds}
        return self._send("POST", "/admin-keys", fields | {"organization_id": organization_id})["value"]

    def create_user_key(
        self,
        project_id: str,
        name: str = "my key",
        *,
        scopes: Sequence[str] | None = None,
        expires_in_seconds: int | None = None,
    ) -> str:
        """Makes a project key owned by a person, as people do on OpenAI's site, and returns its value."""
        fields = {"project_id": project_id, "name": name, "scopes": list(scopes or [])}
        return self._send("POST", "/user-keys", fields | {"expires_in_seconds": expires_in_seconds})["value"]

    def minted(self) -> list[MintedKey]:
        """Every key value that this server process has made, also those of invalid keys, for a leak search."""
        return [MintedKey(**entry) for entry in self._send("GET", "/minted")]

    def live_keys(self, project_id: str | None = None, *, organization_id: str | None = None) -> list[LiveKey]:
        """Project keys that are not deleted, expired or in an archived project."""
        return [key for project in self.projects(organization_id, project_id) for key in project.live_keys]

    def projects(self, organization_id: str | None = None, project_id: str | None = None) -> list[ProjectState]:
        """Every project of one organization, also archived ones, oldest first, or the one with that id. No
        `organization_id`: the cell's own organization."""
        return [
            ProjectState(
                id=entry["id"],
                name=entry["name"],
                archived=entry["archived"],
                service_accounts={account["id"]: account["role"] for account in entry["service_accounts"]},
                live_keys=[LiveKey(**key) for key in entry["live_keys"]],
                spent_usd=entry["spent_usd"],
            )
            for entry in self.state(organization_id, project_id)["projects"]
        ]

    def now(self) -> float:
        """Seconds since the epoch by the cell's clock."""
        return self._send("GET", "/now")

    def state(self, organization_id: str | None = None, project_id: str | None = None) -> dict[str, Any]:
        """The summary as JSON fields: now, machine_now, admin_keys, projects (the one with `project_id`, if given),
        alerts_sent."""
        one = "" if project_id is None else f"&project_id={quote(project_id)}"
        return self._send("GET", f"/state?organization_id={quote(organization_id or '')}{one}")

    def alerts_sent(self) -> list[dict[str, Any]]:
        """Spend alerts that were sent: alert_id, project_id, threshold_amount (cents), recipients, at."""
        return self.state()["alerts_sent"]

    def calls(self, since: float = 0) -> list[RecordedCall]:
        """Requests under `/v1` that arrived at or after `since` (seconds since the epoch, the machine's clock)."""
        return [RecordedCall(**entry) for entry in self._send("GET", f"/calls?since={since!r}")]

    def clear_calls(self) -> None:
        self._send("DELETE", "/calls")

    def fault(
        self,
        name: str,
        *,
        method: str | None = None,
        path: str | None = None,
        count: int | None = 1,
        seconds: float | None = None,
        after: bool = False,
        organization_id: str | None = None,
        project_id: str | None = None,
    ) -> None:
        """Injects a fault into the next `count` matching calls (None: until cleared).

        `path` is a regular expression searched in the request's path, `/v1/…`. Names: 429, 500, slow, timeout (`after`:
        the call is applied first), dropped, dropped_after_apply, truncated, propagation_delay (matches the call that
        makes a key), old_delete_rule (matches the DELETE), not_done (matches the DELETE of a key or of a federation
        rule, or the POST that archives a project), dies_late (matches the DELETE of a key); and refusals, of one
        organization or project if it is given: balance_gone, project_limit, quota_unnamed, tier_refused (match model
        calls), country_refused, address_refused.
        """
        fields = {"name": name, "method": method, "path": path, "count": count, "seconds": seconds, "after": after}
        self._send("POST", "/faults", fields | {"organization_id": organization_id, "project_id": project_id})

    def faults(self) -> list[dict[str, Any]]:
        """Faults that have not been used up."""
        return self._send("GET", "/faults")

    def clear_faults(self) -> None:
        self._send("DELETE", "/faults")

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Changes the given settings, if any, and returns all settings."""
        return self._send("PUT", "/settings", changes) if changes else self._send("GET", "/settings")

    def reset(self) -> None:
        """Deletes projects, keys, faults, settings and calls, but not the values that `minted()` returns."""
        self._send("POST", "/reset", {})


def _message(body: bytes) -> str:
    try:
        error: Any = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return "without a reason"
    return str(error["message"] if isinstance(error, dict) else error)
