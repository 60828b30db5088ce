"""An OpenID Connect issuer, as GitHub and GitLab are one for their jobs: signs tokens, and publishes its keys.

Serves `/.well-known/openid-configuration` and the key set on loopback, over plain HTTP where a real issuer must use
HTTPS: no certificate authority vouches for a host of the internet on this machine. Leaves out who gets a token.
https://openid.net/specs/openid-connect-discovery-1_0.html
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

ALGORITHM: Final = "RS256"
_BITS: Final = 2048
_LIFE_SECONDS: Final = 300
_CONFIGURATION: Final = "/.well-known/openid-configuration"
_KEYS: Final = "/.well-known/jwks"


class Issuer:
    """The issuer ``https://HOST``. Made by `serving`; `url` is where it answers on this machine."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.url = ""
        self._key_id = ""
        self._published: list[dict[str, Any]] = []
        self.change_key()

    def change_key(self) -> None:
        """Signs with a new key from now on; the earlier ones stay published, as their tokens live on."""
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
        self._key_id = secrets.token_hex(8)
        public = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        self._published.append(public | {"kid": self._key_id, "use": "sig", "alg": ALGORITHM})

    def token(self, claims: Mapping[str, Any]) -> str:
        """A signed token. `claims` win over the ones that every token has: iss, iat, nbf, exp, jti."""
        now = int(time.time())
        stated = {"iss": f"https://{self.host}", "iat": now, "nbf": now, "exp": now + _LIFE_SECONDS}
        unique = {"jti": secrets.token_hex(16)}
        return jwt.encode({**stated, **unique, **claims}, self._key, ALGORITHM, headers={"kid": self._key_id})

    def document(self, path: str) -> dict[str, Any] | None:
        """What `path` answers; None if there is nothing."""
        if path == _KEYS:
            return {"keys": self._published}
        if path == _CONFIGURATION:
            return {
                "issuer": f"https://{self.host}",
                "jwks_uri": f"https://{self.host}{_KEYS}",
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
            }
        return None

    @classmethod
    @contextmanager
    def serving(cls, host: str) -> Generator[Issuer]:
        issuer = cls(host)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = issuer.document(self.path)
                told = json.dumps(found or {}).encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield issuer
            finally:
                server.shutdown()
                thread.join()
