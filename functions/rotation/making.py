"""createSecret: ends keys of no more use, then mints, proves and stores a key, and revokes it if that fails.

Owns the order and the undoing. Leaves out the guards and the other steps (`steps.py`). After a crash between any two
calls, the next try finds the key by its name, which holds the rotation's token, and revokes it: nobody has its value.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from functions.rotation.holders import held
from functions.rotation.keys import is_valid, leftovers, surplus
from functions.rotation.memory import Seen
from functions.rotation.mint import MintedKey, mint
from functions.rotation.proof import Proof, prove_logged
from functions.rotation.tenant import Tenant
from functions.rotation.version import new_payload, read_payload
from functions.shared import log
from functions.shared.deadline import Deadline
from functions.shared.environment import Environment
from functions.shared.new_key import undo, value_after_failed_put
from functions.shared.openai_admin import AdminAPI, Key, ProjectKeys
from functions.shared.openai_http import OpenAIError
from functions.shared.rotation_guard import RotationError
from functions.shared.secrets_manager import SecretStore
from myflux_keys.payload import SecretText

MINT_NEEDS_SECONDS: Final = 45.0
"""No key is minted with less time left: there might be none to prove, store or revoke it."""


@dataclass(frozen=True)
class NewKey:
    """A key that was minted and stored. `seen` are the service account's keys now, `minted` among them."""

    minted: MintedKey
    proof: Proof
    seen: Seen


@dataclass(frozen=True)
class Making:
    """`key_id` is the key that the version holds afterwards. `new` is None if the version already held another key:
    then the one minted here was revoked. `leftovers_removed` counts keys of earlier tries and rotations."""

    key_id: str
    new: NewKey | None
    leftovers_removed: int


class KeyMaker:
    """Makes the key of one version of one tenant's secret."""

    def __init__(
        self,
        tenant: Tenant,
        version_id: str,
        rotation_token: str | None,
        *,
        labelled: Sequence[str | None],
        environment: Environment,
        store: SecretStore,
        api: AdminAPI,
        deadline: Deadline,
    ) -> None:
        """`labelled`: the versions whose keys are in use, those with AWSCURRENT and AWSPREVIOUS."""
        self._tenant = tenant
        self._labelled = labelled
        self._version = version_id
        self._rotation_token = rotation_token
        self._environment = environment
        self._store = store
        self._api = api
        self._deadline = deadline
        self._keys = ProjectKeys(api, tenant.project_id)
        self._name = tenant.key_name(version_id)
        self._leftovers_removed = 0

    def make(self) -> Making:
        """Raises RotationError, ProofFailed, OpenAIError, or botocore's errors: then the version has no value, or
        its value is unknown."""
        found = self._keys.of_service_account(self._tenant.service_account_id)
        lost = leftovers(found, self._name)
        unused = self._surplus([key for key in found if key not in lost])
        self._remove(lost, "key.leftover")
        self._remove(unused, "key.surplus")
        ended = [*lost, *unused]
        if self._deadline.remaining() < MINT_NEEDS_SECONDS:
            needs = f"{MINT_NEEDS_SECONDS:.0f} s"
            raise RotationError(
                f"less than {needs} left, too little to undo a mint: none was tried; raise the time-out"
            )
        minted = self._mint()
        try:
            proof = prove_logged(self._api.http, self._deadline, minted.id, minted.value, self._tenant.models[0])
            holder = self._store_key(minted)
        except Exception as error:
            undo(minted.id, error, self._end)
            raise
        if holder != minted.id:
            undo(minted.id, RotationError(f"the version already holds key {holder}"), self._end)
            return Making(holder, None, self._leftovers_removed)
        account = self._tenant.service_account_id
        current = Key(minted.id, self._name, minted.created_at, minted.expires_at, account)
        # Without those just revoked: if OpenAI refused to delete one, it has a second left, and setting its expiry to
        # the overlap would make it valid again.
        seen = Seen((*(key for key in found if key not in ended), current), current)
        return Making(minted.id, NewKey(minted, proof, seen), self._leftovers_removed)

    def _surplus(self, found: list[Key]) -> list[Key]:
        valid = [key for key in found if is_valid(key, self._api.http.server_time)]
        return surplus(valid, self._tenant, held(valid, self._labelled, self._tenant, self._store))

    def _mint(self) -> MintedKey:
        try:
            return mint(self._api, self._tenant, self._name, keep=MINT_NEEDS_SECONDS)
        except OpenAIError as error:
            if error.maybe_applied:
                log.line("mint.unclear", level=logging.WARNING, error=str(error))
                again = self._keys.of_service_account(self._tenant.service_account_id)
                self._remove(leftovers(again, self._name), "key.leftover")
            raise

    def _store_key(self, minted: MintedKey) -> str:
        """The id of the key that the version holds afterwards. Raises if it holds none, or that is unknown."""
        payload = new_payload(self._environment, self._tenant, minted)
        try:
            self._store.put_pending(self._version, SecretText(payload.to_json()), self._rotation_token)
        except Exception as error:
            stored = value_after_failed_put(self._store, self._version, error)
            if stored is None:
                raise
            return read_payload(stored, self._tenant.tenant, self._version).key_id
        return minted.id

    def _end(self, key_id: str) -> dict[str, str]:
        return {"how": self._keys.retire(key_id)}

    def _remove(self, found: list[Key], event: str) -> None:
        for key in found:
            log.line(event, level=logging.WARNING, key_id=key.id, how=self._keys.retire(key.id))
            self._leftovers_removed += 1
