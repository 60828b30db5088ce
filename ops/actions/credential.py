"""Switches a tenant from a key to tokens or back, so that no call fails meanwhile. docs/adr/0043-no-key-at-all.md

Owns the order, the waits and what must be read back. Leaves out the engine, the file and the functions' calls, which
are `Means`. The tenant's file says how far a switch is, so the same command goes on where it was stopped:

    credential  switching_from  what there is
    key                         a key
    federated   key             both, the runtime uses tokens
    federated                   tokens
    key         federated       both, the runtime uses the key

To tokens it goes down these lines. Back it goes up to the second, where the key is made while tokens still serve every
call, then over the fourth to the first.

The key is ended before its rotation is deleted, and a rotation between the two would mint another. So it is turned off
before, but not before the file says that there is no key: until then a deployment turns it on again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol

from myflux_keys.identity import TOKEN_SECONDS
from myflux_keys.key_life import READER_CACHE_SECONDS
from ops.actions.end_keys import Seen
from ops.actions.rotate import Waiting
from ops.errors import OperationError
from tenancy import Cell, Tenant

Target = Literal["key", "federated"]
Phase = tuple[str, str | None]
"""The file's `credential` and `switching_from`."""
KEY: Final[Phase] = ("key", None)
TO_TOKENS: Final[Phase] = ("federated", "key")
TOKENS: Final[Phase] = ("federated", None)
TO_KEY: Final[Phase] = ("key", "federated")

QUIET_SECONDS: Final = 300
"""A key that was used within this time has a user."""
POLL_SECONDS: Final = 5.0
PROOF_SECONDS: Final = 120.0
"""AWS and OpenAI apply roles, policies and rules within seconds; this long a refusal is waited out."""
KEY_SECONDS: Final = 1800.0
"""For a rotation, the first key's too: CloudTrail, which names a failure, may be a quarter of an hour late."""


class Means(Protocol):
    """What a switch does and asks. Methods raise OperationError."""

    def aws_now(self) -> datetime: ...
    def write(self, phase: Phase) -> None: ...

    def up(self, *, unprotect: bool) -> int:
        """How many resources changed."""
        ...

    def restore(self) -> bool:
        """Whether the secret was in its deletion window, and is not any more."""
        ...

    def secret_is_there(self) -> bool:
        """And not in its deletion window."""
        ...

    def look(self) -> Mapping[str, Any]:
        """The health function's look."""
        ...

    def keys(self) -> Seen: ...

    def last_use(self) -> Mapping[str, datetime | None]:
        """By id of each valid key of the tenant's, when OpenAI last saw it used."""
        ...

    def is_rotating(self) -> bool: ...

    def mint(self) -> str:
        """Starts the rotation that makes a key. The problem, empty for none."""
        ...

    def stop_rotation(self) -> bool:
        """One step towards no rotation, whether by schedule or under way; True once there is none."""
        ...

    def since(self, phase: Phase) -> datetime | None:
        """When this phase was complete, as noted; None if it is not known."""
        ...

    def note(self, phase: Phase, at: datetime) -> None: ...


