"""The federation rule by which OpenAI gives tokens to a tenant without a key, and the identity providers of a cell.

Owns both: looked up by name, made, set to what they must be, kept to one rule a tenant, and deleted. Leaves out tokens,
which the runtime asks for.

A cell's providers are ``myflux-<cell>-<number>``, alike but for their names, since a provider has room for 50 rules. A
tenant's rule has the name of its project, and a tenant never moves to another provider: its clients hold that one's
id. Several provisioners run at once, so what was made is looked up again before it counts; if two made the same, the
oldest is kept.

A look takes one call for the providers and one for each that is read, at the Admin API's pace. A tenant whose project
was there before may have a rule in any of them, so all are read. A project that was made just now has none: only a
provider with room is looked for, the newest first, since the older ones were filled before it.
https://developers.openai.com/api/docs/guides/workload-identity-federation
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from functions.provisioner.project import Project, ProjectError
from functions.provisioner.request import Trust
from functions.shared import log
from functions.shared.identity_providers import (
    PROVIDERS,
    TENANT,
    TRANSFORMATIONS,
    number_of,
    provider_path,
    rules_of,
    rules_path,
)
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIError, path
from functions.shared.scopes import SCOPES
from myflux_keys.identity import MOST_PROVIDERS, MOST_RULES

_CONTESTED: Final = (400, 404, 409, 422)
"""Statuses of a create that another provisioner may have made impossible: the name is taken, the provider is full, or
somebody deleted it. OpenAI documents none of them."""
_ROUNDS: Final = 10
"""Two for each of the five provisioners that may run at once, in case every one is in another's way."""


@dataclass(frozen=True)
class Mapped:
    """A tenant's provider and rule at OpenAI."""

    provider_id: str
    rule_id: str


@dataclass(frozen=True)
class _Provider:
    """One of the cell's, as OpenAI holds it, with all its rules, the oldest first."""

    number: int
    held: Mapping[str, Any]
    rules: list[Mapping[str, Any]]

    @property
    def id(self) -> str:
        return str(self.held["id"])


@dataclass(frozen=True)
class _Seen:
    """`total` providers of the organization, the cell's `numbers`, and those of its providers whose rules were read, by
    number and age."""

    total: int
    numbers: frozenset[int]
    providers: list[_Provider]


