"""The ASGI application of the API and the token endpoint: reads a request, injects faults, responds, records calls.

Owns the headers of every response and the faults of the connection. Leaves out what a call does (`routes/`). A recorded
call has method, path, status and time: never a header, a query or a body.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.types import Message, Receive, Scope, Send

from local.openai import errors, faults, keys
from local.openai.batching import work_off
from local.openai.call import Answer, Call, Emulator, Route, find
from local.openai.state import now

LARGEST_BODY = 8 * 1024 * 1024


class Gateway:
    def __init__(
        self, emulator: Emulator, routes: list[Route], after: Callable[[str, str], None] | None = None
    ) -> None:
        """`after` is called with the method and path of each call that was answered, before its answer is sent."""
        self._emulator = emulator
        self._routes = routes
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        call = Call(
            self._emulator,
            scope["method"],
            scope["path"],
            {},
            QueryParams(scope["query_string"]),
            await _read(receive),
            Headers(scope=scope),
            now(),
        )
        fault = self._emulator.faults.take(call.method, call.path, *faults.WIRE)
        entry: dict[str, Any] = {
            "at": time.time(),
            "method": call.method,
            "path": call.path,
            "endpoint": None,
            "status": None,
            "fault": fault.name if fault else None,
            "applied": fault is None or fault.after or fault.name == "slow",
        }
        self._emulator.organization.calls.append(entry)
        request_id = keys.request_id()
        await self._prepare(call)
        answer = await self._answer(call, fault, request_id)
        if self._after:
            self._after(call.method, call.path)
        entry["endpoint"] = call.endpoint or None
        if answer is None:
            await _hang_up(receive, send)
            return
        entry["status"] = answer.status
        answer.headers |= {
            "date": formatdate(call.now, usegmt=True),
            "openai-organization": call.organization.settings.organization_id,
            "openai-processing-ms": str(int((time.perf_counter() - began) * 1000)),
            "openai-version": "2020-10-01",
            "x-request-id": request_id,
        }
        await _send(answer, receive, send, cut=fault is not None and fault.name == "truncated")

    async def _prepare(self, call: Call) -> None:
        """Outside the event loop, since another server may be asked, and may be asking this one."""
        for route in self._routes:
            if route.prepare and route.method == call.method and route.pattern.match(call.path):
                await asyncio.to_thread(route.prepare, call)

    async def _answer(self, call: Call, fault: faults.Fault | None, request_id: str) -> Answer | None:
        """The response to send, or None to close the connection without one."""
        if fault is None:
            return self._apply(call)
        if fault.name == "slow" and not fault.after:
            await asyncio.sleep(fault.seconds)
            return self._apply(call)
        answer = self._apply(call) if fault.after else None
        match fault.name:
            case "429":
                return _refused(errors.rate_limited("Rate limit reached. Please try again later.", kind="requests"))
            case "500":
                return _refused(errors.server_error(request_id))
            case "slow" | "timeout":
                await asyncio.sleep(fault.seconds)
                return answer if fault.name == "slow" else None
            case "truncated":
                return answer
            case _:
                return None

    def _apply(self, call: Call) -> Answer:
        try:
            if len(call.raw) > LARGEST_BODY:
                raise errors.ApiError(413, "Request body is too large.", code="request_too_large")
            route, call.parameters = find(self._routes, call.method, call.path)
            call.endpoint = f"{route.method} {route.template}"
            work_off(call)
            return route.run(call)
        except errors.ApiError as refusal:
            return _refused(refusal)


def _refused(refusal: errors.ApiError) -> Answer:
    return Answer(refusal.body, refusal.status, dict(refusal.headers))


async def _read(receive: Receive) -> bytes:
    """The body. If it is too large, only its first part, just over the limit, so that it can be refused."""
    body = bytearray()
    while True:
        message = await receive()
        if len(body) <= LARGEST_BODY:
            body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


async def _send(answer: Answer, receive: Receive, send: Send, *, cut: bool) -> None:
    headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    if answer.events is None:
        body = answer.body()
        headers += [(b"content-type", answer.type.encode()), (b"content-length", str(len(body)).encode())]
        await send(_start(answer.status, headers))
        await send({"type": "http.response.body", "body": body[: len(body) // 2] if cut else body, "more_body": cut})
    else:
        headers += [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
        await send(_start(answer.status, headers))
        events = list(answer.events)
        for event in events[: len(events) // 2] if cut else events:
            await send({"type": "http.response.body", "body": event, "more_body": True})
            await asyncio.sleep(0)
        if not cut:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    if cut:
        await _hang_up(receive, send)


def _start(status: int, headers: list[tuple[bytes, bytes]]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


async def _hang_up(receive: Receive, send: Send) -> None:
    """Closes the connection without a response, through uvicorn's transport: ASGI has no call for that."""
    transport: asyncio.Transport = send.__self__.transport  # pyright: ignore[reportFunctionMemberAccess]
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        continue
