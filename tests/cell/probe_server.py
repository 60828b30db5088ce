"""Stands in for a side of the cell: answers 200 to everything, and writes what it was given to ``probe-PORT.json``."""

from __future__ import annotations

import argparse
import json
import os
import resource
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: a log line per request would hide what a test looks for."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--home", type=Path, required=True)
    arguments = parser.parse_args()
    facts = {
        "environment": dict(os.environ),
        "core_limit": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "session": os.getsid(0),
        "umask": os.umask(0o077),
    }
    (arguments.home / f"probe-{arguments.port}.json").write_text(json.dumps(facts), encoding="utf-8")
    ThreadingHTTPServer(("127.0.0.1", arguments.port), Healthy).serve_forever()
