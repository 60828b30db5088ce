"""The HTTP client of a tenant's OpenAI client, and its replacement in a forked process.

A client made here is made again when the new process first sends. A client from the application has options (proxies,
certificates, limits) that only its owner knows, and may serve many tenants: it stays, but gets new pools instead of the
inherited ones. httpx2 has no public interface for that, so the pools are found by httpcore2's public classes. A client
that holds connections in any other way is refused in the new process.
"""

from __future__ import annotations

import copy
import os
import socket
import threading
from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import Any, Final, Generic, TypeVar, cast

import httpcore2
import httpx2

from myflux_keys.errors import ConfigurationError, KeyReaderError
from myflux_keys.forks import in_each_child
from myflux_keys.redaction import redact

Client = TypeVar("Client", httpx2.Client, httpx2.AsyncClient)
Made = TypeVar("Made")
Pool = httpcore2.ConnectionPool | httpcore2.AsyncConnectionPool

CLIENTS: Final = (httpx2.Client, httpx2.AsyncClient)
TRANSPORTS: Final = (httpx2.BaseTransport, httpx2.AsyncBaseTransport)
POOLS: Final = (httpcore2.ConnectionPool, httpcore2.AsyncConnectionPool)
STREAMS: Final = (httpcore2.NetworkStream, httpcore2.AsyncNetworkStream)
WITHOUT_SOCKETS: Final = (httpx2.MockTransport, httpx2.ASGITransport, httpx2.WSGITransport)

CERTIFICATES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
PROXIES: Final = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
"""The environment that httpx2 reads; the proxies' names also in lower case."""

_left: Final[list[object]] = []
"""Objects of the parent's event loop. Kept, since a finalizer in this process would call that loop."""


class Network(Generic[Client]):
    """`given`, or one that `make` makes from trusted certificates, and `owned` says so. Thread-safe."""

    def __init__(self, given: Client | None, make: Callable[..., Client]) -> None:
        self.owned: Final = given is None
        self._making = threading.Lock()
        if given is None:
            # Reading certificates takes most of the time to make a client, so it is done once, not in each process.
            make = partial(make, verify=explained(httpx2.create_ssl_context, CERTIFICATES))
        self._make = make
        self._client = explained(make, PROXIES) if given is None else given
        in_each_child(self, Network[Client]._start_anew)

    def client(self) -> Client:
        """Raises KeyReaderError in a forked process where the given client can't be used."""
        if (client := self._client) is not None:
            return client
        if not self.owned:
            raise KeyReaderError(
                "the http_client was made before this process was forked, and its connections cannot be replaced: the"
                " parent process would get this process's answers",
                way_out="Make the http_client and the OpenAI client after the fork.",
            )
        with self._making:
            if self._client is None:
                self._client = explained(self._make, PROXIES)
            return self._client

    def made(self) -> Client | None:
        """The client to close, if it was made here."""
        return self._client if self.owned else None

    def _start_anew(self) -> None:
        self._making = threading.Lock()
        inherited, self._client = self._client, None
        if inherited is None:
            return
        renewed = renew(inherited)
        if renewed and not self.owned:
            self._client = inherited


def explained(make: Callable[[], Made], settings: tuple[str, ...]) -> Made:
    """`make()`; raises ConfigurationError if this process's `settings` prevent it. httpx2 raises errors of many kinds
    for them: ImportError, OSError, ValueError, InvalidURL."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001
        socks = isinstance(error, ImportError)
        told = "a SOCKS proxy needs the package httpx2[socks]" if socks else redact(str(error)).rstrip(".")
    found = [name for name in settings if os.environ.get(name) or os.environ.get(name.lower())]
    # A proxy's URL may hold a password, a path holds none.
    shown = [f"{name}={os.environ.get(name)}" if settings is CERTIFICATES else name for name in found]
    raise ConfigurationError(
        f"no HTTP client for OpenAI can be made: {told}",
        way_out=f"{'Install it, or correct' if socks else 'Correct'} or unset {', '.join(shown) or 'the proxy'},"
        " or pass an http_client.",
    )


def renew(client: httpx2.Client | httpx2.AsyncClient, let_go: Callable[[Iterable[object]], None] | None = None) -> bool:
    """Gives `client` new pools with the same options. Returns whether that was possible.

    By default closes the old pools' sockets in this process only, and sends nothing: TLS's close message would end the
    parent's session. `let_go` does otherwise with the old connections.
    """
    try:
        free_cookies(client)
        places = list(_pools(client, set()))
        for pool in {id(pool): pool for _, _, pool in places}.values():
            (let_go or _let_go)(pool.connections)
        renewed = {id(pool): _emptied(pool) for _, _, pool in places}
        for holder, name, pool in places:
            setattr(holder, name, renewed[id(pool)])
    except (LookupError, AttributeError, TypeError):
        return False
    return True


def free_cookies(client: httpx2.Client | httpx2.AsyncClient) -> None:
    """Frees the lock of the client's cookies, which every answer takes and a thread of the parent may have held."""
    lock = "_cookies_lock"
    if hasattr(client.cookies.jar, lock):
        setattr(client.cookies.jar, lock, threading.RLock())


def _pools(holder: object, seen: set[int]) -> Generator[tuple[object, str, Pool]]:
    """Each pool of a client or transport: its holder, the attribute, the pool. Raises LookupError if there is none."""
    if id(holder) in seen or isinstance(holder, WITHOUT_SOCKETS):
        return
    seen.add(id(holder))
    known = False
    for name, value in list(vars(holder).items()):
        if isinstance(value, POOLS):
            known = True
            yield holder, name, value
            continue
        for part in _parts(value):
            if isinstance(part, POOLS):
                raise LookupError(f"{type(holder).__name__}.{name} holds pools in a {type(value).__name__}")
            if isinstance(part, (*TRANSPORTS, *CLIENTS)):
                known = True
                yield from _pools(part, seen)
    if not known:
        raise LookupError(f"{type(holder).__name__} shows no pool")


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return cast("dict[Any, Any]", value).values()
    return cast("Iterable[Any]", value) if isinstance(value, list | tuple | set | frozenset) else (value,)


def _emptied(pool: Pool) -> Pool:
    """A pool with the same options, without connections and requests. The old pool stays for answers that started with
    it: no missing thread holds one of its locks."""
    new = copy.copy(pool)
    for name in ("_connections", "_requests"):
        if not isinstance(getattr(pool, name), list):
            raise TypeError(f"{name} is not a list")
        setattr(new, name, [])
    for one in (pool, new):
        lock = "_optional_thread_lock"
        setattr(one, lock, type(getattr(one, lock))())
    return new


def _let_go(connections: Iterable[object]) -> None:
    for stream in streams(connections):
        inherited = stream.get_extra_info("socket")
        if isinstance(inherited, socket.socket):
            inherited.close()
        elif inherited is not None and inherited.fileno() >= 0:
            # An event loop's socket: closing it would remove it from the loop's epoll, which the parent uses too.
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, inherited.fileno(), inheritable=False)
            os.close(nowhere)
            _left.append(stream)


def streams(connections: Iterable[object]) -> Generator[Any]:
    """What the connections, wherever in httpcore2's objects, read from and write to."""
    to_see, seen = list(connections), set[int]()
    while to_see:
        thing = to_see.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, STREAMS):
            yield thing
        elif type(thing).__module__.startswith("httpcore2") and hasattr(thing, "__dict__"):
            to_see += vars(thing).values()
