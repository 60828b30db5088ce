"""OpenAI as far as the SDK's calls in these tests need it, behind httpx2's mock transport.

Owns answers and what was seen. It knows nothing of tenants: a key is live or it is not.
"""

from __future__ import annotations

import json
from typing import Any

import httpx2

DEAD = {"error": {"message": "Incorrect API key provided.", "type": "invalid_request_error", "code": "invalid_api_key"}}
SCOPES = {
    "error": {
        "message": "You have insufficient permissions for this operation. Missing scopes: model.request.",
        "type": "invalid_request_error",
        "code": None,
    }
}
ANSWER = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5-mini",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
}
CHUNK = {
    "id": "c1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "gpt-5-mini",
    "choices": [{"index": 0, "delta": {"content": "hello"}}],
}
ASK: dict[str, Any] = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "hi"}]}


class OpenAI:
    """Accepts the keys in `live`; keeps the headers and bodies that it saw."""

    def __init__(self, *live: str) -> None:
        self.live = set(live)
        self.refusal: dict[str, Any] = DEAD
        self.seen: list[httpx2.Headers] = []
        self.bodies: list[bytes] = []
        self.redirect = ""

    @property
    def keys(self) -> list[str]:
        return [headers["Authorization"].removeprefix("Bearer ") for headers in self.seen]

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append(request.headers)
        self.bodies.append(request.content)
        if self.redirect:
            return httpx2.Response(307, headers={"Location": self.redirect})
        if self.keys[-1] not in self.live:
            return httpx2.Response(401, json=self.refusal)
        if b'"stream":true' in request.content.replace(b" ", b""):
            text = f"data: {json.dumps(CHUNK)}\n\ndata: [DONE]\n\n"
            return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, text=text)
        if b"multipart" in request.headers.get("Content-Type", "").encode():
            return httpx2.Response(200, json={"id": "file-1", "object": "file"})
        return httpx2.Response(200, json=ANSWER)

    async def later(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        return self(request)
