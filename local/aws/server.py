"""Serves the AWS side of the local cell: MiniStack with enforced IAM and without its differences from AWS.

MiniStack reads its environment when imported, so it is imported only after that is set.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import socket
import tempfile
from pathlib import Path

REGION = "us-east-1"
ACCOUNT_ID = "000000000000"
STATE_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:key/5e1f57a7-e000-4000-8000-000000000000"
"""Encrypts secrets in the states of the cell's stacks."""


def configure(port: int, home: Path) -> None:
    """Sets what MiniStack reads at import. `home` holds the cell's clock, users' credentials and temporary files.

    SFTP and IoT listen on fixed ports, so two cells on one machine would collide: they stay off.
    """
    scratch = (home / "tmp").absolute()
    scratch.mkdir(mode=0o700, exist_ok=True)
    os.environ.update(
        {
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "CLOUDTRAIL_RECORDING": "1",
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "MINISTACK_REGION": REGION,
            "MYFLUX_LOCAL_CLOCK": str(home / "clock"),
            "S3_DATA_DIR": str(scratch / "s3"),
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(scratch / "state"),
            # Functions' code: of a server that is killed it would stay on the machine for ever.
            "TMPDIR": str(scratch),
        }
    )
    tempfile.tempdir = None


def _never() -> None:
    """In place of the thread that calls EventBridge's scheduled rules."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--home", type=Path, required=True)
    arguments = parser.parse_args()
    configure(arguments.port, arguments.home)
    # What is loaded stays: the collector would walk it again and again, now and while it serves.
    gc.disable()
    # Bound first: if the port is taken, this process ends at once, and no other cell's server is mistaken for it.
    listener = socket.create_server(("127.0.0.1", arguments.port), backlog=128)

    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    from local import keeping
    from local.aws import answer_date, federation, iam, lambda_packages, object_times, secrets, state_key
    from local.aws.iam import dispatch
    from local.aws.keeping import Keeper
    from local.process import SCHEDULES

    if os.environ.get(SCHEDULES) == "off":
        from ministack.services import eventbridge

        eventbridge.start_scheduler = _never

    store = keeping.store(arguments.home, "aws")
    keeper = Keeper(store) if store else None
    if keeper:
        keeper.restore()
    iam.install(arguments.home)
    federation.install(arguments.home)
    answer_date.install()
    object_times.install()
    lambda_packages.install(arguments.home)
    secrets.install()
    state_key.install()
    if keeper:
        keeper.resume()
        dispatch.AFTER.append(keeper.after)

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    # Less than `local.process` waits: what is kept is saved once more after it.
    config.graceful_timeout = 1
    gc.freeze()
    gc.enable()
    asyncio.run(serve(app, config))
    if keeper:
        keeper.save_all()


if __name__ == "__main__":
    main()
