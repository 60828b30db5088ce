"""Federation rules and identity providers of the cell that no tenant has any more.

Owns the calls and the rules by which one is left over. A provider is one call, so they are compared once a day, or when
a command asks. Nothing is deleted here: a tenant's own rule is the provisioner's to delete, and another may be somebody
else's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from functions.shared.identity_providers import PROVIDERS, number_of, rules_of
from functions.sweep.orphans import SETTLING_SECONDS, Orphan, tenant_of
from myflux_keys.admin_budget import WINDOW_SECONDS, sweeps_a_minute

if TYPE_CHECKING:
    from functions.sweep.services import Services

_AT_ONCE: Final = sweeps_a_minute(rotations=1)
_KEEP_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Provider:
    """One of the cell's, with its rules as OpenAI lists them. `created_at` is Unix seconds by OpenAI's clock."""

    id: str
    name: str
    created_at: float
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
    return Provider(str(item["id"]), str(item["name"]), float(item.get("created_at") or 0), rules)


def left_over(
    cell: str, providers: Iterable[Provider], tenants: Collection[str], now: float, *, empty_ones: bool = True
) -> list[Orphan]:
    """`tenants`: all that are declared, have a secret or an identity. `empty_ones`: also providers without a rule."""
    return [orphan for provider in providers for orphan in _of_provider(cell, provider, tenants, now, empty_ones)]


def _of_provider(
    cell: str, provider: Provider, tenants: Collection[str], now: float, empty_ones: bool
) -> Iterator[Orphan]:
    if empty_ones and not provider.rules and provider.created_at <= now - SETTLING_SECONDS:
        yield _left(provider.name, f"its identity provider {provider.name} ({provider.id}) has no rule")
    for rule in provider.rules:
        name, made = str(rule.get("name") or ""), float(rule.get("created_at") or 0)
        if made > now - SETTLING_SECONDS:
            continue
        slug = tenant_of(name, cell)
        what = f"federation rule {rule.get('id')} of {provider.name} ({provider.id})"
        if slug is None:
            yield _left(name or str(rule.get("id")), f"{what} has no name of ours, and gives tokens to what it matches")
        elif slug not in tenants:
            yield _left(slug, f"OpenAI has {what}, but there is no such tenant")


def _left(tenant: str, reason: str) -> Orphan:
    return Orphan(tenant, "FederationLeft", reason, keys=())
