"""GitHub as a job sees it: its identity tokens, and the few calls of the REST API that the scripts make.

Tokens are signed, and the issuer's keys published, as GitHub does. Comments are kept, so that a second run finds the
first one's.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.issuer import Issuer

HOST = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
BEARER = "the runner's own"


@dataclass
class GitHubStandIn:
    issuer: Issuer
    url: str = ""
    subject: str = ""
    pulls: dict[int, str] = field(default_factory=dict[int, str])
    """Number to the head's commit."""
    comments: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    runs: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    asked: list[str] = field(default_factory=list[str])

    def job(self, subject: str) -> dict[str, str]:
        """What the runner sets in a job with `id-token: write`."""
        self.subject = subject
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": BEARER,
            "GITHUB_RUN_ID": "4711",
        }

    @classmethod
    @contextmanager
    def serving(cls) -> Generator[GitHubStandIn]:
        with Issuer.serving(HOST) as issuer:
            yield from cls._answering(cls(issuer))

    @classmethod
    def _answering(cls, stand_in: GitHubStandIn) -> Generator[GitHubStandIn]:

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length)) if length else None
                stand_in.asked.append(f"{self.command} {self.path}")
                status, content = stand_in.say(self.command, self.path, self.headers.get("Authorization", ""), body)
                told = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            do_GET = do_POST = do_PATCH = answer  # noqa: N815 - the server's own names

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            stand_in.url = f"http://127.0.0.1:{server.server_address[1]}"
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield stand_in
            finally:
                server.shutdown()
                thread.join()

    def say(self, method: str, path: str, authorization: str, body: Any) -> tuple[int, Any]:
        parts = urlsplit(path)
        if parts.path == "/token":
            if authorization != f"bearer {BEARER}":
                return 401, {}
            claims = {"aud": parse_qs(parts.query)["audience"][0], "sub": self.subject}
            return 200, {"value": self.issuer.token(claims)}
        if authorization != "Bearer the job's":
            return 401, {}
        where = parts.path.removeprefix("/repos/myflux/keys/")
        if found := re.fullmatch(r"pulls/(\d+)", where):
            number = int(found[1])
            return (200, {"head": {"sha": self.pulls[number]}}) if number in self.pulls else (404, {})
        if re.fullmatch(r"issues/\d+/comments", where) and method == "GET":
            page, size = (int(parse_qs(parts.query)[name][0]) for name in ("page", "per_page"))
            return 200, self.comments[(page - 1) * size : page * size]
        if re.fullmatch(r"issues/\d+/comments", where):
            self.comments.append({"id": len(self.comments) + 1, "user": {"type": "Bot"}, "body": body["body"]})
            return 201, self.comments[-1]
        if found := re.fullmatch(r"issues/comments/(\d+)", where):
            self.comments[int(found[1]) - 1]["body"] = body["body"]
            return 200, self.comments[int(found[1]) - 1]
        if re.fullmatch(r"actions/workflows/[\w.]+/runs", where):
            return 200, {"workflow_runs": self.runs}
        return 404, {}