@dataclass
class Switch:
    """One switch of one tenant. `phase` is that of its file."""

    tenant: Tenant
    phase: Phase
    means: Means
    report: Callable[[str], None]
    waiting: Waiting

    def to_tokens(self) -> None:
        if self.phase != TOKENS or self._has_an_unproven_file():
            changed = self._bring_about(TO_TOKENS)
            self._prove("token")
            self._no_reader_with_the_key(self._complete(TO_TOKENS, changed))
        self._write(TOKENS)
        self._no_rotation()
        self._deploy(unprotect=True)
        self._no_key_left()
        self._prove("token")

    def to_key(self) -> None:
        ahead = self.phase in (KEY, TO_KEY) and self._is_served_by_tokens()
        if self.phase in (TOKENS, TO_TOKENS) or (ahead and not self._has_a_key()):
            if self.means.restore():
                self.report("the secret is restored from its deletion window: the key that it holds is dead")
            self._bring_about(TO_TOKENS)
            self._first_key()
        if self.phase != KEY or ahead:
            changed = self._bring_about(TO_KEY)
            self._prove("key")
            self._no_reader_with_a_token(self._complete(TO_KEY, changed))
        self._bring_about(KEY)
        self._prove("key")

    def _has_an_unproven_file(self) -> bool:
        """Whether a person wrote it: a switch itself writes that there is no key only after it noted the phase before,
        and the secret goes soon afterwards."""
        return self.means.secret_is_there() and self.means.since(TO_TOKENS) is None

    def _is_served_by_tokens(self) -> bool:
        """What the file says is no proof of it: a person may have written the file. A disabled tenant has no calls."""
        return self.tenant.enabled and self.means.look().get("asked_with") == "token"

    def _has_a_key(self) -> bool:
        return self.means.secret_is_there() and self.means.keys().current is not None

    def _bring_about(self, phase: Phase) -> int:
        self._write(phase)
        return self._deploy()

    def _write(self, phase: Phase) -> None:
        if self.phase != phase:
            self.means.write(phase)
            self.phase = phase
            self.report(f"the file says {spoken(phase)}")

    def _deploy(self, *, unprotect: bool = False) -> int:
        changed = self.means.up(unprotect=unprotect)
        self.report(f"the stack is deployed, {changed} resources changed")
        return changed

    def _complete(self, phase: Phase, changed: int) -> datetime:
        """When it was complete. Without a note of it, or if the stack changed now: just now."""
        noted = self.means.since(phase)
        if noted is not None and not changed:
            return noted
        at = self.means.aws_now()
        self.means.note(phase, at)
        return at

    def _prove(self, with_what: Literal["token", "key"]) -> None:
        """A real call, as the runtime makes it. A disabled tenant makes none."""
        if not self.tenant.enabled:
            self.report("the tenant is disabled, so no call was made")
            return
        if (wrong := unproven_in_time(self.means.look, with_what, self.waiting)) is not None:
            raise OperationError(
                f"a call of {self.tenant.tenant} with a {with_what} does not succeed: {wrong}. Nothing was ended: "
                "what worked before works still. Correct that, then run the same command again; or the one for "
                "the other direction."
            )
        self.report(f"a call with a {with_what} was answered")

    def _no_reader_with_the_key(self, since: datetime) -> None:
        """Waits until every reader has changed over, which the keys' use shows."""
        give_up = self.waiting.now() + self.waiting.give_up_seconds
        ready = since + timedelta(seconds=READER_CACHE_SECONDS)
        why = "by then readers have changed over"
        while self._wait(ready, give_up, why):
            # Only now, since it takes calls of the Admin API.
            ready = key_unused_from(since, self.means.last_use())
            if self.means.aws_now() >= ready:
                self.report("no reader uses the key any more")
                return
            why = f"the key was used at {ready - timedelta(seconds=QUIET_SECONDS):%H:%M:%S}Z"
        raise OperationError(
            f"readers may still use {self.tenant.tenant}'s key: the switch waits until {ready:%Y-%m-%d %H:%M:%S}Z at "
            f"least ({why}). Nothing was ended. A consumer that does not call by KeyReader.openai_client must be "
            "changed first; then run the same command again."
        )

    def _no_reader_with_a_token(self, since: datetime) -> None:
        ready = since + timedelta(seconds=READER_CACHE_SECONDS + TOKEN_SECONDS)
        if not self._wait(ready, self.waiting.now() + self.waiting.give_up_seconds, "by then the last token has ended"):
            raise OperationError(
                f"tokens of {self.tenant.tenant} may be valid until {ready:%Y-%m-%d %H:%M:%S}Z. Nothing was ended: run "
                "the same command again then."
            )

    def _wait(self, ready: datetime, give_up: float, why: str) -> bool:
        """Until AWS's clock says `ready`; False if `give_up`, by this machine's clock, comes first."""
        if (now := self.means.aws_now()) < ready:
            self.report(f"waiting until {ready:%H:%M:%S}Z, for {(ready - now).total_seconds() / 60:.0f} minutes: {why}")
        while self.means.aws_now() < ready:
            if self.waiting.now() >= give_up:
                return False
            self.waiting.sleep(POLL_SECONDS)
        return True

    def _first_key(self) -> None:
        """Tokens serve every call meanwhile. The deployment has begun a rotation already, or an earlier one had: looked
        for before the key, since one that ends between the two looks would be asked for again, and mint a second key.
        """
        until = self.waiting.now() + KEY_SECONDS
        problem = ""
        while True:
            rotating = self.means.is_rotating()
            if self.means.keys().current is not None:
                break
            if not rotating:
                problem = self.means.mint() or problem
            if self.waiting.now() >= until:
                raise OperationError(
                    f"{self.tenant.tenant} has no key yet{': ' + problem if problem else ''}. Its calls go on with "
                    "tokens. The rotation function's log has the reason; correct it, then run the same command again."
                )
            self.waiting.sleep(10.0)
        self.report("its key is live")

    def _no_rotation(self) -> None:
        """One that is under way is waited for: it may mint at any moment, and a cancelled one leaves AWSPENDING, at
        which AWS refuses every later rotation."""
        until = self.waiting.now() + KEY_SECONDS
        while not self.means.stop_rotation():
            if self.waiting.now() >= until:
                raise OperationError(
                    f"a rotation of {self.tenant.tenant} has not ended within {KEY_SECONDS / 60:.0f} minutes. Its "
                    "calls go on with tokens, and its key was not ended. The rotation function's log has the reason; "
                    "correct it, then run the same command again; or the one for the other direction."
                )
            self.waiting.sleep(POLL_SECONDS)
        self.report("no rotation runs or is to come")

    def _no_key_left(self) -> None:
        seen = self.means.keys()
        left = [key for key in (seen.current, *seen.others) if key]
        if left or self.means.secret_is_there():
            what = f"these keys are still valid: {', '.join(left)}" if left else "its secret is still there"
            raise OperationError(
                f"{self.tenant.tenant} makes its calls with tokens, but {what}. `myflux-keys sweep "
                f"{self.tenant.tenant}` ends such keys; run the same command again."
            )
        for key in seen.foreign:
            self.report(f"{key} in its project is valid: MyFlux Keys did not make it, so its owner must decide")
        self.report("read back: no key of the tenant is valid, and its secret is in its deletion window")


