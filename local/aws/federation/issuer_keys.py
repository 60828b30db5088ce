"""The signing keys of an account's issuer: one for each algorithm, and what is published of them.

Leaves out rotation: AWS rotates an issuer's keys, and tells nobody when.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ALGORITHMS: Final = ("RS256", "ES384")
_BITS: Final = 2048


class IssuerKeys:
    """Made when federation is first enabled; kept as long as the cell runs."""

    def __init__(self) -> None:
        self._rsa = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
        self._ec = ec.generate_private_key(ec.SECP384R1())
        self._ids = {algorithm: f"{algorithm}_{secrets.token_hex(8)}" for algorithm in ALGORITHMS}

    def sign(self, claims: Mapping[str, Any], algorithm: str) -> str:
        """A compact JWT; `algorithm` is one of `ALGORITHMS`."""
        key = self._rsa if algorithm == "RS256" else self._ec
        return jwt.encode(dict(claims), key, algorithm, headers={"kid": self._ids[algorithm]})

    def published(self) -> dict[str, Any]:
        """The key set, without private numbers."""
        shown = {
            "RS256": RSAAlgorithm.to_jwk(self._rsa.public_key(), as_dict=True),
            "ES384": ECAlgorithm.to_jwk(self._ec.public_key(), as_dict=True),
        }
        keys = [jwk | {"kid": self._ids[name], "use": "sig", "alg": name} for name, jwk in shown.items()]
        return {"keys": keys}
