"""What tenants' answers say about their organization and about OpenAI itself: trouble that is not theirs.

Owns moving a cause of the organization's from its tenants to the organization, once. Pure. A tenant with a key of its
own organization that we do not know (a customer's key without an admin key) keeps such a cause: nobody else has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functions.health.causes import Cause, cause
from functions.health.facts import Listing
from functions.health.trouble import CELL, KINDS, ORGANIZATION, Finding, Judgement

_OF_ORGANIZATIONS = frozenset(name for name, kind in KINDS.items() if kind.scope == ORGANIZATION)


@dataclass(frozen=True)
class Lifted:
    tenants: Mapping[str, Judgement]
    organizations: Mapping[str, Judgement]


def lift(judged: Mapping[str, Judgement], organization_of: Mapping[str, str | None]) -> Lifted:
    """`organization_of`: a tenant's organization, None if we do not know it. An organization is well if one tenant's
    call succeeded and none found its trouble, and unknown if no call was made."""
    tenants: dict[str, Judgement] = {}
    findings: dict[str, dict[str, list[str]]] = {}
    unknown: dict[str, frozenset[str]] = {}
    for tenant, judgement in judged.items():
        organization = organization_of.get(tenant)
        if organization is None:
            tenants[tenant] = judgement
            continue
        own = tuple(finding for finding in judgement.findings if finding.kind not in _OF_ORGANIZATIONS)
        tenants[tenant] = Judgement(own, judgement.unknown - _OF_ORGANIZATIONS)
        kinds = findings.setdefault(organization, {})
        for finding in judgement.findings:
            if finding.kind in _OF_ORGANIZATIONS:
                kinds.setdefault(finding.kind, []).append(tenant)
        before = unknown.get(organization, _OF_ORGANIZATIONS)
        unknown[organization] = before & judgement.unknown
    organizations = {
        organization: Judgement(
            tuple(Finding(kind, values={"tenants": str(len(those))}) for kind, those in sorted(kinds.items())),
            unknown[organization] - kinds.keys(),
        )
        for organization, kinds in findings.items()
    }
    return Lifted(tenants, organizations)


def judge_silence(listings: Mapping[str, Listing]) -> Judgement:
    """Of the whole cell, from this cycle's free calls: OpenAI is silent if at least half of them had no answer."""
    silent = [name for name, kind in KINDS.items() if kind.scope == CELL]
    if not listings:
        return Judgement(unknown=frozenset(silent))
    unanswered = sum(cause(listing.error) is Cause.UNANSWERED for listing in listings.values())
    if unanswered * 2 < len(listings) or unanswered == 0:
        return Judgement()
    values = {"unanswered": str(unanswered), "asked": str(len(listings))}
    return Judgement((Finding("openai_silent", values=values),))
