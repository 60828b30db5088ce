"""The runtime's way to a tenant's key: read with the tenant's own session, cached, fetched once however many ask.

Owns the public reader: who fetches, who waits, in threads and in asyncio. Leaves out the decisions (`cached_key`), the
calls (`secret_source`) and OpenAI's client (`openai_clients`, loaded when asked for). Nothing is made at import.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NoReturn

from myflux_keys.cached_key import CachedKey, Flight, Lifetimes, Outcome
from myflux_keys.errors import InvalidTenantError
from myflux_keys.forks import in_each_child
from myflux_keys.key import Key
from myflux_keys.names import CELL_SLUG, TENANT_SLUG
from myflux_keys.redaction import redact

if TYPE_CHECKING:
    import boto3
    from openai import AsyncOpenAI, OpenAI
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sts import STSClient

    from myflux_keys.secret_source import RoleArn

MOST_ENTRIES: Final = 4096
"""Twice the tenants that a cell can hold. Above it, entries that hold nothing are dropped: names are callers' input."""


class KeyReader:
    """Reads tenants' keys of one cell. One reader serves a whole process, and is thread-safe.

    After `os.fork()` it and its OpenAI clients go on in the new process, with no key known and on new connections.

    The process's credentials (`session`, by default boto3's own chain) assume the cell's runtime role with the session
    tag ``tenant=<tenant>`` and read that tenant's secret, and no other.

    - `role_arn`: the role, or a function from tenant to role where tenants have dedicated ones. By default the
      runtime role of `cell` in the account of the process's credentials.
    - `assume=False`: the process's credentials already carry the tag; no role is assumed.
    - `ttl`: seconds a key is served without asking AWS, ± 10 % jitter, at most 1636: an old key must outlive it.
    - `stale_for`: seconds beyond `ttl` that the last good key is served while AWS fails. Never after AWS refuses or the
      secret is gone, and never beyond the key's own expiry.
    - `clock`: seconds since the epoch. `sts` and `secretsmanager` (with `assume=False`) replace the clients made here.

    Raises ValueError for a `cell`, `role_arn`, `ttl` or `stale_for` that can't be right, or a missing Region.
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
        from myflux_keys.secret_source import SecretSource

        if not CELL_SLUG.fullmatch(cell):
            raise ValueError(f"{_shown(cell)} is not a cell's name: 3 to 20 of a-z 0-9 -, starting with a letter")
        self.cell: Final = cell
        self._lifetimes = Lifetimes(ttl, stale_for)
        self._clock = clock
        self._source = SecretSource(
            cell,
            clock,
            session=session,
            region=region,
            role_arn=role_arn,
            assume=assume,
            sts=sts,
            secretsmanager=secretsmanager,
        )
        self._entries: dict[str, CachedKey] = {}
        self._adding = threading.Lock()
        in_each_child(self, KeyReader._start_anew)

    def get(self, tenant: str, *, fresh: bool = False, rejected: Key | None = None) -> Key:
        """The tenant's live key.

        `rejected` is a key that OpenAI answered 401 to: a newer one is returned, fetched unless somebody has done so
        since. `fresh=True` fetches without such a key at hand. Both join a fetch under way and keep at least a second
        (15 while nothing changes) between calls to AWS, so what comes back may be the same version.

        Raises InvalidTenantError before anything is sent, else NotReadyError, AccessDeniedError, SecretNotFoundError,
        UnavailableError or PayloadError; all are KeyReaderError.
        """
        if not fresh and rejected is None:
            entry = self._entries.get(tenant)
            if entry is not None and (warm := entry.warm) is not None and warm[0] <= self._clock() < warm[1]:
                return warm[2]
        while True:
            entry = self._entry(tenant)
            flight, mine = entry.board(self._clock(), fresh=fresh, rejected=rejected)
            if mine:
                self._fetch(tenant, entry, flight)
            if (outcome := flight.result()) is not None:
                return _settle(outcome)

    async def aget(self, tenant: str, *, fresh: bool = False, rejected: Key | None = None) -> Key:
        """`get` for asyncio: the loop is never blocked, and a cancelled task leaves the fetch to the others."""
        if not fresh and rejected is None:
            entry = self._entries.get(tenant)
            if entry is not None and (warm := entry.warm) is not None and warm[0] <= self._clock() < warm[1]:
                return warm[2]
        from asyncio import wrap_future

        while True:
            entry = self._entry(tenant)
            flight, mine = entry.board(self._clock(), fresh=fresh, rejected=rejected)
            if mine:
                self._fetch_in_thread(tenant, entry, flight)
            if (outcome := await wrap_future(flight)) is not None:
                return _settle(outcome)

    def openai_client(self, tenant: str, **options: Any) -> OpenAI:
        """An OpenAI client on the tenant's key, base URL, organization and project, that follows rotations.

        A call refused with 401 is repeated once with a fresh key, streams included. Reads the key once, for the base
        URL. `options` go to `openai.OpenAI`; those that the secret decides are refused with TypeError.
        """
        from myflux_keys.openai_clients import openai_client

        return openai_client(self, self.get(tenant), options)

    async def async_openai_client(self, tenant: str, **options: Any) -> AsyncOpenAI:
        """`openai_client` for asyncio."""
        from myflux_keys.openai_clients import async_openai_client

        return async_openai_client(self, await self.aget(tenant), options)

    def close(self) -> None:
        """Forgets every key and session and closes the clients made here. A later `get` starts anew."""
        self._entries.clear()
        self._source.close()

    def __enter__(self) -> KeyReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"KeyReader({self.cell!r})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a KeyReader is not pickled or copied: make one in each process")

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
        """In a forked process: what was known is asked for again, or processes made together would expire together."""
        self._adding = threading.Lock()
        self._entries = {}

    def _fetch(self, tenant: str, entry: CachedKey, flight: Flight) -> None:
        began = self._clock()
        try:
            outcome = self._source.read(tenant)
        except Exception as error:  # noqa: BLE001 - not swallowed: raised by everybody who waits for the flight
            entry.abandon(flight, error)
            return
        except BaseException:
            entry.abandon(flight)
            raise
        entry.land(flight, outcome, began, self._clock())

    def _fetch_in_thread(self, tenant: str, entry: CachedKey, flight: Flight) -> None:
        """A thread of its own for each fetch: in a shared pool, a few slow tenants would hold up all others."""
        thread = threading.Thread(
            target=self._fetch, args=(tenant, entry, flight), name=f"myflux-keys-{tenant}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            entry.abandon(flight)
            raise


def _settle(outcome: Outcome) -> Key:
    if isinstance(outcome, Key):
        return outcome
    raise outcome.again()


def _shown(text: object) -> str:
    """Callers' input in an error: short, and without anything shaped like a key."""
    return redact(repr(text))[:80]
