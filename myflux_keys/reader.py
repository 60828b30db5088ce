"""Reads tenants' keys for the runtime: with the tenant's own session, cached, fetched once for many callers.

Owns the public reader: who fetches, who waits, in threads and in asyncio. Leaves out the decisions (`cached_key`), the
calls (`credential_source`) and OpenAI's client (`openai_clients`, loaded when needed). The import creates nothing.
"""

from __future__ import annotations

import threading
import time
from _thread import start_new_thread
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NoReturn

from myflux_keys.access_token import Credential, Token
from myflux_keys.cached_key import Answer, CachedKey, Flight, Outcome
from myflux_keys.errors import FederatedTenantError, InvalidTenantError, KeyReaderError, UnavailableError
from myflux_keys.forks import in_each_child
from myflux_keys.key import Key
from myflux_keys.lifetimes import Lifetimes
from myflux_keys.names import CELL_SLUG, TENANT_SLUG
from myflux_keys.redaction import redact

if TYPE_CHECKING:
    import boto3
    from openai import AsyncOpenAI, OpenAI
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sts import STSClient

    from myflux_keys.tenant_sessions import RoleArn

MOST_ENTRIES: Final = 4096
"""Twice the tenants that a cell can hold. Above it, entries of names that have no key are dropped, since callers may
pass any name."""


