"""Serves the OpenAI emulator of the local cell on loopback.

The first line on stdout is JSON, `{"port": …}`, written after the port is bound. Requests are not logged, so a log
never contains a key.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import socket
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local import clock, keeping
from local.openai.call import Emulator
from local.openai.control_app import PREFIX, ControlApp
from local.openai.gateway import Gateway
from local.openai.keeping import Keeper
from local.openai.routes import ALL


def control_token(home: Path) -> str:
    """The token in `home`/openai-token; the file is created with mode 0600 if it is absent."""
    path = home / "openai-token"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    token = secrets.token_urlsafe(32)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token)
    return token


def application(emulator: Emulator, token: str, keeper: Keeper | None = None) -> ASGIApp:
    gateway = Gateway(emulator, ALL, keeper.after if keeper else None)
    control = ControlApp(emulator, token)

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith(f"{PREFIX}/"):
            await gateway(scope, receive, send)
            return

        async def saved(message: Message) -> None:
            if keeper and message["type"] == "http.response.start" and scope["method"] != "GET":
                keeper.save()
            await send(message)

        await control(scope, receive, saved)

    return dispatch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 lets the system choose")
    parser.add_argument("--home", type=Path, required=True, help="the cell's folder")
    arguments = parser.parse_args()
    home: Path = arguments.home
    home.mkdir(parents=True, exist_ok=True)
    os.environ[clock.ENVIRONMENT] = str(home / "clock")
    emulator = Emulator(home)
    store = keeping.store(home, "openai")
    keeper = Keeper(emulator, store) if store else None
    if keeper:
        keeper.restore()
    app = application(emulator, control_token(home), keeper)
    # The socket listens before uvicorn starts, so that a client that has read the port can connect at once.
    # TCP is given as the protocol: asyncio turns Nagle's delay off only then. The delay adds 40 ms to each response.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", arguments.port))
        listener.listen(2048)
        print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
        config = uvicorn.Config(
            app,
            access_log=False,
            # The gateway sends the Date header, by the cell's clock.
            date_header=False,
            lifespan="off",
            log_level="error",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=2,
            ws="none",
        )
        uvicorn.Server(config).run(sockets=[listener])
    if keeper:
        keeper.save()


if __name__ == "__main__":
    main()
