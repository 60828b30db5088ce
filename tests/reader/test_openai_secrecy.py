"""What an application can get hold of when it calls OpenAI, errors and tracebacks included, holds no key."""

from __future__ import annotations

import socket
import threading
import traceback
from collections.abc import Callable

import httpx2
import openai

from myflux_keys import KeyReader
from tests.reader.openai_stand_in import ASK, OpenAI
from tests.reader.stand_in import StandIn, key_text


def shown(error: BaseException) -> str:
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def failure_of(call: Callable[[], object]) -> Exception:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the test looks at it
        return error
    raise AssertionError("the call was meant to fail")


def test_neither_client_nor_request_nor_error_holds_the_key(client: openai.OpenAI, api: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(**ASK)
    headers = [dict(raw.http_response.request.headers), dict(client.default_headers), client.auth_headers]
    assert key_text("acme") not in repr([vars(client), vars(client._client), client.api_key, headers])
    api.live = set()
    error = failure_of(lambda: client.chat.completions.create(**ASK))
    assert isinstance(error, openai.AuthenticationError)
    assert key_text("acme") not in repr([dict(error.request.headers), dict(error.response.request.headers)])
    assert key_text("acme") not in shown(error)


def test_a_broken_connection_shows_no_key_even_with_local_variables(reader: KeyReader, aws: StandIn) -> None:
    """A server that cuts the connection while the request is written, when answering, and in the middle of a stream."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\ndata: {}\n\n"
    for sent in (b"", b"HTTP/1.1 garbage\r\n\r\n", head):
        with socket.create_server(("127.0.0.1", 0)) as server:
            aws.put("acme", key_text("acme"), base_url=f"http://127.0.0.1:{server.getsockname()[1]}/v1")
            reader.close()

            def answer(server: socket.socket = server, sent: bytes = sent) -> None:
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(sent)

            thread = threading.Thread(target=answer)
            thread.start()
            with reader.openai_client("acme", max_retries=0) as client:
                error = failure_of(lambda c=client: list(c.chat.completions.create(**ASK, stream=True)))
            thread.join()
        assert isinstance(error, openai.APIConnectionError | httpx2.TransportError | openai.APIError), repr(error)
        text = shown(error)
        assert "completions" in text, "the frames were really shown"
        assert key_text("acme") not in text, sent


def test_frames_below_the_transport_are_cut_off(reader: KeyReader) -> None:
    """The HTTP stack writes a request from frames that have its headers in local variables."""

    def write(request: httpx2.Request) -> httpx2.Response:
        event = list(request.headers.multi_items())
        raise httpx2.WriteError(f"reset after {len(event)} headers", request=request)

    with (
        httpx2.Client(transport=httpx2.MockTransport(write)) as network,
        reader.openai_client("acme", http_client=network, max_retries=0) as client,
    ):
        error = failure_of(lambda: client.chat.completions.create(**ASK))
    assert isinstance(error, openai.APIConnectionError)
    assert isinstance(error.__cause__, httpx2.WriteError), "what happened is still told"
    assert "reset after" in str(error.__cause__)
    assert key_text("acme") not in shown(error) + repr(dict(error.__cause__.request.headers))
