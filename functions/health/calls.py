"""Whether the tenant's key is accepted and its models answer, and if not, whose trouble it is.

Owns the step from causes to findings. A cause of the organization's is found on any of its tenants; `lift.py` makes it
one trouble of the organization. Without an answer nothing is judged: no key is called dead because OpenAI is silent.
"""

from __future__ import annotations

from typing import Final

from functions.health.causes import Cause, cause
from functions.health.facts import Facts
from functions.health.retirement import retired
from functions.health.trouble import Finding, Judgement

OF_CALLS: Final = frozenset(
    {
        "balance_gone",
        "organization_spend_limit",
        "organization_usage_limit",
        "quota_unnamed",
        "project_spend_limit",
        "limit_raised_waiting",
        "tier_refused",
        "scopes_missing",
    }
)
"""Only a billed call shows these."""
OF_ANY: Final = frozenset({"key_refused", "token_refused", "rate_limited", "country_refused", "address_refused"})
"""The free list of models shows these too."""
OF_LIST: Final = frozenset({"models_hidden", "model_not_allowed"})
ALL: Final = OF_CALLS | OF_ANY | OF_LIST
RAISE_SECONDS: Final = 6 * 3600
"""How long a raised limit may take until traffic returns; OpenAI gives no time."""

_AS_FOUND: Final = {Cause(kind): kind for kind in (OF_CALLS | OF_ANY) - {"limit_raised_waiting"}}


def judge_calls(facts: Facts) -> Judgement:
    if facts.declaration is None or facts.listing is None:
        return Judgement(unknown=ALL)
    listed = cause(facts.listing.error)
    if listed in (Cause.UNANSWERED, Cause.UNKNOWN):
        return Judgement(unknown=ALL)
    if listed is Cause.SCOPES_MISSING:
        return _probed(facts, frozenset({"model_not_allowed"})) + Judgement((Finding("models_hidden"),))
    if listed is not Cause.OK:
        # What is refused before the model is looked at hides everything behind it.
        return _found(listed, facts, ALL)
    missing = [model for model in facts.declaration.models if model not in facts.listing.models]
    denied = [Finding("model_not_allowed", model) for model in missing if not _shut(model, facts)]
    return _probed(facts, frozenset()) + Judgement(tuple(denied))


def _shut(model: str, facts: Facts) -> bool:
    """Whether the model is missing because it was retired, which `retirement.py` tells."""
    return retired(facts.shutdowns.get(model), facts.now)


def _probed(facts: Facts, unknown: frozenset[str]) -> Judgement:
    probe = facts.probe
    if probe is None:
        return Judgement(unknown=OF_CALLS | unknown)
    found = cause(probe.error)
    if found is Cause.OK:
        return Judgement(unknown=unknown)
    if found in (Cause.UNANSWERED, Cause.UNKNOWN):
        return Judgement(unknown=OF_CALLS | OF_ANY | unknown)
    if found is Cause.MODEL_REFUSED:
        listed = facts.listing is not None and probe.model in facts.listing.models
        own = (Finding("model_not_allowed", probe.model),) if listed else ()
        return Judgement(own, OF_CALLS | unknown)
    return _found(found, facts, OF_CALLS | unknown)


def _found(found: Cause, facts: Facts, unknown: frozenset[str]) -> Judgement:
    kind = _AS_FOUND.get(found)
    if kind is None:
        return Judgement(unknown=unknown)
    if kind == "key_refused" and facts.identity:
        # What was refused is a token, and no new key mends it.
        kind = "token_refused"
    if kind == "project_spend_limit" and _was_raised(facts):
        # The new limit is set, and OpenAI has not applied it everywhere yet: the trouble is neither new nor over.
        return Judgement((Finding("limit_raised_waiting"),), unknown - {"limit_raised_waiting"})
    values = {"model": facts.probe.model} if facts.probe else {}
    both = {"project_spend_limit", "limit_raised_waiting"} if kind == "project_spend_limit" else {kind}
    return Judgement((Finding(kind, values=values),), unknown - both)


def _was_raised(facts: Facts) -> bool:
    return facts.limit_raised_at is not None and facts.now - facts.limit_raised_at <= RAISE_SECONDS