class Federation:
    """The cell's providers, for the tenant whose project is called `name`."""

    def __init__(self, api: AdminAPI, cell: str, name: str) -> None:
        self._api = api
        self._cell = cell
        self._name = name

    def ensure(self, trust: Trust, tenant: str, project: Project, account_id: str) -> Mapped:
        """The one rule that gives the service account's tokens to the tenant's sessions, made if missing.

        Raises ProjectError if there is no room, and OpenAIError.
        """
        wanted = _rule(self._name, trust, tenant, project.id, account_id)
        last: tuple[Any, ...] = ()
        near: int | None = None
        for _ in range(_ROUNDS):
            seen = self._look(near, for_room=project.new)
            kept = self._only(seen.providers, wanted)
            if kept is not None:
                provider, rule = kept
                self._set_provider(provider, trust)
                self._set(_rule_path(provider.id, rule["id"]), rule, wanted)
                return Mapped(provider.id, str(rule["id"]))
            roomy = self._roomy(seen.providers)
            if roomy is None and near is not None:
                near = None  # Full by now, or gone: perhaps another one has room.
                continue
            # Where the next look looks: at Admin API's pace, all of them can take minutes.
            near = roomy.number if roomy else self._free(seen)
            try:
                if roomy is None:
                    self._make_provider(near, trust)
                else:
                    self._make_rule(roomy, trust, wanted)
            except OpenAIError as error:
                # Perhaps only the answer was lost, or another provisioner was faster: the next look tells. The same
                # refusal twice is an answer.
                contested = error.maybe_applied or error.status in _CONTESTED
                refusal = (error.request, error.status, error.code)
                if not contested or refusal == last:
                    raise
                last = refusal
        raise ProjectError(
            f"no federation rule for {self._name}: others changed the cell's providers again and again; run it again"
        )

    def remove(self, project_id: str | None) -> None:
        """Deletes every rule of the tenant. Raises ProjectError if one is still there afterwards."""
        for provider in self._look().providers:
            for rule in self._of_tenant(provider, project_id):
                self._delete(provider, rule)

    def _look(self, near: int | None = None, *, for_room: bool = False) -> _Seen:
        """With `near`, only the rules of the cell's provider of that number are read; with `for_room`, those of the
        newest up to one that has room."""
        listed = list(self._api.pages(PROVIDERS, {"order": "asc"}))
        ours = [(number, one) for one in listed if (number := number_of(one, self._cell)) is not None]
        numbers = frozenset(number for number, _ in ours)
        providers: list[_Provider] = []
        for number in sorted(numbers if near is None else numbers & {near}, reverse=True):
            alike = [_Provider(number, one, rules_of(self._api, str(one["id"]))) for its, one in ours if its == number]
            providers = [*alike, *providers]
            if for_room and len(alike[0].rules) < MOST_RULES:
                break
        return _Seen(len(listed), numbers, providers)

    def _of_tenant(self, provider: _Provider, project_id: str | None) -> list[Mapping[str, Any]]:
        """By project too: a rule that a person renamed, or made by hand, opens the same door."""
        return [
            rule
            for rule in provider.rules
            if rule.get("name") == self._name or (project_id and rule.get("project_id") == project_id)
        ]

    def _only(
        self, providers: list[_Provider], wanted: Mapping[str, Any]
    ) -> tuple[_Provider, Mapping[str, Any]] | None:
        """The tenant's oldest rule for its account, after every other one was deleted: OpenAI refuses a token that two
        rules match, and a rule made by hand may let others in."""
        found = [(provider, rule) for provider in providers for rule in self._of_tenant(provider, wanted["project_id"])]
        target = ("project_id", "service_account_id")
        fitting = [pair for pair in found if all(pair[1].get(name) == wanted[name] for name in target)]
        # Named ours first: a twin made by hand may be older than it.
        kept = min(fitting, key=lambda pair: (pair[1].get("name") != self._name, _age(pair[1])), default=None)
        for provider, rule in found:
            if kept is None or rule is not kept[1]:
                self._delete(provider, rule)
        return kept

    def _make_rule(self, provider: _Provider, trust: Trust, wanted: Mapping[str, Any]) -> None:
        self._set_provider(provider, trust)
        made = self._api.send("POST", rules_path(provider.id), body=wanted, repeatable=False)
        log.line("federation_rule.created", provider_id=provider.id, rule_id=made["id"], name=self._name)

    def _make_provider(self, number: int, trust: Trust) -> None:
        body = {"type": "oidc"} | _provider(f"myflux-{self._cell}-{number}", trust)
        made = self._api.send("POST", PROVIDERS, body=body, repeatable=False)
        log.line("identity_provider.created", provider_id=made["id"], name=body["name"])

    def _free(self, seen: _Seen) -> int:
        """The number of the next provider. Raises ProjectError if the organization may have no more."""
        if seen.total >= MOST_PROVIDERS:
            raise ProjectError(
                f"no room for {self._name}: the organization has {seen.total} workload identity providers, OpenAI "
                f"allows {MOST_PROVIDERS}, and the {len(seen.numbers)} of cell {self._cell} have {MOST_RULES} rules "
                "each. Delete a provider that nothing uses on OpenAI's site, write `credential: key`, or choose a cell "
                "of another organization"
            )
        return next(number for number in range(1, MOST_PROVIDERS + 1) if number not in seen.numbers)

    def _roomy(self, providers: list[_Provider]) -> _Provider | None:
        """The newest one with room for a rule, or None.

        Only the oldest of each number gets rules. OpenAI does not say that names are unique: two provisioners may have
        made the same provider. The younger one is deleted while it has no rule.
        """
        oldest = {provider.number: provider for provider in reversed(providers)}
        for provider in providers:
            if provider is not oldest[provider.number] and not provider.rules:
                self._gone(provider_path(provider.id))
                log.line("identity_provider.deleted", provider_id=provider.id, name=provider.held["name"])
        roomy = [provider for provider in oldest.values() if len(provider.rules) < MOST_RULES]
        return max(roomy, key=lambda provider: provider.number, default=None)

    def _set_provider(self, provider: _Provider, trust: Trust) -> None:
        self._set(provider_path(provider.id), provider.held, _provider(str(provider.held["name"]), trust))

    def _set(self, target: str, held: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        """Writes the fields that differ, for example because a person changed them on OpenAI's site."""
        change = {name: value for name, value in wanted.items() if _plain(held.get(name)) != _plain(value)}
        if change:
            self._api.send("POST", target, body=change)
            log.line("federation.set", target=target, fields=sorted(change))

    def _delete(self, provider: _Provider, rule: Mapping[str, Any]) -> None:
        self._gone(_rule_path(provider.id, rule["id"]))
        log.line("federation_rule.deleted", provider_id=provider.id, rule_id=rule["id"], name=rule.get("name"))

    def _gone(self, target: str) -> None:
        """Deletes what is there, and reads it back."""
        for method in ("DELETE", "GET"):
            try:
                self._api.send(method, target)
            except OpenAIError as error:
                if error.status != 404:
                    raise
                return
        raise ProjectError(f"OpenAI answered that {target} was deleted, but it is still there: run it again")


def _provider(name: str, trust: Trust) -> dict[str, Any]:
    return {
        "name": name,
        "issuer": trust.issuer,
        "audience": trust.audience,
        "enabled": True,
        "attribute_transformations": TRANSFORMATIONS,
        "verification": {"type": "discovery", "discovery_url": None},
    }


def _rule(name: str, trust: Trust, tenant: str, project_id: str, account_id: str) -> dict[str, Any]:
    """It matches exactly one role and one tenant."""
    scopes = SCOPES[trust.permission]
    return {
        "name": name,
        "enabled": True,
        "attribute_matchers": {"sub": trust.subject, TENANT: tenant},
        "permissions": {"type": "restricted", "scopes": list(scopes)}
        if scopes
        else {"type": "service_account_default"},
        "project_id": project_id,
        "service_account_id": account_id,
    }


def _plain(value: Any) -> Any:
    """A value as it is compared: scopes in any order, and without fields that are null."""
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    return {name: sorted(inner) if name == "scopes" else inner for name, inner in fields.items() if inner is not None}


def _age(rule: Mapping[str, Any]) -> int:
    created_at: Any = rule.get("created_at")
    return created_at if isinstance(created_at, int) else 0


def _rule_path(provider_id: str, rule_id: Any) -> str:
    return rules_path(provider_id) + path("/{rule}", rule=str(rule_id))
