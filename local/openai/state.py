"""The state of an emulated organization.

Owns the records, and the queries that more than one route needs. Leaves out HTTP, permissions and key values: the state
has a key's digest. Only `MintLedger` has the values, and only the control endpoint reads them. One event loop uses the
state and does not await during a use, so there are no locks.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Literal

from local import clock
from local.openai import keys
from local.openai.federation.records import IdentityProvider
from local.openai.settings import Settings

MOST_RESPONSES: Final = 10_000


@dataclass
class ServiceAccount:
    id: str
    name: str
    created_at: int
    role: Literal["owner", "member", "none"]
    created_without_role: bool
    """True: not a member of the project by default, so lists without `owner_project_access` do not contain its keys."""


@dataclass
class User:
    """A person, who can own project keys that were made on OpenAI's site."""

    id: str
    name: str
    email: str
    created_at: int


@dataclass
class ApiKey:
    """A project's key. Times are seconds since the epoch. Empty `scopes`: all permissions of the owner."""

    id: str
    name: str
    project_id: str
    owner: ServiceAccount | User
    digest: str
    redacted_value: str
    created_at: int
    scopes: list[str]
    expires_at: int | None
    accepted_from: float
    last_used_at: int | None = None

    def expired(self, now: float) -> bool:
        return self.expires_at is not None and now >= self.expires_at


@dataclass
class AccessToken(ApiKey):
    """A service account's token of an hour at most, from an exchange. It is on no list of keys. `rule_id` is the
    federation rule's."""

    rule_id: str = ""


@dataclass
class AdminKey:
    id: str
    name: str
    digest: str
    redacted_value: str
    created_at: int
    scopes: list[str]
    expires_at: int | None
    last_used_at: int | None = None

    def expired(self, now: float) -> bool:
        return self.expires_at is not None and now >= self.expires_at


@dataclass
class SpendAlert:
    id: str
    threshold_amount: int
    recipients: list[str]
    subject_prefix: str | None
    sent_in: set[str] = field(default_factory=set)
    """Months (YYYY-MM) in which the alert was sent: it is sent at most once a month."""


@dataclass
class Project:
    id: str
    name: str
    created_at: int
    residency: str | None = None
    external_key_id: str | None = None
    archived_at: int | None = None
    service_accounts: dict[str, ServiceAccount] = field(default_factory=dict)
    keys: dict[str, ApiKey] = field(default_factory=dict)
    rate_limits: dict[str, dict[str, int]] = field(default_factory=dict)
    """By model, only the changed limits; for others the organization's limit applies."""
    model_permissions: tuple[Literal["allow_list", "deny_list"], list[str]] | None = None
    spend_limit_cents: int | None = None
    spend_limit_before: tuple[int, float] | None = None
    """After a raise: the lower limit, and until when it is still applied."""
    spend_alerts: dict[str, SpendAlert] = field(default_factory=dict)

    def applied_spend_limit(self, now: float) -> int | None:
        """In cents. A raised limit takes time until it is applied everywhere."""
        if self.spend_limit_before is not None and now < self.spend_limit_before[1]:
            return self.spend_limit_before[0]
        return self.spend_limit_cents

    def may_use(self, model: str) -> bool:
        if self.model_permissions is None:
            return True
        mode, models = self.model_permissions
        return (model in models) == (mode == "allow_list")


@dataclass(frozen=True)
class Usage:
    """One model call that was answered."""

    at: int
    project_id: str
    api_key_id: str | None
    user_id: str | None
    model: str
    input_tokens: int
    output_tokens: int
    input_cost: Decimal
    output_cost: Decimal
    cached_tokens: int = 0
    """Among the input's."""
    batch: bool = False
    service_tier: str = "default"


@dataclass(frozen=True)
class StoredFile:
    """A project's file. `expires_at` is in seconds since the epoch; None: it is kept."""

    id: str
    project_id: str
    filename: str
    purpose: str
    content: bytes
    created_at: int
    expires_at: int | None

    def expired(self, now: float) -> bool:
        return self.expires_at is not None and now >= self.expires_at