class KeyReader:
    """Reads tenants' keys of one cell, and gets tokens for federated tenants. One reader serves a whole process, and is
    thread-safe.

    After `os.fork()` it and its OpenAI clients work in the new process, with an empty cache and new connections.

    The process's credentials (`session`, by default boto3's own chain) assume the cell's runtime role with the session
    tag ``tenant=<tenant>``, which can read only that tenant's secret, and get a token for that tenant alone.

    - `role_arn`: the role, or a function from tenant to role if tenants have dedicated ones. By default the
      runtime role of `cell` in the account of the process's credentials.
    - `assume=False`: the process's credentials already have the tag; no role is assumed.
    - `region`: by default AWS_REGION, then AWS_DEFAULT_REGION, then the profile's; first of all a `session`'s own.
    - `ttl`: seconds that a key or token is cached, ± 10 % jitter, at most 1636, since an old key must be valid for
      longer. From 80 % of it on, the first read starts a fetch in the background, and gets the cached one like all
      others.
    - `stale_for`: seconds beyond `ttl` that the last good one is used while AWS or the exchange fails. Never after a
      refusal or the secret's deletion, and never beyond its own expiry.
    - `clock`: seconds since the epoch. `sts` and `secretsmanager` (with `assume=False`) replace the clients made here.

    Raises ValueError for an invalid `cell`, `role_arn`, `ttl` or `stale_for`, and ConfigurationError, which is one too,
    for a missing Region or an AWS profile that cannot be read.
    """

    def __init__(
        self,
        cell: str,
        *,
        session: boto3.Session | None = None,
        region: str | None = None,
        role_arn: RoleArn = None,
        assume: bool = True,
        ttl: float = 300.0,
        stale_for: float = 3600.0,
        clock: Callable[[], float] = time.time,
        sts: STSClient | None = None,
        secretsmanager: SecretsManagerClient | None = None,
    ) -> None:
        from myflux_keys.credential_source import CredentialSource
        from myflux_keys.tenant_sessions import TenantSessions

        if not CELL_SLUG.fullmatch(cell):
            raise ValueError(f"{_shown(cell)} is not a cell's name: 3 to 20 of a-z 0-9 -, starting with a letter")
        self.cell: Final = cell
        self._lifetimes = Lifetimes(ttl, stale_for)
        self._clock = clock
        self._sessions = TenantSessions(
            cell,
            clock,
            session=session,
            region=region,
            role_arn=role_arn,
            assume=assume,
            sts=sts,
            secretsmanager=secretsmanager,
        )
        self._source = CredentialSource(self._sessions)
        self._entries: dict[str, CachedKey] = {}
        self._adding = threading.Lock()
        in_each_child(self, KeyReader._start_anew)

    def get(self, tenant: str, *, fresh: bool = False, rejected: Key | None = None) -> Key:
        """The tenant's live key. The first read waits as long as AWS takes, a later one at most 0.9 s: then its answer
        is the last good key or an error.

        `rejected` is a key that OpenAI answered 401 to: a newer one is fetched, unless another caller already did.
        `fresh=True` fetches without such a key. Both join a running fetch and leave at least a second (15 while nothing
        changes) between calls to AWS, so the same version may be returned. They wait as long as AWS takes, unless
        the fetch before failed: then at most 0.9 s.

        Raises InvalidTenantError before anything is sent, or FederatedTenantError, NotReadyError, AccessDeniedError,
        SecretNotFoundError, UnavailableError or PayloadError; all are KeyReaderError.
        """
        return _key(self._credential(tenant, fresh=fresh, rejected=rejected))

    async def aget(self, tenant: str, *, fresh: bool = False, rejected: Key | None = None) -> Key:
        """`get` for asyncio: never blocks the loop, and a cancelled task does not stop the fetch for others."""
        return _key(await self._acredential(tenant, fresh=fresh, rejected=rejected))

    def models(self, tenant: str) -> tuple[str, ...]:
        """The models that the tenant's file names, the default first; empty for a key that names none. It serves both
        kinds of tenants. Raises the errors of `openai_client`."""
        return self._credential(tenant).models

    async def amodels(self, tenant: str) -> tuple[str, ...]:
        """`models` for asyncio."""
        return (await self._acredential(tenant)).models

    def openai_client(self, tenant: str, **options: Any) -> OpenAI:
        """An OpenAI client that calls for the tenant: with its key, or with a token if it is federated. It follows
        rotations, and a switch from one to the other.

        A call refused with 401 is repeated once with a fresh key or token, also a stream. Reads the one or the other
        once, for the base URL. `options` are for `openai.OpenAI`; raises TypeError for those that the tenant sets.
        Raises the errors of `get`, without FederatedTenantError.
        """
        from myflux_keys.openai_clients import openai_client

        return openai_client(self._credential, self._credential(tenant), options)

    async def async_openai_client(self, tenant: str, **options: Any) -> AsyncOpenAI:
        """`openai_client` for asyncio."""
        from myflux_keys.openai_clients import async_openai_client

        return async_openai_client(self._acredential, await self._acredential(tenant), options)

    def close(self) -> None:
        """Drops every key and session and closes the clients made here: at once, or when the fetches that still run in
        the background have ended. A later `get` starts anew."""
        self._entries.clear()
        self._source.close()

    def __enter__(self) -> KeyReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"KeyReader({self.cell!r})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a KeyReader cannot be pickled or copied: make one in each process")

    def _credential(self, tenant: str, *, fresh: bool = False, rejected: Credential | None = None) -> Credential:
        if not fresh and rejected is None:
            entry = self._entries.get(tenant)
            if entry is not None and (warm := entry.warm) is not None and warm[0] <= self._clock() < warm[1]:
                return warm[2]
        while True:
            entry = self._entry(tenant)
            step = entry.join(self._clock(), fresh=fresh, rejected=rejected)
            if isinstance(step, Answer):
                return self._take(tenant, entry, step)
            # Without a bound on its time, this thread can as well fetch; also where no thread can be started.
            if step.mine and (step.patience is None or not self._start_thread(tenant, entry, step.flight)):
                self._fetch(tenant, entry, step.flight)
            try:
                outcome = step.flight.answer.result(step.patience)
            except TimeoutError:
                outcome = entry.give_up(step.flight, tenant, self._clock())
            if outcome is not None:
                return _settle(outcome)

    async def _acredential(self, tenant: str, *, fresh: bool = False, rejected: Credential | None = None) -> Credential:
        if not fresh and rejected is None:
            entry = self._entries.get(tenant)
            if entry is not None and (warm := entry.warm) is not None and warm[0] <= self._clock() < warm[1]:
                return warm[2]
        from asyncio import timeout, wrap_future

        while True:
            entry = self._entry(tenant)
            step = entry.join(self._clock(), fresh=fresh, rejected=rejected)
            if isinstance(step, Answer):
                return self._take(tenant, entry, step)
            if step.mine and not self._start_thread(tenant, entry, step.flight):
                entry.complete(step.flight, _no_thread(tenant), self._clock())
            try:
                async with timeout(step.patience):
                    outcome = await wrap_future(step.flight.answer)
            except TimeoutError:
                outcome = entry.give_up(step.flight, tenant, self._clock())
            if outcome is not None:
                return _settle(outcome)

    def _entry(self, tenant: str) -> CachedKey:
        entry = self._entries.get(tenant)
        if entry is not None:
            return entry
        if not isinstance(tenant, str) or not TENANT_SLUG.fullmatch(tenant):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTenantError(
                f"{_shown(tenant)} is not a tenant's name",
                tenant=_shown(tenant),
                way_out="A name is 3 to 32 of a-z 0-9 -, starting with a letter, as in tenants/<tenant>.yaml.",
            )
        with self._adding:
            if len(self._entries) >= MOST_ENTRIES:
                self._drop_idle()
            return self._entries.setdefault(tenant, CachedKey(self._lifetimes))

    def _drop_idle(self) -> None:
        now = self._clock()
        for tenant in [tenant for tenant, entry in self._entries.items() if entry.is_idle(now)]:
            del self._entries[tenant]
            self._source.forget(tenant)

    def _start_anew(self) -> None:
        """In a forked process: drops the cache, or processes forked together would fetch at the same time later."""
        self._adding = threading.Lock()
        self._entries = {}

    def _take(self, tenant: str, entry: CachedKey, answer: Answer) -> Credential:
        if (flight := answer.refresh) is not None:
            # `Thread.start` waits until the new thread runs, which takes milliseconds on a busy machine. This does not.
            try:
                start_new_thread(self._start_or_abandon, (tenant, entry, flight))
            except RuntimeError:
                entry.abandon(flight)
        return _settle(answer.outcome)

    def _start_or_abandon(self, tenant: str, entry: CachedKey, flight: Flight) -> None:
        if not self._start_thread(tenant, entry, flight):
            entry.abandon(flight)

    def _fetch(self, tenant: str, entry: CachedKey, flight: Flight) -> None:
        try:
            outcome = self._source.read(tenant)
        except Exception as error:  # noqa: BLE001 - not swallowed: raised by everybody who waits for the flight
            entry.abandon(flight, error)
            return
        except BaseException:
            entry.abandon(flight)
            raise
        entry.complete(flight, outcome, self._clock())

    def _start_thread(self, tenant: str, entry: CachedKey, flight: Flight) -> bool:
        """Whether the fetch runs. Each has its own thread: in a shared pool, a few slow tenants would delay all
        others."""
        thread = threading.Thread(
            target=self._fetch, args=(tenant, entry, flight), name=f"myflux-keys-{tenant}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            return False
        return True


def _no_thread(tenant: str) -> UnavailableError:
    return UnavailableError(
        f"no thread can be started to fetch the key of tenant {tenant!r}",
        tenant=tenant,
        way_out="This process has too many threads, or is about to end.",
    )


def _settle(outcome: Outcome) -> Credential:
    if isinstance(outcome, KeyReaderError):
        raise outcome.again()
    return outcome


def _key(credential: Credential) -> Key:
    if isinstance(credential, Token):
        tenant = credential.tenant
        raise FederatedTenantError(
            f"tenant {tenant!r} is federated and has no key",
            tenant=tenant,
            way_out=f"call OpenAI by the reader's openai_client({tenant!r}) or async_openai_client({tenant!r})",
        )
    return credential


def _shown(text: object) -> str:
    """A caller's input for an error: short, and without anything shaped like a key."""
    return redact(repr(text))[:80]
