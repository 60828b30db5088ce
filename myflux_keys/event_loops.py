"""The HTTP client of a tenant's asynchronous OpenAI client, in one event loop after another.

A connection belongs to the event loop that opened it, and each `asyncio.run()` has a loop of its own. When the loop
before is closed, the client gets new pools (`networks`). A loop that is still open may be using its connections, so a
second one beside it is refused.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import Callable, Iterable
from typing import Final
from weakref import WeakKeyDictionary

import httpx2

from myflux_keys.errors import KeyReaderError
from myflux_keys.forks import in_each_child
from myflux_keys.networks import Network, renew, streams

_loops: Final[WeakKeyDictionary[httpx2.AsyncClient, AbstractEventLoop]] = WeakKeyDictionary()
"""The loop of each client's connections. Many tenants' OpenAI clients may share one HTTP client."""


class AsyncNetwork(Network[httpx2.AsyncClient]):
    def __init__(self, given: httpx2.AsyncClient | None, make: Callable[..., httpx2.AsyncClient]) -> None:
        super().__init__(given, make)
        in_each_child(self, AsyncNetwork._start_anew)

    def client(self) -> httpx2.AsyncClient:
        """Raises KeyReaderError in a second event loop where the client can't be used."""
        client, loop = super().client(), get_running_loop()
        if _loops.get(client) is not loop:
            with self._making:
                _move(client, loop)
        return client

    async def aclose(self) -> None:
        """Closes the client if it was made here, in whatever loop."""
        if (client := self.made()) is not None:
            if (before := _loops.get(client)) is not None and before.is_closed():
                renew(client, _close)
            await client.aclose()

    def _start_anew(self) -> None:
        if self._client is not None:
            _loops.pop(self._client, None)
        super()._start_anew()


def _move(client: httpx2.AsyncClient, loop: AbstractEventLoop) -> None:
    before = _loops.get(client)
    if before is not None and not before.is_closed():
        raise KeyReaderError(
            "this OpenAI client, or its http_client, is used in another event loop, which is still open",
            way_out="Make one for each event loop, with `await reader.async_openai_client(tenant)`; one KeyReader"
            " serves them all.",
        )
    if before is not None and not renew(client, _close):
        raise KeyReaderError(
            "the http_client was used in an event loop that is closed, and its connections cannot be replaced",
            way_out="Make the http_client and the OpenAI client in each `asyncio.run()`.",
        )
    _loops[client] = loop


def _close(connections: Iterable[object]) -> None:
    """Closes the sockets, at once and without the closed loop, which could not."""
    for stream in streams(connections):
        # asyncio shows a socket without `close`; uvloop has closed its own with the loop.
        inherited = getattr(stream.get_extra_info("socket"), "_sock", None)
        if inherited is not None:
            inherited.close()
