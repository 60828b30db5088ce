"""OpenAI's own client with a tenant's key or token: follows rotations and switches, repeats a call once on 401, and
never holds the key.

Owns the transport between the SDK and the network. The SDK has a placeholder; the transport puts the key on a copy of
each request, so that no client attribute, request, error or header dump of the application has it. Uses only the public
interfaces of openai and httpx2. Leaves out Realtime: WebSockets do not use HTTP transports; give them
`reader.get(tenant).reveal()`.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import httpx2
import openai

from myflux_keys.access_token import Credential, Token
from myflux_keys.errors import KeyReaderError
from myflux_keys.event_loops import AsyncNetwork
from myflux_keys.forks import in_each_child
from myflux_keys.networks import Network, free_cookies
from myflux_keys.quiet import quiet

PLACEHOLDER: Final = "held-by-myflux-keys"

SET_BY_THE_TENANT: Final = frozenset(
    {
        "admin_api_key",
        "api_key",
        "base_url",
        "data_residency",
        "organization",
        "project",
        "provider",
        "websocket_base_url",
        "workload_identity",
    }
)


class Credentials(Protocol):
    """The reader's cache. `rejected` is what OpenAI answered 401 to."""

    def __call__(self, tenant: str, *, rejected: Credential | None = None) -> Credential: ...


class AsyncCredentials(Protocol):
    async def __call__(self, tenant: str, *, rejected: Credential | None = None) -> Credential: ...


def openai_client(credentials: Credentials, first: Credential, options: dict[str, Any]) -> openai.OpenAI:
    """`options` are openai.OpenAI's; an `http_client` among them sends the requests and may serve many tenants.

    A forked process can use the client, with connections of its own. If an `http_client`'s transport is neither
    httpx2's nor built on it, the first call there raises KeyReaderError.
    """
    own, given = _split(options)
    network = Network[httpx2.Client](given, openai.DefaultHttpxClient)
    http_client = httpx2.Client(transport=KeyTransport(credentials, first, network), follow_redirects=True)
    in_each_child(http_client, free_cookies)
    return openai.OpenAI(**_identity(first), http_client=http_client, **own)


def async_openai_client(
    credentials: AsyncCredentials, first: Credential, options: dict[str, Any]
) -> openai.AsyncOpenAI:
    own, given = _split(options)
    network = AsyncNetwork(given, openai.DefaultAsyncHttpxClient)
    http_client = httpx2.AsyncClient(transport=AsyncKeyTransport(credentials, first, network), follow_redirects=True)
    in_each_child(http_client, free_cookies)
    return openai.AsyncOpenAI(**_identity(first), http_client=http_client, **own)


class _Sending:
    """What both transports share: the tenant, the host to which its key may be sent, and the request with the key."""

    def __init__(self, first: Credential) -> None:
        self._tenant = first.tenant
        self._home = httpx2.URL(first.base_url)

    def _check(self, url: httpx2.URL) -> None:
        if url.origin != self._home.origin:
            raise KeyReaderError(
                f"what tenant {self._tenant!r} calls with is sent only to {self._home}, not to {url.scheme}://{url.host}",
                tenant=self._tenant,
                way_out="Do not change the client's base URL; the secret's payload, or the identity, sets it.",
            )

    @staticmethod
    def _with_key(request: httpx2.Request, key: Credential) -> httpx2.Request:
        headers = request.headers.copy()
        headers["Authorization"] = f"Bearer {key.reveal()}"
        # A customer's own key implies both, as does a token: with one, OpenAI's own client sends neither.
        ids = ("", "") if isinstance(key, Token) else (key.organization_id, key.project_id)
        for header, told in zip(("OpenAI-Organization", "OpenAI-Project"), ids, strict=True):
            headers.pop(header, None)
            if told:
                headers[header] = told
        return httpx2.Request(
            request.method, request.url, headers=headers, stream=request.stream, extensions=request.extensions
        )


class KeyTransport(_Sending, httpx2.BaseTransport):
    def __init__(self, credentials: Credentials, first: Credential, network: Network[httpx2.Client]) -> None:
        super().__init__(first)
        self._credentials = credentials
        self._network = network

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self._check(request.url)
        key = self._credentials(self._tenant)
        response = self._send(request, key)
        if response.status_code != 401:
            return response
        response.read()
        if not is_dead_key(response) or not can_be_sent_again(request):
            return response
        fresh = self._credentials(self._tenant, rejected=key)
        return response if fresh.version_id == key.version_id else self._send(request, fresh)

    def close(self) -> None:
        if (network := self._network.made()) is not None:
            network.close()

    def _send(self, request: httpx2.Request, key: Credential) -> httpx2.Response:
        network = self._network.client()
        with quiet():
            try:
                return network.send(self._with_key(request, key), stream=True, auth=None, follow_redirects=False)
            except httpx2.TransportError as error:
                failure = without_frames(error, request)
        raise failure


class AsyncKeyTransport(_Sending, httpx2.AsyncBaseTransport):
    def __init__(self, credentials: AsyncCredentials, first: Credential, network: AsyncNetwork) -> None:
        super().__init__(first)
        self._credentials = credentials
        self._network = network

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._check(request.url)
        key = await self._credentials(self._tenant)
        response = await self._send(request, key)
        if response.status_code != 401:
            return response
        await response.aread()
        if not is_dead_key(response) or not can_be_sent_again(request):
            return response
        fresh = await self._credentials(self._tenant, rejected=key)
        return response if fresh.version_id == key.version_id else await self._send(request, fresh)

    async def aclose(self) -> None:
        await self._network.aclose()

    async def _send(self, request: httpx2.Request, key: Credential) -> httpx2.Response:
        network = self._network.client()
        with quiet():
            try:
                return await network.send(self._with_key(request, key), stream=True, auth=None, follow_redirects=False)
            except httpx2.TransportError as error:
                failure = without_frames(error, request)
        raise failure


def is_dead_key(response: httpx2.Response) -> bool:
    """Whether a 401, its body read, says that the key is not valid. A restricted key without the scope for a call also
    gets 401, with "Missing scopes" in its message: another key of the tenant would have the same scopes."""
    return "missing scopes" not in response.text.lower()


def can_be_sent_again(request: httpx2.Request) -> bool:
    """True for bytes, and for multipart of known length: its files are seekable, and httpx2 rewinds them. False for a
    generator."""
    if isinstance(request.stream, httpx2.ByteStream):
        return True
    multipart = request.headers.get("Content-Type", "").startswith("multipart/form-data")
    return multipart and "Content-Length" in request.headers


def without_frames(error: httpx2.TransportError, request: httpx2.Request) -> httpx2.TransportError:
    """The same error with the application's own request: the frames of the original have the key in local variables."""
    failure = type(error)(str(error))
    failure.request = request
    return failure


def _identity(first: Credential) -> dict[str, Any]:
    """An empty admin key, so that the SDK takes none from the environment."""
    return {
        "api_key": PLACEHOLDER,
        "admin_api_key": "",
        "base_url": first.base_url,
        "organization": first.organization_id,
        "project": first.project_id,
    }


def _split(options: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """The SDK's options without `http_client`, and that one."""
    refused = sorted(SET_BY_THE_TENANT & options.keys())
    if refused:
        raise TypeError(f"{', '.join(refused)}: leave it out, the tenant's secret or identity sets it")
    return {name: value for name, value in options.items() if name != "http_client"}, options.get("http_client")