@dataclass
class Batch:
    """`told` is the body that OpenAI sends of it. `key` pays for its requests, and was checked when it was created.
    `output_seconds`: after how long its output expires; None: it is kept."""

    project_id: str
    key: ApiKey
    told: dict[str, Any]
    output_seconds: int | None

    @property
    def pending(self) -> bool:
        return self.told["status"] in ("validating", "in_progress", "cancelling")


@dataclass(frozen=True)
class Minted:
    """A key's value and its owner: `kind` is `admin`, `service_account`, `user` or `access_token`."""

    id: str
    kind: str
    value: str
    name: str
    project_id: str | None
    service_account_id: str | None
    created_at: int


class MintLedger:
    """Every key value that was ever made, for leak searches. Stored only in this process's memory."""

    def __init__(self) -> None:
        self.entries: list[Minted] = []


@dataclass
class Organization:
    settings: Settings = field(default_factory=Settings)
    projects: dict[str, Project] = field(default_factory=dict)
    admin_keys: dict[str, AdminKey] = field(default_factory=dict)
    keys_by_digest: dict[str, ApiKey | AdminKey] = field(default_factory=dict)
    identity_providers: dict[str, IdentityProvider] = field(default_factory=dict[str, IdentityProvider])
    spend_limit_cents: int | None = None
    """The hard limit that the organization's owner set."""
    usage: list[Usage] = field(default_factory=list)
    spent: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    """US dollars by (project id, month)."""
    audit: list[dict[str, Any]] = field(default_factory=list)
    alerts_sent: list[dict[str, Any]] = field(default_factory=list)
    calls: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=200_000))
    files: dict[str, StoredFile] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    """The oldest first, as files."""
    responses: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """By id, project id and body of a stored response. Only the newest are kept; OpenAI deletes old ones too."""

    def add_key(self, key: ApiKey) -> None:
        self.projects[key.project_id].keys[key.id] = key
        self.keys_by_digest[key.digest] = key

    def remove_key(self, key: ApiKey) -> None:
        self.projects[key.project_id].keys.pop(key.id, None)
        self.keys_by_digest.pop(key.digest, None)

    def drop_expired_tokens(self, now: float) -> None:
        held = self.keys_by_digest
        gone = [one for one, key in held.items() if isinstance(key, AccessToken) and key.expired(now)]
        for digest in gone:
            del held[digest]

    def add_file(
        self, project_id: str, filename: str, content: bytes, at: int, *, purpose: str, seconds: int | None
    ) -> StoredFile:
        """`seconds`: after how long it expires; None: it is kept."""
        expires_at = None if seconds is None else at + seconds
        made = StoredFile(keys.make_id("file-", 22), project_id, filename, purpose, content, at, expires_at)
        self.files[made.id] = made
        return made

    def store_response(self, project_id: str, response: dict[str, Any]) -> None:
        self.responses[response["id"]] = (project_id, response)
        if len(self.responses) > MOST_RESPONSES:
            del self.responses[next(iter(self.responses))]

    def record_usage(self, usage: Usage) -> None:
        self.usage.append(usage)
        slot = (usage.project_id, month(usage.at))
        self.spent[slot] = self.spent.get(slot, Decimal(0)) + usage.input_cost + usage.output_cost

    def spent_cents(self, project_id: str, now: float) -> Decimal:
        """What the project has spent in the calendar month of `now`, in UTC."""
        return self.spent.get((project_id, month(now)), Decimal(0)) * 100

    def spent_by_all_cents(self, now: float) -> Decimal:
        """What all projects, also archived ones, have spent in that month."""
        return sum((usd for (_, of), usd in self.spent.items() if of == month(now)), Decimal(0)) * 100


def month(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m")


def now() -> float:
    """Seconds since the epoch by the cell's clock."""
    return clock.now()
