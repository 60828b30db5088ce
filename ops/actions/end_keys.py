"""Calls the sweep function, which revokes a tenant's keys at OpenAI and lists those that are still valid.

Owns the calls, and reads the answers strictly: if a field is missing, no key counts as revoked. Leaves out what a
command does with the answer. No person has the admin key or a tenant's key, so only the function can do this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ops.account import Account
from ops.actions import functions_client
from ops.errors import OperationError
from tenancy import Tenant


@dataclass(frozen=True)
class Beyond:
    """A valid key that the secret holds and that is not in the tenant's project. `key` is its id, or names the version.
    `customers`: the customer's own key, from before MyFlux minted this tenant's keys."""

    key: str
    versions: tuple[str, ...]
    project_id: str | None
    customers: bool

    @property
    def sentence(self) -> str:
        """Which versions hold the key, where it is, and who can revoke it."""
        versions = f"held by version {', '.join(self.versions)}"
        if self.customers:
            return f"{self.key} ({versions}) is the customer's own: ask them to revoke it in their OpenAI account"
        where = f"in project {self.project_id}" if self.project_id else "in an unknown project"
        return (
            f"{self.key} ({versions}) is {where}: ask its owner to delete it on OpenAI's site, which shows that it was "
            "used a moment ago"
        )


@dataclass(frozen=True)
class Killed:
    """Ids of keys. `revoked` are revoked, and OpenAI refuses them. `failed` maps a key that is or may be valid to the
    reason. `foreign` are others in the tenant's project, not revoked. `unseen` is what could not be checked."""

    revoked: tuple[str, ...]
    failed: Mapping[str, str] = field(default_factory=dict[str, str])
    foreign: tuple[str, ...] = ()
    beyond: tuple[Beyond, ...] = ()
    unseen: str = ""

    @property
    def failures(self) -> list[str]:
        return [f"{key}: {why}" for key, why in self.failed.items()]


@dataclass(frozen=True)
class Seen:
    """Valid keys. `project` is ``active``, ``archived``, or None where there is none; `current` is the key of the live
    version, `others` are more keys of the tenant."""

    project: str | None
    current: str | None
    others: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    beyond: tuple[Beyond, ...] = ()
    unseen: str = ""
    rules: tuple[str, ...] | None = None
    """Ids of the federation rules that give its tokens; None: not asked for."""

    @property
    def in_project(self) -> tuple[str, ...]:
        return (*((self.current,) if self.current else ()), *self.others, *self.foreign)


class Keys:
    """Calls of the sweep function about the keys of one tenant. Methods raise OperationError."""

    def __init__(self, account: Account, tenant: Tenant) -> None:
        self._account = account
        self._organization = {"organization_id": tenant.organization_id} if tenant.organization_id else {}

    def revoke(self, tenant: str) -> Killed:
        return killed(self._ask({"action": "revoke", "tenant": tenant}))

    def empty(self, tenant: str) -> Killed:
        """Revokes every key in the tenant's project, whoever made it, also after the secret is deleted."""
        return killed(self._ask({"action": "revoke", "tenant": tenant, "whole_project": True} | self._organization))

    def look(self, tenant: str) -> Seen:
        return seen(self._ask({"action": "keys", "tenant": tenant} | self._organization))

    def look_at_rules(self, tenant: str) -> Seen:
        """As `look`, with the federation rules, which takes a call more for each of the cell's identity providers."""
        found = seen(self._ask({"action": "keys", "tenant": tenant, "rules": True} | self._organization))
        if found.rules is None:
            raise _incomplete_answer(KeyError("rules"))
        return found

    def _ask(self, event: Mapping[str, Any]) -> dict[str, Any]:
        cell = self._account.cell
        return functions_client.call(cell, cell.names.sweep_function, event, self._account.functions)


def killed(answer: Mapping[str, Any]) -> Killed:
    """From the answer to "revoke". Raises OperationError for an answer that lacks a field."""
    try:
        return Killed(
            tuple(map(str, answer["revoked"])),
            {str(key["key_id"]): str(key["error"]) for key in answer["failed"]},
            tuple(map(str, answer["foreign"])),
            _beyond(answer),
            str(answer["unseen"]),
        )
    except (KeyError, TypeError) as error:
        raise _incomplete_answer(error) from None


def seen(answer: Mapping[str, Any]) -> Seen:
    """From the answer to "keys". Raises OperationError as `killed` does."""
    try:
        return Seen(
            answer["project"],
            answer["current"],
            tuple(map(str, answer["others"])),
            tuple(map(str, answer["foreign"])),
            _beyond(answer),
            str(answer["unseen"]),
            tuple(map(str, answer["rules"])) if "rules" in answer else None,
        )
    except (KeyError, TypeError) as error:
        raise _incomplete_answer(error) from None


def spoken(revoked: Sequence[str]) -> str:
    """``2 keys revoked at OpenAI: key_a, key_b``."""
    count = len(revoked)
    return f"{count} key{'' if count == 1 else 's'} revoked at OpenAI{': ' + ', '.join(revoked) if revoked else ''}"


def _beyond(answer: Mapping[str, Any]) -> tuple[Beyond, ...]:
    return tuple(
        Beyond(str(key["key"]), tuple(map(str, key["versions"])), key["project_id"], bool(key["customers"]))
        for key in answer["beyond"]
    )


def _incomplete_answer(error: Exception) -> OperationError:
    return OperationError(
        f"the sweep function's answer lacks a field ({type(error).__name__}: {error}), so no key counts as revoked. "
        "Deploy the platform from this checkout, then run the same command again."
    )
