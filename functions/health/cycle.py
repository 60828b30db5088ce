"""One invocation of the health function: reads what is, decides what is wrong, tells it, and remembers.

Owns the order. An invocation that is out of time saves how far it came, and the next one goes on there. Messages are
saved before they are sent, and removed after: one that was cut short is sent by the next invocation, at worst twice.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from functions.health.counting import counted
from functions.health.facts import Catalogue, Limits
from functions.health.handover_facts import Handing
from functions.health.history import Change, History, advance
from functions.health.judge import judge, judge_gone
from functions.health.lift import judge_silence, lift
from functions.health.messages import message
from functions.health.notices import Scope, tell
from functions.health.organizations import read_money, read_some_handovers, read_some_limits, with_handovers
from functions.health.pace import waits
from functions.health.roster import Organization, Roster, roster
from functions.health.services import Services
from functions.health.state import State, TenantState
from functions.health.store import slug_of
from functions.health.tenant_round import Asked, ask_tenant, shutdowns_of
from functions.health.trouble import CELL, ORGANIZATION, TENANT, Judgement
from functions.shared import cloudwatch, log
from functions.sweep.tenants import listed_secrets

AT_ONCE: Final = 8
"""Tenants that are asked at the same time."""
_CHUNK: Final = 64
KEEP_SECONDS: Final = 60.0
"""What a cycle leaves of its time to decide, save and send."""
_SLACK_SECONDS: Final = 30.0


@dataclass
class Cycle:
    services: Services
    failed: dict[str, str] = field(default_factory=dict[str, str])

    def run(self, every_seconds: float = 0.0) -> dict[str, Any]:
        """`every_seconds`: the time from one cycle's begin to the next one's. Raises Overlap, StateError, or botocore's
        errors."""
        services = self.services
        stored, version = services.store.state()
        if reason := waits(stored, every_seconds, services.wall()):
            log.line("health.skipped", reason=reason)
            return {"skipped": True, "next": stored.cursor}
        until = services.wall() + services.deadline.remaining() + _SLACK_SECONDS
        first = stored.cursor is None
        state = replace(stored, running_until=until, cycle_began=services.wall() if first else stored.cycle_began)
        version = services.store.save(state, version)
        cell = services.settings.common.cell
        with ThreadPoolExecutor(AT_ONCE) as workers:
            found = self._roster(workers)
            if first:
                state = self._money(found, state, workers)
            asked, cursor = self._ask(found, state, workers)
            limits = self._limits(found, state, workers)
            handed = self._handovers(found, state, asked, workers)
        state = self._decided(found, state, asked, limits, handed, services.store.catalogue())
        state = replace(state, cursor=cursor, running_until=0.0 if not state.unsent else until)
        version = services.store.save(state, version)
        if state.unsent:
            left = self._send(state.unsent)
            services.store.save(replace(state, unsent=left, running_until=0.0), version)
        if cursor is None:
            silent = sum(one.is_unanswered for one in asked.values())
            data = counted(state.histories.values(), watched=len(found.tenants), silent=silent)
            cloudwatch.put(services.metrics, cell, data)
        return self._answer(found, state, asked)

    def _roster(self, workers: Executor) -> Roster:
        """Without the tenants that have an object that cannot be read."""
        services, cell = self.services, self.services.settings.common.cell
        stored = services.store.tenants(cell, workers)
        self.failed |= stored.wrong
        unreadable = {slug_of(key) for key in stored.wrong}
        listed = [one for one in listed_secrets(services.secrets, cell) if one.tenant not in unreadable]
        for slug in unreadable:
            stored.declared.pop(slug, None)
            stored.identities.pop(slug, None)
        return roster(stored.declared, listed, stored.identities)

    def _money(self, found: Roster, state: State, workers: Executor) -> State:
        tenants = dict(state.tenants)
        # The first one's answer has OpenAI's time. Each organization has limits of its own, so they are asked at once.
        every = self._organizations(found)
        for organizations in (every[:1], every[1:]):
            for answer in workers.map(
                read_money, organizations, repeat(state.tenants), repeat(self.services), repeat(state.costs_as_of)
            ):
                tenants |= answer
        return replace(state, tenants=tenants, costs_as_of=self.services.now())

    def _ask(self, found: Roster, state: State, workers: Executor) -> tuple[dict[str, Asked], str | None]:
        """What was asked, and the last tenant if there was no time for all."""
        left = [tenant for tenant in found.tenants if state.cursor is None or tenant > state.cursor]
        asked: dict[str, Asked] = {}
        cursor: str | None = None
        for start in range(0, len(left), _CHUNK):
            # The first ones are always asked, so that repeated invocations make progress.
            if start and self.services.deadline.remaining() < KEEP_SECONDS + _SLACK_SECONDS:
                cursor = left[start - 1]
                break
            chunk = left[start : start + _CHUNK]
            results = workers.map(self._one, chunk, repeat(found), repeat(state))
            asked |= {tenant: one for tenant, one in zip(chunk, results, strict=True) if one is not None}
        times = [one.server_time for one in asked.values() if one.server_time is not None]
        self.services.server_time = max(times, default=None)
        return asked, cursor

    def _one(self, tenant: str, found: Roster, state: State) -> Asked | None:
        """None if AWS does not give the secret; then nothing is decided about the tenant."""
        before = state.tenants.get(tenant, TenantState())
        history = state.histories.get(Scope(TENANT, tenant), History())
        try:
            return ask_tenant(tenant, found, before, history, self.services)
        except (ClientError, BotoCoreError) as error:
            self.failed[tenant] = log.failure_text(error)
            log.line("health.failed", level=logging.ERROR, tenant=tenant, error=self.failed[tenant])
            return None

    def _organizations(self, found: Roster) -> list[Organization]:
        common = self.services.settings.common
        return found.organizations(common.cell, common.organization_id)

    def _limits(self, found: Roster, state: State, workers: Executor) -> dict[str, Limits]:
        histories, limits = _of_tenants(state), dict[str, Limits]()
        known = (repeat(found.declared), repeat(state.tenants), repeat(histories), repeat(self.services))
        for answer in workers.map(read_some_limits, self._organizations(found), *known):
            limits |= answer
        return limits

    def _handovers(
        self, found: Roster, state: State, asked: Mapping[str, Asked], workers: Executor
    ) -> dict[str, tuple[Handing, ...]]:
        """Those that were looked at, by tenant."""
        recorded = {tenant: one.recorded for tenant, one in asked.items() if one.recorded is not None}
        handed: dict[str, tuple[Handing, ...]] = {}
        known = (repeat(recorded), repeat(state.tenants), repeat(self.services))
        for answer in workers.map(read_some_handovers, self._organizations(found), *known):
            handed |= answer
        return handed

    def _decided(
        self,
        found: Roster,
        state: State,
        asked: Mapping[str, Asked],
        limits: Mapping[str, Limits],
        handed: Mapping[str, tuple[Handing, ...]],
        catalogue: Catalogue,
    ) -> State:
        common, now = self.services.settings.common, self.services.now()
        histories = _of_tenants(state)
        shutdowns = shutdowns_of(asked.values())
        tenants = dict(state.tenants)
        judged: dict[str, Judgement] = {}
        # Without a single declaration their place was not filled yet, and no tenant is called undeclared.
        for tenant, one in asked.items() if found.declared else ():
            handings = handed.get(tenant) or one.not_looked(now)
            remembered = with_handovers(one.remembered(limits.get(tenant), now), handings, now)
            tenants[tenant] = remembered
            facts = one.facts(found.declared.get(tenant), remembered, limits.get(tenant), shutdowns, now, handings)
            judged[tenant] = judge(facts, catalogue, histories.get(tenant, History()))
        of = {tenant: found.organization_of(tenant, common.organization_id) for tenant in judged}
        lifted = lift(judged, of)
        listings = {tenant: one.listing for tenant, one in asked.items() if one.listing is not None}
        by_scope = {Scope(TENANT, tenant): one for tenant, one in lifted.tenants.items()}
        by_scope |= {Scope(ORGANIZATION, organization): one for organization, one in lifted.organizations.items()}
        by_scope[Scope(CELL, common.cell)] = judge_silence(listings)
        watched = {*found.tenants}
        whose = {found.organization_of(tenant, common.organization_id) for tenant in watched}
        here = {TENANT: watched, ORGANIZATION: whose, CELL: {common.cell}}
        gone = {scope for scope in state.histories if scope.id not in here[scope.of]}
        by_scope |= dict.fromkeys(gone, judge_gone())
        return self._told(found, replace(state, tenants=_only(tenants, watched)), by_scope, gone, now)

    def _told(
        self, found: Roster, state: State, judged: Mapping[Scope, Judgement], gone: set[Scope], now: float
    ) -> State:
        changes: dict[Scope, Change] = {
            scope: advance(state.histories.get(scope, History()), one, now) for scope, one in judged.items()
        }
        after = {**state.histories, **{scope: change.history for scope, change in changes.items()}}
        after = {scope: one for scope, one in after.items() if scope not in gone}
        told = tell(changes, after, state.together)
        settings = self.services.settings
        new = [message(one, settings.common.cell, settings.language, found.declared, now) for one in told.notices]
        for one in new:
            log.line("health.told", subject=one.subject)
        kept = {scope: one for scope, one in told.histories.items() if one.open or one.seen}
        unsent = (*state.unsent, *((one.subject, one.for_sns()) for one in new))
        return replace(state, histories=kept, together=dict(told.together), unsent=unsent)

    def _send(self, messages: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """Those that could not be sent."""
        left: list[tuple[str, str]] = []
        for subject, body in messages:
            try:
                self.services.topics.publish(
                    TopicArn=self.services.settings.topic, Subject=subject, Message=body, MessageStructure="json"
                )
            except (ClientError, BotoCoreError) as error:
                log.line("health.unsent", level=logging.ERROR, subject=subject, error=log.failure_text(error))
                left.append((subject, body))
        return tuple(left)

    def _answer(self, found: Roster, state: State, asked: Mapping[str, Asked]) -> dict[str, Any]:
        calls = {"admin": self.services.api.http.calls, "tenants": sum(one.calls for one in asked.values())}
        probes = sum(one.probe is not None for one in asked.values())
        log.line("health.done", asked=len(asked), calls=calls, next=state.cursor, failed=len(self.failed))
        return {
            "skipped": False,
            "tenants": len(asked),
            "watched": len(found.tenants),
            "probes": probes,
            "calls": calls,
            "failed": self.failed,
            "next": state.cursor,
        }


def _of_tenants(state: State) -> dict[str, History]:
    return {scope.id: one for scope, one in state.histories.items() if scope.of == TENANT}


def _only(tenants: Mapping[str, TenantState], watched: set[str]) -> dict[str, TenantState]:
    return {tenant: one for tenant, one in tenants.items() if tenant in watched}
