"""One tenant in one cycle: what was asked of AWS and OpenAI, the facts that this makes, and what is remembered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from functions.health.asking import Answers, Held, ask, ask_with_token, read_key
from functions.health.calls import ALL
from functions.health.causes import Cause, cause
from functions.health.facts import Facts, Limits, Listing, Probe, SecretFacts
from functions.health.handover_facts import Handing, Recorded
from functions.health.handovers import recorded
from functions.health.history import History
from functions.health.organizations import with_limits
from functions.health.probing import Traffic, probe_due, probe_model
from functions.health.roster import Roster
from functions.health.services import Services
from functions.health.state import TenantState
from functions.sweep.due import overdue
from myflux_keys.declaration import Declaration
from myflux_keys.identity import TenantIdentity

_OPEN_TO_PROBES = ALL - {"models_hidden"}


@dataclass(frozen=True)
class Asked:
    """`before`: what was remembered of the tenant. `listing` None: OpenAI was not asked. `held`: its live key.
    `identity`: it has one, so OpenAI was asked with a token, and the key was not used."""

    tenant: str
    before: TenantState
    secret: SecretFacts | None
    listing: Listing | None = None
    probe: Probe | None = None
    calls: int = 0
    server_time: float | None = None
    held: Held | None = None
    recorded: Recorded | None = None
    identity: bool = False

    def not_looked(self, now: float) -> tuple[Handing, ...] | None:
        """Its hand-overs by AWS alone; None if OpenAI was not asked, as for a disabled tenant."""
        if self.recorded is not None:
            return self.recorded.not_looked(now)
        return None if self.listing is None else ()

    @property
    def is_unanswered(self) -> bool:
        return self.listing is not None and cause(self.listing.error) is Cause.UNANSWERED

    def remembered(self, limits: Limits | None, now: float) -> TenantState:
        state = with_limits(self.before, limits, now)
        if self.held is not None:
            key = self.held
            state = replace(state, key_version=key.version, key_minted_at=key.minted_at, key_expires_at=key.expires_at)
        elif self.identity:
            state = replace(state, key_version=None, key_minted_at=None, key_expires_at=None)
        if self.listing is not None and not self.is_unanswered:
            state = replace(state, seen_at=now)
        if self.probe is None:
            return state
        found = cause(self.probe.error)
        if found in (Cause.OK, Cause.UNANSWERED):
            # Without an answer it may have been paid. A trouble that is open stays so until a call succeeds.
            return replace(state, called_at=now, refused=state.refused and found is not Cause.OK)
        return replace(state, refused=True)

    def facts(
        self,
        declared: Declaration | None,
        state: TenantState,
        limits: Limits | None,
        shutdowns: Mapping[str, str | None],
        now: float,
        handovers: tuple[Handing, ...] | None,
    ) -> Facts:
        return Facts(
            now=now,
            tenant=self.tenant,
            declaration=declared,
            secret=self.secret,
            listing=self.listing,
            probe=self.probe,
            days=state.days,
            limits=limits,
            limit_raised_at=state.limit_raised_at,
            shutdowns=shutdowns,
            handovers=handovers,
            identity=self.identity,
        )


def ask_tenant(tenant: str, found: Roster, before: TenantState, history: History, services: Services) -> Asked:
    """Raises botocore's errors."""
    listed, declared, identity = found.secrets.get(tenant), found.declared.get(tenant), found.identities.get(tenant)
    now = services.now()
    live = None if listed is None or listed.deletion is not None else listed.secret
    secret = None if listed is None else SecretFacts(deleting=listed.deletion is not None)
    if live is not None:
        secret = SecretFacts(rotation_late=overdue(live, now) is not None)
    unasked = Asked(tenant, before, secret, identity=identity is not None)
    if declared is None or not declared.enabled:
        return unasked
    held = None if live is None else read_key(services.secrets, live)
    if held is None and identity is None:
        return unasked
    # A trouble that only a call shows is over when a call succeeds.
    refused = before.refused or any(kind in _OPEN_TO_PROBES for kind, _ in history.open)
    due = probe_due(declared, Traffic(before.requests), called_at=before.called_at, refused=refused, now=now)
    model = probe_model(declared, now) if due else None
    answers = _answers(services, held, identity, model)
    told = replace(
        unasked,
        listing=answers.listing,
        probe=answers.probe,
        calls=answers.calls,
        server_time=answers.server_time,
        held=held,
    )
    if held is None or live is None or secret is None:
        return told
    handed = recorded(services.secrets, services.store, services.settings.common.cell, live, now)
    secret = replace(secret, expires_at=held.expires_at, owned_by_person=held.owned_by_person)
    return replace(told, secret=secret, recorded=handed)


def _answers(services: Services, held: Held | None, identity: TenantIdentity | None, model: str | None) -> Answers:
    """With a token where the tenant has an identity, as its runtime calls."""
    base_url, deadline = services.settings.common.base_url, services.deadline
    if identity is not None:
        return ask_with_token(base_url, deadline, services.tokens, identity, model)
    assert held is not None
    return ask(base_url, deadline, held.key, model)


def shutdowns_of(asked: Iterable[Asked]) -> dict[str, str | None]:
    """Each model's date as any tenant's list showed it: OpenAI has one date for all."""
    found: dict[str, str | None] = {}
    for one in asked:
        if one.listing is not None:
            found |= one.listing.models
    return found
