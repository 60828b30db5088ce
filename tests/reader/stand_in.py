"""Secrets Manager, STS and S3 as far as a reader sees them, over real HTTP, with faults on demand.

Owns what a test needs to know of them: who called what, and what was answered. It gives a secret only to a session
whose token was issued for the tag of that tenant, as the cell's policies do. It knows no signatures and no policies:
the local cell is for that.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, Self
from urllib.parse import parse_qs

ACCOUNT = "123456789012"
GET, ASSUME, WHO = "GetSecretValue", "AssumeRole", "GetCallerIdentity"
SIGN = "GetWebIdentityToken"


@dataclass(frozen=True)
class Fault:
    """What an operation's first calls (`times` of them) answer instead. `status` 0 drops the connection."""

    status: int
    code: str = "InternalServiceError"
    message: str = "an internal error"
    times: int = 1_000_000


def key_text(name: str) -> str:
    """A key-shaped text that is no key, put together here so that no file holds it."""
    return "sk-" + "svcacct-" + name + "x" * 24


def payload_text(tenant: str, key: str, **changes: Any) -> str:
    now = datetime.now(UTC)
    fields: dict[str, Any] = {
        "schema": 1,
        "tenant": tenant,
        "api_key": key,
        "key_id": f"key_{tenant}",
        "project_id": f"proj_{tenant}",
        "service_account_id": f"sa_{tenant}",
        "organization_id": "org-test",
        "base_url": "https://api.openai.example/v1",
        "models": ["gpt-5-mini", "gpt-5"],
        "minted_at": now.isoformat(),
        "expires_at": (now + timedelta(days=34)).isoformat(),
    }
    return json.dumps(fields | changes)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024


class StandIn:
    """`url` is where it listens. Counts are by operation; `tenants_read` lists tenants in the order they were read."""

    def __init__(self, cell: str = "cell") -> None:
        self.cell = cell
        self.secrets: dict[str, tuple[str, str | None]] = {}
        self.identities: dict[str, str] = {}
        """Of federated tenants, in S3."""
        self.faults: dict[str, Fault] = {}
        self.expired_tokens: set[str] = set()
        self.slow: dict[str, float] = {}
        self.held: dict[str, threading.Event] = {}
        self.calls: Counter[str] = Counter()
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.session_seconds = 3600.0
        self.read_on: defaultdict[int, set[str]] = defaultdict(set)
        """The tenants whose secrets were read on each connection."""
        self._connections = count()
        self._issued = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def put(self, tenant: str, key: str, version: str = "v1", **changes: Any) -> None:
        self.put_text(tenant, payload_text(tenant, key, **changes), version)

    def put_text(self, tenant: str, text: str | None, version: str = "v1") -> None:
        """`None` is a secret without AWSCURRENT."""
        self.secrets[f"myflux/{self.cell}/{tenant}/openai"] = (version, text)

    def answer(self, operation: str, fields: dict[str, Any], token: str) -> tuple[int, dict[str, Any]]:
        with self._lock:
            self.calls[operation] += 1
            self.requests.append((operation, fields))
            self._issued += 1
            number = self._issued
            fault = self.faults.get(operation)
            if fault is not None and self.calls[operation] > fault.times:
                fault = None
        if fault is not None:
            return fault.status, {"__type": fault.code, "message": fault.message}
        if operation == WHO:
            return 200, {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/app", "UserId": "U"}
        if operation == SIGN:
            return 200, {"WebIdentityToken": f"signed {number}", "Expiration": datetime.now(UTC).isoformat()}
        if operation == ASSUME:
            expires = datetime.now(UTC) + timedelta(seconds=self.session_seconds)
            tenant = fields["Tags.member.1.Value"]
            return 200, {
                "AccessKeyId": "ASIA" + "0" * 16,
                "SecretAccessKey": "s" * 40,
                "SessionToken": f"{tenant}|{number}",
                "Expiration": expires.isoformat(),
            }
        return self._secret(fields["SecretId"], token)

    def _secret(self, name: str, token: str) -> tuple[int, dict[str, Any]]:
        tenant = self._delayed(name)
        if token in self.expired_tokens:
            return 400, {"__type": "ExpiredTokenException", "message": "The security token is expired"}
        if token and token.split("|")[0] != tenant:
            return 400, {"__type": "AccessDeniedException", "message": "not authorized to perform GetSecretValue"}
        if name not in self.secrets:
            message = "Secrets Manager can't find the specified secret."
            return 400, {"__type": "ResourceNotFoundException", "message": message}
        version, text = self.secrets[name]
        if text is None:
            message = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
            return 400, {"__type": "ResourceNotFoundException", "message": message}
        return 200, {"Name": name, "VersionId": version, "SecretString": text, "VersionStages": ["AWSCURRENT"]}

    def _delayed(self, name: str) -> str:
        """The secret's tenant, after its delay."""
        tenant = name.split("/")[2]
        time.sleep(self.slow.get(tenant, 0.0))
        if (held := self.held.get(tenant)) is not None:
            held.wait(120)
        return tenant

    def identity(self, path: str, token: str) -> tuple[int, str]:
        """S3's answer for the object at `path`: a session sees its own tenant's."""
        tenant = path.rpartition("/")[2].removesuffix(".json")
        if tenant not in self.identities or token.split("|")[0] != tenant:
            return 404, "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"
        return 200, self.identities[tenant]

    def describe(self, name: str) -> tuple[int, dict[str, Any]]:
        """DescribeSecret, for the peers that call it first."""
        with self._lock:
            self.calls["DescribeSecret"] += 1
        self._delayed(name)
        return 200, {"Name": name, "VersionIdsToStages": {self.secrets[name][0]: ["AWSCURRENT"]}}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one segment, or the client waits 40 ms for its delayed acknowledgement

            def setup(self) -> None:
                super().setup()
                self.number = next(stand_in._connections)

            def do_GET(self) -> None:
                status, text = stand_in.identity(self.path, self.headers.get("X-Amz-Security-Token", ""))
                content = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/xml" if status == 404 else "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                target = self.headers.get("X-Amz-Target", "")
                if target.endswith("DescribeSecret"):
                    status, answer = stand_in.describe(json.loads(body)["SecretId"])
                elif target:
                    token = self.headers.get("X-Amz-Security-Token", "")
                    stand_in.read_on[self.number].add(json.loads(body)["SecretId"].split("/")[2])
                    status, answer = stand_in.answer(GET, json.loads(body), token)
                else:
                    fields = {name: values[0] for name, values in parse_qs(body.decode()).items()}
                    status, answer = stand_in.answer(fields["Action"], fields, "")
                if status == 0:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                query = not target
                text = _xml(answer, status) if query else json.dumps(answer)
                content = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/xml" if query else "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Tests read their own output."""

        return Handler


def _xml(answer: dict[str, Any], status: int) -> str:
    """STS speaks AWS's query protocol."""
    if status >= 400:
        error = f"<Code>{answer['__type']}</Code><Message>{answer['message']}</Message>"
        return f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in answer.items())
    operation = WHO if "Account" in answer else SIGN if "WebIdentityToken" in answer else ASSUME
    inner = f"<Credentials>{inner}</Credentials>" if operation == ASSUME else inner
    return f"<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>"
