"""Reads with what a tenant's calls are sent: its key, or a token if it is federated.

Owns which of the two is asked for first, and what a refusal of one means for the other. A tenant may switch at any time
(docs/adr/0043-no-key-at-all.md): the secret is denied once the identity is there, and opened before the identity goes.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from myflux_keys.access_token import Credential, Token
from myflux_keys.errors import AccessDeniedError, KeyReaderError, NotReadyError, SecretNotFoundError, UnavailableError
from myflux_keys.forks import in_each_child
from myflux_keys.identity_source import IdentitySource
from myflux_keys.key import Key
from myflux_keys.secret_source import SecretSource

if TYPE_CHECKING:
    from myflux_keys.tenant_sessions import TenantSessions

_NO_KEY: Final = (AccessDeniedError, SecretNotFoundError, NotReadyError)
"""What the secret says of a tenant that may be federated."""


class CredentialSource:
    """Thread-safe: at most one fetch of a tenant runs at a time."""

    def __init__(self, sessions: TenantSessions) -> None:
        self._sessions = sessions
        self._secrets = SecretSource(sessions)
        self._identities = IdentitySource(sessions)
        self._had: dict[str, type[Credential]] = {}
        """Which of the two each tenant had when it was last read."""
        self._reads: set[object] = set()
        self._closing = False
        self._counting = threading.RLock()
        """Reentrant: a signal's handler may close the reader."""
        in_each_child(self, CredentialSource._start_anew)

    def read(self, tenant: str) -> Credential | KeyReaderError:
        """A session that was denied is dropped. One from before is replaced at once, and the read made again: an
        operator may have ended the role's sessions (docs/adr/0043-no-key-at-all.md)."""
        this = object()
        with self._counting:
            self._reads.add(this)
        try:
            from_before = self._sessions.is_assumed(tenant)
            outcome = self._read(tenant)
            return self._read(tenant) if from_before and _is_denied(outcome) else outcome
        finally:
            with self._counting:
                self._reads.discard(this)
                self._close_when_idle()

    def _read(self, tenant: str) -> Credential | KeyReaderError:
        had = self._had.get(tenant)
        outcome = self._token_first(tenant) if had is Token else self._key_first(tenant, had is Key)
        if not isinstance(outcome, KeyReaderError):
            self._had[tenant] = type(outcome)
        elif not outcome.keeps_last_good:
            self._sessions.forget(tenant)
        return outcome

    def forget(self, tenant: str) -> None:
        self._had.pop(tenant, None)
        self._sessions.forget(tenant)

    def close(self) -> None:
        """At once, or when the reads that run have ended: they would make again what is closed under them."""
        with self._counting:
            self._closing = True
            self._close_when_idle()

    def _close_when_idle(self) -> None:
        if self._closing and not self._reads:
            self._closing = False
            self._had.clear()
            self._identities.close()
            self._sessions.close()

    def _start_anew(self) -> None:
        """In a forked process: the reads that ran are the parent's, and so is what they use."""
        self._counting = threading.RLock()
        self._reads = set()
        self._closing = False

    def _token_first(self, tenant: str) -> Credential | KeyReaderError:
        identity = self._identities.find(tenant)
        if isinstance(identity, KeyReaderError):
            return identity
        if identity is not None:
            return self._identities.token(identity)
        key = self._secrets.read(tenant)
        # On the way back to a key the rule outlives the identity, and so do tokens.
        return _keeping_last_good(key) if isinstance(key, NotReadyError) else key

    def _key_first(self, tenant: str, had_key: bool) -> Credential | KeyReaderError:
        key = self._secrets.read(tenant)
        asks_further = self._sessions.has_credentials and self._sessions.holds(tenant)
        if not isinstance(key, _NO_KEY) or not asks_further:
            return key
        identity = self._identities.find(tenant)
        if identity is None:
            return key
        if isinstance(identity, UnavailableError):
            # Perhaps the tenant is disabled: then its last good key must not be used.
            return type(key)(
                f"{key.args[0]}; and whether it has an identity is not known: {identity.args[0]}",
                tenant=tenant,
                code=key.code,
                way_out=key.way_out,
            )
        if isinstance(identity, KeyReaderError):
            return identity
        token = self._identities.token(identity)
        if isinstance(token, KeyReaderError) and had_key:
            # The identity says that the tenant is not disabled but being switched, and until that is proven its key
            # lives.
            return _keeping_last_good(token)
        return token


def _is_denied(outcome: Credential | KeyReaderError) -> bool:
    return isinstance(outcome, AccessDeniedError)


def _keeping_last_good(error: KeyReaderError) -> UnavailableError:
    return UnavailableError(error.args[0], tenant=error.tenant, code=error.code, way_out=error.way_out)
