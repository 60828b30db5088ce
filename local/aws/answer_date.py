"""Sets the Date header of each answer by the cell's clock, since AWS sends its own time in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any

from local import clock
from local.aws.iam.patching import replace

Send = Callable[[dict[str, Any]], Awaitable[None]]
_STARTS = ("http.response.start", "websocket.accept", "websocket.http.response.start")


def install() -> None:
    replace("ministack.app", "_with_date_header", "send", _by_the_cells_clock)


def _by_the_cells_clock(_original: Callable[..., Any]) -> Callable[[Send], Send]:
    def _with_date_header(send: Send) -> Send:
        async def send_with_date(message: dict[str, Any]) -> None:
            if message["type"] in _STARTS:
                headers = [(name, value) for name, value in message.get("headers", []) if name.lower() != b"date"]
                date = formatdate(clock.now(), usegmt=True).encode("ascii")
                message = {**message, "headers": [*headers, (b"date", date)]}
            await send(message)

        return send_with_date

    return _with_date_header
