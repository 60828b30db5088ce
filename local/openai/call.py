"""One request to the emulator, and its response.

Owns the two records that routes use, the search for a route, and `Emulator`, the process's state. Leaves out HTTP
(`gateway.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from starlette.datastructures import QueryParams
from starlette.routing import compile_path

from local.openai import access, errors, keys
from local.openai.faults import REFUSALS, Faults
from local.openai.federation.key_sources import KeySources
from local.openai.fields import Body, Query
from local.openai.pacing import AdminPace, ModelPace
from local.openai.prompt_cache import PromptCache
from local.openai.state import AdminKey, ApiKey, MintLedger, Organization, Project


class Emulator:
    """The process's state. `reset` deletes everything except the ledger: a leak search needs old keys too.

    `organization` is the cell's own. `customers` are those of customers with an account of their own, by id: as at
    OpenAI, one address serves all of them, and a call's key says whose it is.
    """

    def __init__(self, home: Path | None = None) -> None:
        """`home` is the cell's folder, where it says at which address an issuer of tokens answers."""
        self._home = home
        self.ledger: Final = MintLedger()
        self.reset()

    def reset(self) -> None:
        self.organization = Organization()
        self.customers: dict[str, Organization] = {}
        self.faults = Faults()
        self.admin_pace = AdminPace()
        self.model_pace = ModelPace()
        self.prompts = PromptCache()
        self.key_sources = KeySources(self._home)

    @property
    def organizations(self) -> list[Organization]:
        return [self.organization, *self.customers.values()]

    def organization_of(self, headers: Mapping[str, str]) -> Organization:
        """The organization of the call's key; the cell's own for a key that nobody has, which it then refuses."""
        digest = keys.digest(headers.get("authorization", "").rpartition(" ")[2])
        return next((one for one in self.organizations if digest in one.keys_by_digest), self.organization)


@dataclass
class Answer:
    """A body, the content of a file, or events to stream as server-sent events."""

    content: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    events: Iterator[bytes] | None = None
    file: bytes | None = None

    @property
    def type(self) -> str:
        return "application/json" if self.file is None else "application/octet-stream"

    def body(self) -> bytes:
        if self.file is not None:
            return self.file
        return json.dumps(self.content, separators=(",", ":")).encode()


@dataclass
class Call:
    """`now` is the cell's time when the request arrived; it stays the same during the request, as `organization` does,
    though the call may delete its own key. `batch`: it is one request of a batch."""

    emulator: Emulator
    method: str
    path: str
    parameters: dict[str, str]
    params: QueryParams
    raw: bytes
    headers: Mapping[str, str]
    now: float
    endpoint: str = ""
    admin_key: AdminKey | None = None
    api_key: ApiKey | None = None
    batch: bool = False
    prepared: Any = None
    """What the route's `prepare` found."""
    organization: Organization = field(init=False)

    def __post_init__(self) -> None:
        self.organization = self.emulator.organization_of(self.headers)

    @property
    def at(self) -> int:
        return int(self.now)

    def body(self) -> Body:
        return Body.parse(self.raw)

    def query(self) -> Query:
        return Query(self.params)

    def refuse_by_fault(self, *names: str) -> None:
        """Raises the error of an injected refusal of one of these names that matches this call."""
        project = self.api_key.project_id if self.api_key else None
        ids = {"organization_id": self.organization.settings.organization_id, "project_id": project}
        fault = self.emulator.faults.take(self.method, self.path, *names, **ids)
        if fault is not None:
            raise _REFUSAL[fault.name]()

    def any_project(self) -> Project:
        project = self.organization.projects.get(self.parameters["project_id"])
        if project is None:
            raise errors.not_found("Project", self.parameters["project_id"])
        return project

    def project(self) -> Project:
        """The project in the path. It must not be archived: that is final, and everything in the project is invalid."""
        project = self.any_project()
        if project.archived_at is not None:
            raise errors.archived(project.id)
        return project


_REFUSAL: Final[dict[str, Callable[[], errors.ApiError]]] = {
    "country_refused": errors.country_refused,
    "address_refused": errors.address_refused,
    "tier_refused": errors.tier_refused,
    "balance_gone": lambda: errors.spent("credit_balance_exhausted"),
    "project_limit": lambda: errors.spent("project_spend_limit_exceeded"),
    "quota_unnamed": lambda: errors.spent("insufficient_quota"),
}
assert _REFUSAL.keys() == set(REFUSALS)

Handler = Callable[[Call], "Answer | dict[str, Any]"]
Prepare = Callable[[Call], None]


_OF_ORIGIN: Final = ("country_refused", "address_refused")


@dataclass(frozen=True)
class Route:
    method: str
    template: str
    pattern: re.Pattern[str]
    handler: Handler
    scopes: tuple[str, ...]
    admin: bool
    open: bool = False
    """Whether the call needs no key."""
    prepare: Prepare | None = None
    """Run in a thread before the call is applied: whatever must wait for another server."""

    def run(self, call: Call) -> Answer:
        """Checks the key, then the rate limit, then the request, in OpenAI's order."""
        emulator = call.emulator
        if self.open:
            return _answer(self.handler(call))
        if self.admin:
            call.admin_key = access.admin(call.organization, call.headers, self.scopes[0], call.now)
            call.refuse_by_fault(*_OF_ORIGIN)
            settings = call.organization.settings
            endpoint = f"{settings.organization_id} {self.method} {self.template}"
            emulator.admin_pace.spend(endpoint, settings.admin_requests_per_minute, call.now)
        else:
            call.api_key = access.project_key(call.organization, call.headers, self.scopes, call.now)
            call.refuse_by_fault(*_OF_ORIGIN)
        return _answer(self.handler(call))


def _answer(found: Answer | dict[str, Any]) -> Answer:
    return found if isinstance(found, Answer) else Answer(found)


def admin_route(method: str, template: str, handler: Handler, scope: str | None = None) -> Route:
    """A route under /v1/organization. A read needs the read scope, everything else the write scope."""
    needed = scope or (access.MANAGEMENT_READ if method == "GET" else access.MANAGEMENT_WRITE)
    template = f"/v1/organization{template}"
    return Route(method, template, compile_path(template)[0], handler, (needed,), admin=True)


def model_route(method: str, template: str, handler: Handler, *scopes: str) -> Route:
    template = f"/v1{template}"
    return Route(method, template, compile_path(template)[0], handler, scopes, admin=False)


def open_route(method: str, path: str, handler: Handler, *, prepare: Prepare) -> Route:
    """A route outside /v1 that is called without a key."""
    return Route(method, path, compile_path(path)[0], handler, (), admin=False, open=True, prepare=prepare)


def find(routes: list[Route], method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route and the path's parameters. Raises OpenAI's error for an unknown URL or a wrong method."""
    known = False
    for route in routes:
        match = route.pattern.match(path)
        if match is None:
            continue
        if route.method == method:
            return route, match.groupdict()
        known = True
    raise errors.method_not_allowed(method, path) if known else errors.invalid_url(method, path)
