"""Which keys the versions of a tenant's secret hold, whatever wrote them, and whether OpenAI accepts each.

Owns finding keys in values and the call to OpenAI. Leaves out what is done with them. Versions without a label count:
AWS keeps their values, and their readers still have the keys. A value that is no payload of ours, as in a secret made
by hand, is searched for text shaped like OpenAI's keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from functions.rotation.proof import CALL_SECONDS, Proof, judge
from functions.shared.deadline import Deadline
from functions.shared.openai_admin import KEEP_SECONDS, Key
from functions.shared.openai_http import OpenAIError, OpenAIHTTP
from functions.shared.redacted_value import shows
from functions.shared.secrets_manager import SecretStore
from myflux_keys.payload import CUSTOMER, Payload, PayloadError, SecretText
from myflux_keys.redaction import KEY_SHAPE, redact

DELETED_PATIENCE_SECONDS: Final = 20.0
"""OpenAI may accept a deleted key for some seconds. One that it accepts for longer is reported, and the next run of
the command tests it again."""
PATIENCE_SECONDS: Final = 3.0
"""For keys that should be invalid for long: one lost answer says nothing."""
_PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
_OPENAI: Final = "sk-"


@dataclass(frozen=True)
class HeldKey:
    """A key in the secret. `versions` hold it; `key_id` and `project_id` are from them, empty if they have none.
    `customers`: the customer's own, from before keys were minted here."""

    value: SecretText
    versions: tuple[str, ...]
    key_id: str = ""
    project_id: str = ""
    customers: bool = False

    @property
    def named(self) -> str:
        """For a person: the id, or the version that holds it."""
        return self.key_id or f"the key in version {self.versions[0]}"


def held_keys(store: SecretStore, versions: Iterable[str]) -> list[HeldKey]:
    """Raises botocore's errors."""
    found: dict[SecretText, HeldKey] = {}
    for version in versions:
        stored = store.value(version)
        for key in _keys(stored, version) if stored is not None else ():
            before = found.get(key.value)
            if before is None:
                found[key.value] = key
            else:
                found[key.value] = HeldKey(
                    key.value,
                    (*before.versions, version),
                    before.key_id or key.key_id,
                    before.project_id or key.project_id,
                    before.customers or key.customers,
                )
    return list(found.values())


def _keys(stored: SecretText, version: str) -> list[HeldKey]:
    try:
        payload = Payload.from_json(stored.reveal())
    except PayloadError:
        shaped = (match.group() for match in KEY_SHAPE.finditer(stored.reveal()))
        return [HeldKey(SecretText(text), (version,)) for text in shaped if text.startswith(_OPENAI)]
    # Whoever wrote the value may have put the key into any field of it.
    ids = (redact(payload.key_id), redact(payload.project_id))
    return [HeldKey(payload.api_key, (version,), *ids, customers=payload.source == CUSTOMER)]


def among(held: HeldKey, listed: Iterable[Key]) -> Key | None:
    """The listed key that `held` is: by its value's beginning and end, and by the version's id. An id written by hand
    may be wrong, so without the value it counts only if OpenAI shows nothing of the value.

    None if no key matches, or more than one: a wrong guess could revoke the wrong key.
    """
    known = list(listed)
    fitting = [key for key in known if shows(key.redacted_value, held.value)]
    named = [key for key in known if key.id == held.key_id]
    for candidates in (
        [key for key in named if key in fitting],
        fitting,
        [key for key in named if not key.redacted_value],
    ):
        if len(candidates) == 1:
            return candidates[0]
    return None


def not_refused(
    keys: Iterable[HeldKey], http: OpenAIHTTP, deadline: Deadline, *, patience: float
) -> dict[HeldKey, Proof]:
    """Those of `keys` that OpenAI did not refuse within `patience` seconds, with its last answer."""
    end = deadline.now() + patience
    left = dict.fromkeys(keys, Proof.UNCLEAR)
    tries = 0
    while True:
        left = {key: proof for key in left if (proof := _proof(key, http)) is not Proof.REFUSED}
        pause = _PAUSES[min(tries, len(_PAUSES) - 1)]
        tries += 1
        if not left or deadline.now() + pause > end or not deadline.pause(pause, keep=KEEP_SECONDS):
            return left


def _proof(held: HeldKey, http: OpenAIHTTP) -> Proof:
    """Names no model: a key made by hand may be of a project that offers other models than the tenant's."""
    error: OpenAIError | None = None
    try:
        http.send("GET", "/models", held.value, seconds=CALL_SECONDS)
    except OpenAIError as caught:
        error = caught
    return judge(error)
