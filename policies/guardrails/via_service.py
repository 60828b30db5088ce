"""The two conditions that limit a KMS key's use to Secrets Manager and named secrets.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from .iam.documents import Statement
from .iam.patterns import covers

_SERVICE: Final = re.compile(r"secretsmanager\.[a-z0-9-]+\.amazonaws\.com(\.cn)?", re.ASCII)
_EXACT: Final = ("stringequals", "arnequals")
_LIKE: Final = (*_EXACT, "stringlike", "arnlike")


def through_secrets_manager(statement: Statement, secrets: Sequence[str]) -> str:
    """What is wrong with a statement that allows the use of a KMS key; empty if nothing. `secrets` are ARN patterns."""
    through = [c for c in statement.on("kms:ViaService") if c.operator in _EXACT and not c.passes_when_absent]
    if not any(c.values and all(_SERVICE.fullmatch(value) for value in c.values) for c in through):
        return "allows the key without kms:ViaService, so also outside Secrets Manager"
    contexts = [
        c for c in statement.on("kms:EncryptionContext:SecretARN") if c.operator in _LIKE and not c.passes_when_absent
    ]
    named = [c for c in contexts if c.values and all(_named(value, secrets) for value in c.values)]
    return "" if named else "allows the key for secrets that kms:EncryptionContext:SecretARN does not name"


def _named(value: str, secrets: Sequence[str]) -> bool:
    value = value.replace("${aws:PrincipalTag/tenant}", "*")
    return any(covers(pattern, value) for pattern in secrets)
