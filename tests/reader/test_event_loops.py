"""An asynchronous OpenAI client in one `asyncio.run()` after another, and in two event loops at once."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import openai
import pytest

from myflux_keys import KeyReader, KeyReaderError
from tests.reader.echo_server import EchoServer, make_certificate
from tests.reader.forked_program import aask
from tests.reader.stand_in import StandIn, key_text

# asyncio.run() closes its loop and leaves the connections in it to the garbage collector, which warns of them.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
RUNS = 3


@pytest.fixture
def collected() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def echo(aws: StandIn, collected: None) -> Iterator[EchoServer]:
    with EchoServer() as server:
        for tenant in ("acme", "globex"):
            aws.put(tenant, key_text(tenant), base_url=server.url)
        yield server


def ask_in_runs(make: Callable[[], openai.AsyncOpenAI]) -> list[str]:
    """Two questions in each of three runs, with what `make` returns in each."""

    async def run(number: int) -> list[str]:
        client = make()
        return [await aask(client, f"run {number}, call {call}") for call in range(2)]

    return [answer for number in range(RUNS) for answer in asyncio.run(run(number))]


ALL = [f"run {number}, call {call}" for number in range(RUNS) for call in range(2)]


def test_a_client_works_in_one_run_after_another(reader: KeyReader, echo: EchoServer) -> None:
    client = asyncio.run(reader.async_openai_client("acme", max_retries=0))
    assert ask_in_runs(lambda: client) == ALL
    assert [len(questions) for questions in echo.asked.values()] == [2] * RUNS, "each run has a connection of its own"
    asyncio.run(client.close())


def test_over_tls_too(
    reader: KeyReader, aws: StandIn, collected: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with EchoServer(certificate) as server:
        aws.put("acme", key_text("acme"), base_url=server.url)
        client = asyncio.run(reader.async_openai_client("acme", max_retries=0))
        assert ask_in_runs(lambda: client) == ALL
        asyncio.run(client.close())


def test_an_http_client_of_the_application_works_in_one_run_after_another(reader: KeyReader, echo: EchoServer) -> None:
    """Also below OpenAI clients that are made in each run, and below two tenants' at once."""
    network = httpx2.AsyncClient()

    async def run(number: int) -> list[str]:
        clients = [
            await reader.async_openai_client(tenant, http_client=network, max_retries=0)
            for tenant in ("acme", "globex")
        ]
        return [await aask(clients[call], f"run {number}, call {call}") for call in range(2)]

    assert [answer for number in range(RUNS) for answer in asyncio.run(run(number))] == ALL
    assert [len(questions) for questions in echo.asked.values()] == [2] * RUNS, "both tenants use one connection"

    async def end() -> None:
        one = await reader.async_openai_client("acme", http_client=network, max_retries=0)
        await aask(one, "the last")
        await network.aclose()

    asyncio.run(end())


def test_connections_of_a_closed_loop_do_not_pile_up(reader: KeyReader, echo: EchoServer) -> None:
    client = asyncio.run(reader.async_openai_client("acme", max_retries=0))

    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    gc.disable()
    try:
        ask_in_runs(lambda: client)
        before = open_files()
        ask_in_runs(lambda: client)
        assert open_files() == before
    finally:
        gc.enable()
    asyncio.run(client.close())


def test_a_second_loop_beside_an_open_one_is_one_clear_error(reader: KeyReader, echo: EchoServer) -> None:
    client = asyncio.run(reader.async_openai_client("acme", max_retries=0))
    first = asyncio.new_event_loop()
    try:
        assert first.run_until_complete(aask(client, "first")) == "first"
        with pytest.raises(KeyReaderError, match=r"another event loop.*Make one for each event loop, with `await"):
            asyncio.run(aask(client, "second"))
        assert first.run_until_complete(aask(client, "first again")) == "first again", "the first loop goes on"
        first.run_until_complete(client.close())
    finally:
        first.close()


class Hidden(httpx2.AsyncBaseTransport):
    """Nobody sees from outside whether it holds connections."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        return httpx2.Response(401, json={"error": {"message": "Missing scopes"}})


def test_connections_that_can_not_be_replaced_are_one_clear_error(reader: KeyReader, echo: EchoServer) -> None:
    network = httpx2.AsyncClient(transport=Hidden())
    client = asyncio.run(reader.async_openai_client("acme", http_client=network, max_retries=0))
    with pytest.raises(openai.AuthenticationError):
        asyncio.run(aask(client, "first"))
    with pytest.raises(KeyReaderError, match=r"cannot be replaced.*in each `asyncio\.run\(\)`"):
        asyncio.run(aask(client, "second"))


def test_a_reader_serves_every_loop(reader: KeyReader, aws: StandIn) -> None:
    for _ in range(RUNS):
        assert asyncio.run(reader.aget("acme")).tenant == "acme"
