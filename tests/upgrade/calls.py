"""Model calls with tenants' keys until SIGTERM, by the reader of the version on PYTHONPATH: a program of its own.

`calls.py CELL ROLES OUT`: ROLES is JSON and maps each tenant to the role that reads its key. Each call adds a line to
OUT: the tenant, the key's version, and the error if the call failed. It runs with the packages of either version, so it
imports the reader alone.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from typing import TextIO

from myflux_keys import KeyReader

PAUSE = 2.5
"""Seconds between two calls for one tenant: two readers stay below the smallest limit of the tenants, 60 a minute."""
TTL = 5.0
"""Seconds. Short, so that each reader meets every rotation."""


def main(cell: str, roles: dict[str, str], out: TextIO) -> None:
    stopped, writing = threading.Event(), threading.Lock()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())

    def call(reader: KeyReader, tenant: str) -> None:
        # As an application calls, with the SDK's retries: they repeat a lost connection, and never a refused key.
        with reader.openai_client(tenant) as client:
            while not stopped.wait(PAUSE):
                key, error = "", ""
                try:
                    held = reader.get(tenant)
                    key = held.version_id  # a customer's key has no other id
                    client.responses.create(model=held.models[0], input="Is anybody there?")
                # Each kind of failure counts.
                except Exception as failure:  # noqa: BLE001
                    error = f"{type(failure).__name__}: {failure} ({failure.__cause__!r})"
                with writing:
                    out.write(json.dumps({"tenant": tenant, "key": key, "error": error}) + "\n")
                    out.flush()

    with KeyReader(cell, role_arn=roles.__getitem__, ttl=TTL) as reader:
        callers = [threading.Thread(target=call, args=(reader, tenant)) for tenant in roles]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()


if __name__ == "__main__":
    with Path(sys.argv[3]).open("a", encoding="utf-8") as file:
        main(sys.argv[1], json.loads(sys.argv[2]), file)
