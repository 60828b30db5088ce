"""Federation rules of the cell that no tenant should have, and rules and identity providers changed by hand.

Owns the calls and the decision. A provider is one call, so they are compared once a day, or when a command asks.
Nothing is deleted here: a tenant's own rule is the provisioner's to delete, and another may be somebody else's. A
provider without a rule lets nobody in, and the next tenant without a key gets its rule there: it is not left over.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from functions.shared.identity_providers import PROVIDERS, TENANT, TRANSFORMATIONS, number_of, rules_of
from functions.sweep.orphans import SETTLING_SECONDS, Orphan, tenant_of
from myflux_keys.admin_budget import WINDOW_SECONDS, sweeps_a_minute
from myflux_keys.role_names import runtime_role

if TYPE_CHECKING:
    from functions.sweep.services import Services

_AT_ONCE: Final = sweeps_a_minute(rotations=1)
_KEEP_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Provider:
    """One of the cell's, with its rules as OpenAI lists them."""

    id: str
    name: str
    transformations: Any = None
    rules: tuple[Mapping[str, Any], ...] = ()


def read_providers(services: Services) -> list[Provider]:
    """None of an organization to which OpenAI offers none. Raises OpenAIError or AdminKeyMissing."""
    cell = services.environment.cell
    found: list[Provider] = []
    for item in services.api.pages(PROVIDERS):
        if number_of(item, cell) is not None:
            if found and len(found) % _AT_ONCE == 0:
                services.deadline.pause(WINDOW_SECONDS, keep=_KEEP_SECONDS)
            found.append(_with_rules(services, item))
    return found


def _with_rules(services: Services, item: Mapping[str, Any]) -> Provider:
    rules = tuple(rules_of(services.api, str(item["id"])))
    return Provider(str(item["id"]), str(item["name"]), item.get("attribute_transformations"), rules)


@dataclass(frozen=True)
class Tenants:
    """Slugs. `all_`: who is declared, has a secret or an identity. `ruled`: who may have a rule."""

    all_: Collection[str]
    ruled: Collection[str]


def left_over(cell: str, providers: Iterable[Provider], tenants: Tenants, now: float) -> list[Orphan]:
    return [orphan for provider in providers for orphan in _of_provider(cell, provider, tenants, now)]


def _of_provider(cell: str, provider: Provider, tenants: Tenants, now: float) -> Iterator[Orphan]:
    for rule in provider.rules:
        name, made = str(rule.get("name") or ""), float(rule.get("created_at") or 0)
        if made > now - SETTLING_SECONDS:
            continue
        slug = tenant_of(name, cell)
        what = f"federation rule {rule.get('id')} of {provider.name} ({provider.id})"
        if slug is None:
            yield _left(name or str(rule.get("id")), f"{what} has no name of ours, and gives tokens to what it matches")
        elif slug not in tenants.all_:
            yield _left(slug, f"OpenAI has {what}, but there is no such tenant")
        elif slug not in tenants.ruled:
            yield _left(slug, f"OpenAI has {what}, but the tenant is disabled or has a key")
        elif not _is_as_made(cell, slug, rule.get("attribute_matchers")):
            yield _left(
                slug, f"{what} was changed by hand: it matches others than the tenant's sessions of the runtime"
            )
        elif provider.transformations != TRANSFORMATIONS:
            yield _left(
                slug, f"{provider.name} ({provider.id}) was changed by hand: its `openai.tenant` is not the tag"
            )


def _is_as_made(cell: str, slug: str, matchers: Any) -> bool:
    """The role by its name: the sweep does not know the account, and another's has another issuer."""
    role = rf"arn:aws[a-z-]*:iam::[0-9]{{12}}:role/{re.escape(runtime_role(cell))}"
    given = cast("Mapping[str, Any]", matchers) if isinstance(matchers, Mapping) else dict[str, Any]()
    return given.keys() == {"sub", TENANT} and given[TENANT] == slug and bool(re.fullmatch(role, str(given["sub"])))


def _left(tenant: str, reason: str) -> Orphan:
    return Orphan(tenant, "FederationLeft", reason, keys=())
