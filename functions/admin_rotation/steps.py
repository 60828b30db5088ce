"""The four steps of the admin key's rotation, each safe to repeat after a crash between any two of its calls.

Owns the order: end what a crash or a row of rotations left; mint; prove; store; promote. Leaves out deleting the
previous key (`tidy.py`): OpenAI cannot change an admin key's expiry and functions cache the old key for minutes, so it
is deleted a day later. Every call uses the AWSCURRENT key, so a rotation needs one.
"""

from __future__ import annotations

import logging
from typing import ClassVar, Final

from functions.admin_rotation.guard import check_name, read_lifetimes
from functions.admin_rotation.mint import MintedAdminKey, mint
from functions.admin_rotation.proof import NotProven, prove
from functions.shared import log
from functions.shared.admin_keys import PATH, AdminKeyRecord, list_admin_keys
from functions.shared.deadline import Deadline
from functions.shared.environment import Environment
from functions.shared.new_key import undo, value_after_failed_put
from functions.shared.openai_admin import KEEP_SECONDS, AdminAPI
from functions.shared.openai_http import OpenAIError, path
from functions.shared.rotation_frame import Outcome, RotationSteps, StepCall
from functions.shared.rotation_guard import RotationError
from functions.shared.secrets_manager import SecretState, SecretStore
from myflux_keys import names
from myflux_keys.version_labels import CURRENT, PREVIOUS

MINT_NEEDS_SECONDS: Final = 90.0
"""No key is minted with less time left: there might be none to prove, store or delete it."""


class AdminRotation(RotationSteps):
    """One rotation of the admin secret."""

    TURN_ON: ClassVar = "`pulumi up --refresh` on the platform's stack enables it; then rotate"

    def __init__(
        self,
        environment: Environment,
        call: StepCall,
        *,
        store: SecretStore,
        api: AdminAPI,
        deadline: Deadline,
    ) -> None:
        """Raises Refused for any other secret, before any call."""
        check_name(call.secret_id, environment)
        super().__init__(call, store)
        self._api = api
        self._deadline = deadline
        self._cell = environment.cell
        self._name = names.admin_key_name(environment.cell, call.version_id)

    def create(self) -> Outcome:
        """createSecret: mints a key, proves it with real admin calls and stores it as this version's value."""
        state = self._checked_state()
        lifetimes = read_lifetimes(state)
        if self._store.value(self._version) is not None:
            return {"outcome": "already_stored"}
        listed = list_admin_keys(self._api)
        removed = self._remove(self._ours(listed))
        removed += self._remove(self._surplus(listed, state))
        if self._deadline.remaining() < MINT_NEEDS_SECONDS:
            raise RotationError(f"less than {MINT_NEEDS_SECONDS:.0f} s left, too little to undo a mint: none was tried")
        minted = self._mint(lifetimes.life)
        try:
            prove(self._api.http, self._deadline, minted.value, keep=KEEP_SECONDS)
            self._put(minted)
        except Exception as error:
            undo(minted.id, error, self._end)
            raise
        return {"outcome": "stored", "key_id": minted.id, "expires_at": minted.expires_at, "leftovers_removed": removed}

    def test(self) -> Outcome:
        """testSecret: proves the stored key. With RotateImmediately=false AWS runs only this step, on a version
        without a key: then there is nothing to prove."""
        self._checked_state()
        stored = self._store.value(self._version)
        if stored is None:
            return {"outcome": "never_minted"}
        try:
            prove(self._api.http, self._deadline, stored, keep=KEEP_SECONDS)
        except NotProven as failure:
            if failure.reason == "refused":
                self._unblock()
            raise
        return {"outcome": "proven"}

    def finish(self) -> Outcome:
        """finishSecret: makes this version AWSCURRENT. The old key stays valid until `tidy.py` deletes it."""
        state = self._checked_state()
        # Checked before the label moves: a key that OpenAI does not list must not become AWSCURRENT.
        made = self._made_before()
        if len(made) != 1:
            raise RotationError(f"OpenAI lists {len(made)} keys called {self._name}, not 1: AWSCURRENT was not moved")
        return {**self._promote(state), "key_id": made[0].id}

    def _surplus(self, listed: list[AdminKeyRecord], state: SecretState) -> list[AdminKeyRecord]:
        """Keys of rotations before the previous one: `tidy.py` deletes them after a day, but rotations can be forced.

        None unless the live and the previous key are known by their names: a person may have stored an older key again.
        """
        versions = [version for label in (CURRENT, PREVIOUS) if (version := state.version_with(label))]
        kept = {names.admin_key_name(self._cell, version) for version in versions}
        if len(kept) < 2 or not kept <= {key.name for key in listed}:
            return []
        prefix = names.admin_key_name(self._cell, "")
        return [key for key in listed if key.name.startswith(prefix) and key.name not in kept | {self._name}]

    def _made_before(self) -> list[AdminKeyRecord]:
        return self._ours(list_admin_keys(self._api))

    def _ours(self, listed: list[AdminKeyRecord]) -> list[AdminKeyRecord]:
        """Keys of this rotation: its token is in their name."""
        return [key for key in listed if key.name == self._name]

    def _mint(self, life: int) -> MintedAdminKey:
        try:
            return mint(self._api, self._name, life, keep=MINT_NEEDS_SECONDS)
        except OpenAIError as error:
            if error.maybe_applied:
                log.line("mint.unclear", level=logging.WARNING, error=str(error))
                self._remove(self._made_before())
            raise

    def _put(self, minted: MintedAdminKey) -> None:
        try:
            self._store.put_pending(self._version, minted.value, self._rotation_token)
        except Exception as error:
            if value_after_failed_put(self._store, self._version, error) != minted.value:
                raise

    def _remove(self, found: list[AdminKeyRecord]) -> int:
        """Nobody has their value, since the rotation that minted them did not store it; or nobody needs it."""
        for key in found:
            self._end(key.id)
            log.line("key.leftover", level=logging.WARNING, key_id=key.id)
        return len(found)

    def _end(self, key_id: str) -> dict[str, str]:
        end_admin_key(self._api, key_id)
        return {}

    def _unblock(self) -> None:
        """A version whose key OpenAI no longer lists can never pass. Without its AWSPENDING the next rotation starts
        anew; with it every later rotation would fail."""
        if self._made_before():
            return
        if CURRENT not in self._store.describe().stages.get(self._version, frozenset()):
            self._store.drop_pending(self._version)
        log.line("key.gone", level=logging.ERROR, version=self._version)


def end_admin_key(api: AdminAPI, key_id: str) -> None:
    """Deletes an admin key; a missing one is no error. Raises OpenAIError if it is still listed."""
    try:
        api.send("DELETE", PATH + path("/{key}", key=key_id))
    except OpenAIError as error:
        if error.status != 404:
            raise
