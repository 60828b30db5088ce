"""Ends the access of a tenant without a key after a leak: deny its sessions, delete its rule, make a new one, allow
new sessions.

Owns the order, which is that of a key's revocation (`revoke.py`): the door is shut first and opened last. OpenAI takes
no token back, so what is out lives until its end, which is told. A tenant that is being switched has a key too: it is
revoked while the door is shut. Leaves out the file, the engine and the functions' calls, which are `Means`, and asking
the operator. Each step is safe to repeat. docs/adr/0043-no-key-at-all.md
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from myflux_keys.identity import TOKEN_SECONDS
from ops import ways_out
from ops.actions.credential import unproven_in_time
from ops.actions.end_keys import Killed, Seen, spoken
from ops.actions.rotate import Waiting
from ops.actions.session_access import SessionAccess
from ops.errors import OperationError
from ops.isolation.terms import CannotJudgeError
from ops.journal import Journal
from tenancy import Tenant

SESSIONS: Final = "sessions"
RULE: Final = "rule"
KEYS: Final = "keys"
OPEN: Final = "open"


class Means(Protocol):
    """What a revocation does and asks. Methods raise OperationError."""

    def aws_now(self) -> datetime: ...

    def close(self) -> None:
        """Deploys the tenant without a rule, whatever its file said."""
        ...

    def open(self) -> bool:
        """Deploys what the file said before, with a new rule; False, and nothing is done, where it said `enabled:
        false`."""
        ...

    def look_at_rules(self) -> Seen: ...
    def end_keys(self) -> Killed: ...

    def new_key(self) -> None:
        """Ends every key, and makes a new one that nobody may read yet."""
        ...

    def look(self) -> Mapping[str, Any]:
        """The health function's look."""
        ...


@dataclass(frozen=True)
class RevokedTokens:
    """`tokens_end`: by then every token has ended that was out before, by AWS's clock. `rule`: the new one's id, None
    where the tenant stays disabled."""

    tokens_end: datetime
    rule: str | None


class RevokeTokens:
    """Of one tenant. `journal` holds the steps that are done, for the record: each run does all of them."""

    def __init__(
        self,
        tenant: Tenant,
        journal: Journal,
        sessions: SessionAccess,
        means: Means,
        report: Callable[[str], None],
        waiting: Waiting | None = None,
    ) -> None:
        self._tenant = tenant
        self._slug = tenant.tenant
        self._journal = journal
        self._sessions = sessions
        self._means = means
        self._report = report
        self._waiting = waiting or Waiting()

    def run(self) -> RevokedTokens:
        """Raises OperationError; the door stays as shut as it was then."""
        self._deny()
        ends = self._delete_rule()
        if self._tenant.has_key:
            self._end_keys()
        opened = self._means.open()
        return RevokedTokens(ends, self._open(opened))

    def _step(self, step: str, sentence: str) -> None:
        self._journal.mark(step)
        self._report(sentence)

    def _deny(self) -> None:
        now = self._means.aws_now()
        changed = self._sessions.deny(now)
        self._check_sessions(now, allowed=False)
        self._step(
            SESSIONS,
            f"every session of {self._slug}'s runtime is denied in IAM{'' if changed else ' already'}: AWS signs it no "
            "token",
        )

    def _check_sessions(self, begun: datetime, *, allowed: bool) -> None:
        """By AWS's evaluation logic on what IAM has."""
        try:
            found = self._sessions.gets_token(begun)
        except CannotJudgeError as error:
            self._report(f"not checked, by IAM's documents, whether a session gets a token: {error}")
            return
        if found is None:
            self._report("not checked whether a session gets a token: IAM's documents depend on what is not known")
        elif found != allowed:
            told = "allow" if found else "deny"
            raise OperationError(
                f"IAM's documents still {told} a token to a session of {self._slug} that began at {_clock(begun)}: "
                "somebody else changed the runtime role. Find out who, and run the same command again."
            )

    def _delete_rule(self) -> datetime:
        self._means.close()
        seen = self._means.look_at_rules()
        if seen.rules:
            raise OperationError(
                f"OpenAI still lists {', '.join(seen.rules)}, which gives tokens of {self._slug}: its stack did not "
                "make that rule, or another deployment made it again. Delete it on OpenAI's site, and run the same "
                f"command again. {self._slug}'s sessions stay denied."
            )
        # Not from when the sessions were denied: IAM takes seconds to apply it everywhere.
        ends = self._means.aws_now() + timedelta(seconds=TOKEN_SECONDS)
        self._step(
            RULE,
            f"its federation rule is deleted, OpenAI lists none: no token is exchanged. {ways_out.tokens_out(ends)}",
        )
        return ends

    def _end_keys(self) -> None:
        if self._tenant.credential == "key":
            self._means.new_key()
            self._step(KEYS, "its keys are revoked, and a new one is live")
            return
        done = self._means.end_keys()
        if done.failed:
            raise OperationError(
                f"it is not certain that every key is revoked ({'; '.join(done.failures)}). Delete them on "
                f"OpenAI's site, then run the same command again. {self._slug} stays shut."
            )
        self._step(KEYS, f"{spoken(done.revoked)}; its runtime uses tokens, so none is made")

    def _open(self, opened: bool) -> str | None:
        now = self._means.aws_now()
        self._sessions.allow_from(now)
        self._check_sessions(now - timedelta(seconds=1), allowed=False)
        self._check_sessions(now, allowed=True)
        if not opened:
            self._step(OPEN, "it stays without a rule, as the tenant's file says (enabled: false)")
            return None
        rules = self._means.look_at_rules().rules or ()
        if len(rules) != 1:
            raise OperationError(
                f"{self._slug} must have one new federation rule, and OpenAI lists {', '.join(rules) or 'none'}: run "
                "the same command again."
            )
        with_what = "key" if self._tenant.credential == "key" else "token"
        self._prove(with_what)
        self._step(
            OPEN,
            f"a new rule, {rules[0]}, gives tokens to sessions that began at {_clock(now)} or later, and a call with a "
            f"{with_what} was answered. Sessions from before stay denied",
        )
        return rules[0]

    def _prove(self, with_what: str) -> None:
        if (wrong := unproven_in_time(self._means.look, with_what, self._waiting)) is not None:
            raise OperationError(
                f"{self._slug} has a new rule, and new sessions are allowed, but a call with a {with_what} does "
                f"not succeed: {wrong}. `myflux-keys verify {self._slug}` shows more; then run the same command "
                "again."
            )


def consequences(tenant: Tenant) -> list[str]:
    """What a revocation interrupts, shown before the question."""
    sentences = [
        "Every session of this tenant's runtime is denied at once, and its federation rule is deleted. Its calls fail "
        "as their tokens end, and no new token comes until there is a new rule: after two deployments, a few minutes.",
        "Sessions from before stay denied. Processes begin new ones, and get tokens, by themselves.",
        f"A token that is out lives up to {TOKEN_SECONDS // 60} minutes more, and nothing takes it back.",
    ]
    if tenant.has_key:
        sentences.append("It is being switched, so it has a key too: every key is revoked.")
    if not tenant.enabled:
        sentences.append("The tenant's file says `enabled: false`, so it stays without a rule afterwards.")
    return sentences


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S}Z"
