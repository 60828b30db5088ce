"""The four steps of a rotation, each safe to repeat after a crash between any two of its calls.

Owns the guards and the order of calls: make (`making.py`); prove; promote, then expire the old key. Leaves out
decisions (`tenant.py`, `keys.py`, `proof.py`). If a step raises, Secrets Manager repeats the rotation from the start
with the same token.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from functions.rotation.holders import held
from functions.rotation.keys import lasts, outdated, remaining_life
from functions.rotation.making import KeyMaker
from functions.rotation.memory import Memory, Seen
from functions.rotation.proof import prove_logged
from functions.rotation.tenant import Tenant, check_name, read_tenant
from functions.rotation.version import read_payload
from functions.shared import log
from functions.shared.deadline import Deadline
from functions.shared.environment import Environment
from functions.shared.openai_admin import AdminAPI, Key, ProjectKeys
from functions.shared.openai_http import OpenAIError
from functions.shared.rotation_frame import Outcome, RotationSteps, StepCall
from functions.shared.rotation_guard import Refused, RotationError
from functions.shared.secrets_manager import SecretState, SecretStore
from myflux_keys.payload import Payload, iso
from myflux_keys.version_labels import CURRENT, PENDING, PREVIOUS


class Rotation(RotationSteps):
    """One rotation of one tenant's secret."""

    TURN_ON: ClassVar = "`myflux-keys up TENANT` enables it, with a new key"

    def __init__(
        self,
        environment: Environment,
        call: StepCall,
        *,
        store: SecretStore,
        api: AdminAPI,
        deadline: Deadline,
        memory: Memory,
    ) -> None:
        """Raises Refused for a secret that is no tenant's of this cell, before any call."""
        self.tenant_slug = check_name(call.secret_id, environment.cell)
        super().__init__(call, store)
        self._environment = environment
        self._secret_id = call.secret_id
        self._api = api
        self._deadline = deadline
        self._memory = memory

    def create(self) -> Outcome:
        """createSecret: mints a key, proves it and stores it as this version's value."""
        state = self._checked_state()
        tenant = read_tenant(state, self._environment.cell)
        # With the admin key that may work on this tenant's project: the cell's, or the customer's own.
        api = self._api.at(tenant.admin_secret)
        keys = ProjectKeys(api, tenant.project_id)
        stored = self._store.value(self._version)
        if stored is not None:
            payload = read_payload(stored, self.tenant_slug, self._version)
            self._resume(state, keys, tenant, payload)
            return {"outcome": "already_stored", "key_id": payload.key_id}
        maker = KeyMaker(
            tenant,
            self._version,
            self._rotation_token,
            labelled=(state.version_with(CURRENT), state.version_with(PREVIOUS)),
            environment=self._environment,
            store=self._store,
            api=api,
            deadline=self._deadline,
        )
        made = maker.make()
        self._refuse_if_overtaken(state, keys, made.key_id)
        if made.new is None:
            return {"outcome": "already_stored", "key_id": made.key_id}
        self._memory.keep(self._secret_id, self._version, made.new.seen)
        return {
            "outcome": "stored",
            "key_id": made.key_id,
            "proof": made.new.proof.value,
            "expires_at": iso(made.new.minted.expires_at),
            "leftovers_removed": made.leftovers_removed,
        }

    def _resume(self, state: SecretState, keys: ProjectKeys, tenant: Tenant, payload: Payload) -> None:
        """Checks whether the key that an earlier try stored can still become live. Raises RotationError.

        AWS may continue a rotation after weeks. A version's value never changes, so one whose key is not valid for
        long enough can never pass: without its AWSPENDING the next rotation starts anew, with it every later one
        would fail.
        """
        listed = keys.of_service_account(tenant.service_account_id)
        key = next((key for key in listed if key.id == payload.key_id), None)
        if key is not None and lasts(key, tenant, self._api.http.server_time):
            self._memory.keep(self._secret_id, self._version, Seen(tuple(listed), key))
            return
        if CURRENT in state.stages[self._version]:
            return
        self._store.drop_pending(self._version)
        log.line("key.too_old", level=logging.ERROR, key_id=payload.key_id, version=self._version)
        raise RotationError(
            f"key {payload.key_id} of this version is not valid, or expires before the next rotation: rotate again for "
            "a new one"
        )

    def _refuse_if_overtaken(self, before: SecretState, keys: ProjectKeys, key_id: str) -> None:
        """Ends the rotation if somebody stored a value by hand while the key was minted. Raises Refused.

        AWS has then abandoned it and calls no further step, but storing the key set AWSPENDING again, which would
        block every later rotation.
        """
        after = self._store.describe()
        current = after.version_with(CURRENT)
        if current in (before.version_with(CURRENT), self._version):
            return
        if PENDING in after.stages.get(self._version, frozenset()):
            self._store.drop_pending(self._version)
        how = keys.end(key_id)
        log.line("rotation.overtaken", level=logging.WARNING, version=self._version, key_id=key_id, how=how)
        raise Refused(
            f"version {current} was stored by hand while a key was minted: it stays live, and the new key was "
            "revoked. The next rotation replaces it"
        )

    def test(self) -> Outcome:
        """testSecret: proves the stored key, whatever label its version has.

        With RotateImmediately=false AWS runs only this step, on a version without a key: then there is nothing to
        prove. A value that is not ours can only be from such a test, since createSecret refuses it.
        """
        self._checked_state()
        stored = self._store.value(self._version)
        if stored is None:
            return {"outcome": "never_minted"}
        try:
            payload = read_payload(stored, self.tenant_slug, self._version)
        except RotationError as error:
            return {"outcome": "foreign_value", "detail": str(error)}
        proof = prove_logged(self._api.http, self._deadline, payload.key_id, payload.api_key, payload.models[0])
        return {"outcome": "proven", "key_id": payload.key_id, "proof": proof.value}

    def finish(self) -> Outcome:
        """finishSecret: makes this version AWSCURRENT, then expires the key before it after the overlap, others sooner.

        If an expiry cannot be set this raises, though the new key is live: Secrets Manager then repeats the
        rotation, whose steps find their work done, until this one succeeds. Otherwise the old key would stay valid.
        """
        state = self._checked_state()
        tenant = read_tenant(state, self._environment.cell)
        keys = ProjectKeys(self._api.at(tenant.admin_secret), tenant.project_id)
        # Checked before the label moves: a key that OpenAI does not list must not become AWSCURRENT.
        seen = self._memory.take(self._secret_id, self._version) or self._read_keys(keys, tenant)
        others = [key for key in seen.keys if key.id != seen.current.id]
        # Read before the label moves, since AWS then moves AWSPREVIOUS too.
        live, previous = state.version_with(CURRENT), state.version_with(PREVIOUS)
        replaced, before = (previous, None) if live == self._version else (live, previous)
        ids, ids_before = (held(others, [version], tenant, self._store) for version in (replaced, before))
        promoted = self._promote(state)
        old = outdated(others, tenant, seen.current, previous=ids, before=ids_before)
        shortened = self._shorten(keys, old)
        return {**promoted, "key_id": seen.current.id, "shortened": shortened}

    def _read_keys(self, keys: ProjectKeys, tenant: Tenant) -> Seen:
        stored = self._store.value(self._version)
        if stored is None:
            raise RotationError(f"version {self._version} has no value: createSecret did not complete")
        key_id = read_payload(stored, self.tenant_slug, self._version).key_id
        listed = keys.of_service_account(tenant.service_account_id)
        current = next((key for key in listed if key.id == key_id), None)
        if current is None:
            raise RotationError(f"OpenAI does not list key {key_id} of this version: AWSCURRENT was not moved")
        return Seen(tuple(listed), current)

    def _shorten(self, keys: ProjectKeys, old: list[tuple[Key, int]]) -> list[str]:
        failures: list[str] = []
        for key, seconds in old:
            try:
                after = keys.expire(key.id, seconds)
                less = remaining_life(key.expires_at, after, seconds) if after is not None else None
                if less is not None:
                    keys.expire(key.id, less)
            except OpenAIError as error:
                failures.append(f"{key.id}: {error}")
                log.line("key.not_shortened", level=logging.ERROR, key_id=key.id, error=str(error))
        if failures:
            raise RotationError("the new key is live, but old keys' expiry was not set: " + "; ".join(failures))
        return [key.id for key, _ in old]
