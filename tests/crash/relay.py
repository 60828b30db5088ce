"""The function that the cell deploys: it passes Secrets Manager's event on to the tests, and their answer back.

So the cell's own Secrets Manager drives the rotation, with its placeholders, tokens and repeats, and the function under
test runs where a test can kill it. Standard library only: it runs inside the cell's Lambda.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from typing import Any


def handler(event: dict[str, Any], context: object) -> None:
    # MiniStack waits ten times longer for the log of an invocation that writes none.
    print(event["Step"], file=sys.stderr)
    request = urllib.request.Request(os.environ["RELAY"], json.dumps(event).encode())
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
        failure = json.load(answer)
    if failure is not None:
        raise RuntimeError(failure)