def unproven(look: Mapping[str, Any], with_what: str) -> str | None:
    """Why the health function's `look` does not show a call with a token, or with a key; None if it does."""
    if look.get("asked_with") != with_what:
        return f"the function made no call with a {with_what}"
    for asked in ("list", "call"):
        answer = look.get(asked)
        if answer is not None and answer["cause"] != "ok":
            return f"{answer['cause'].replace('_', ' ')} ({answer['said']})"
    return None


def unproven_in_time(look: Callable[[], Mapping[str, Any]], with_what: str, waiting: Waiting) -> str | None:
    """What `unproven` still says after PROOF_SECONDS; None as soon as it says nothing."""
    until = waiting.now() + PROOF_SECONDS
    while (wrong := unproven(look(), with_what)) is not None and waiting.now() < until:
        waiting.sleep(POLL_SECONDS)
    return wrong


def key_unused_from(since: datetime, last_use: Mapping[str, datetime | None]) -> datetime:
    """From when the keys have no user: readers keep one for READER_CACHE_SECONDS, and whoever used one lately may
    again."""
    ready = since + timedelta(seconds=READER_CACHE_SECONDS)
    used = [at + timedelta(seconds=QUIET_SECONDS) for at in last_use.values() if at is not None]
    return max([ready, *used])


def phase_of(tenant: Tenant) -> Phase:
    return tenant.credential, tenant.switching_from


def spoken(phase: Phase) -> str:
    credential, before = phase
    return f"`credential: {credential}`" + (f" and `switching_from: {before}`" if before else "")


def plan(cell: Cell, tenant: Tenant, target: Target) -> list[str]:
    """The steps in words, for a dry run and for the question."""
    names, minutes = cell.names.tenant(tenant.tenant), READER_CACHE_SECONDS // 60 + 1
    phase = phase_of(tenant)
    if target == "federated":
        first = [
            f"write {spoken(TO_TOKENS)} to the tenant's file, and deploy {names.stack}: a federation rule, an identity",
            "prove by a real call that a token is accepted",
            f"wait {minutes} minutes at least, until no reader uses the key any more",
        ]
        again = (
            f"look again, since the file says {spoken(TOKENS)} already: where that was not deployed, all steps follow"
        )
        return [
            *(first if phase != TOKENS else [again]),
            f"write {spoken(TOKENS)}, turn the rotation off, and deploy: the key is ended, and the deletion of "
            f"{names.secret} is scheduled, protected or not",
            "read back that no key is valid, and that a token still is",
        ]
    back = [
        f"restore {names.secret} if its deletion is scheduled; write {spoken(TO_TOKENS)}, and deploy: a new key, while "
        "tokens serve every call",
    ]
    return [
        *(back if phase in (TOKENS, TO_TOKENS) else []),
        f"write {spoken(TO_KEY)}, and deploy: readers get the key",
        f"wait {minutes + TOKEN_SECONDS // 60} minutes at least, until the last token has ended",
        "write `credential: key`, and deploy: the federation rule is deleted",
    ]


def refused(tenant: Tenant, target: Target) -> str | None:
    """Why this tenant cannot be switched at all; None if it can. The rest is refused by the files' own rules."""
    if tenant.source != "managed":
        return (
            f"{tenant.tenant}'s keys are in the customer's account (`source: customer`), and tokens are given in the "
            "cell's organization alone. Nothing was changed."
        )
    if target == "federated" and not tenant.enabled:
        return (
            f"{tenant.tenant} is disabled, so no call could prove its tokens: run `myflux-keys enable {tenant.tenant}` "
            "first. Nothing was changed."
        )
    return None


def in_words(steps: Sequence[str]) -> str:
    return "\n".join(f"- {step}" for step in steps)
