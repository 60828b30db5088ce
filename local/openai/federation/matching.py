"""Which rule a verified token matches: exactly one enabled rule of the provider for the service account asked for.

Pure functions. A matcher names a claim of the token's first level, or an attribute that the provider derives
(``openai.…``); a claim of that name counts for nothing. A text may end with one ``*``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from local.openai import errors
from local.openai.federation import cel
from local.openai.federation.cel_values import Failed, scalar
from local.openai.federation.records import FederationRule, IdentityProvider, Scalar

DERIVED: Final = "openai."


def matching_rule(provider: IdentityProvider, service_account_id: str, claims: Mapping[str, Any]) -> FederationRule:
    """Raises errors.ApiError with code ``invalid_grant`` unless it is exactly one."""
    rules = [rule for rule in provider.rules.values() if rule.service_account_id == service_account_id]
    if not rules:
        raise errors.invalid_grant("the provider has no mapping for the service account")
    enabled = [rule for rule in rules if rule.enabled]
    if not enabled:
        raise errors.invalid_grant("the mapping for the service account is disabled")
    found = [rule for rule in enabled if _matches(rule, provider, claims)]
    if len(found) != 1:
        several = "several mappings match" if found else "the token's attributes do not match the mapping"
        raise errors.invalid_grant(several)
    return found[0]


def _matches(rule: FederationRule, provider: IdentityProvider, claims: Mapping[str, Any]) -> bool:
    return all(_meets(name, wanted, provider, claims) for name, wanted in rule.matchers.items())


def _meets(name: str, wanted: Scalar, provider: IdentityProvider, claims: Mapping[str, Any]) -> bool:
    if name.startswith(DERIVED):
        return _equals(scalar(wanted), _derived(name, provider, claims), wild=isinstance(wanted, str))
    actual = claims.get(name)
    if isinstance(wanted, str):
        return isinstance(actual, str) and _equals(wanted, actual, wild=True)
    return isinstance(actual, bool) == isinstance(wanted, bool) and actual == wanted


def _derived(name: str, provider: IdentityProvider, claims: Mapping[str, Any]) -> str:
    expression = provider.transformations.get(name)
    if expression is None:
        raise errors.invalid_grant(f"no attribute transformation gives {name!r}")
    try:
        return scalar(cel.parse(expression)(claims))
    except Failed as problem:
        raise errors.invalid_grant(f"the attribute transformation {name!r} failed: {problem}") from None


def _equals(wanted: str, actual: str, *, wild: bool) -> bool:
    if wild and wanted.endswith("*"):
        return actual.startswith(wanted.removesuffix("*"))
    return actual == wanted
