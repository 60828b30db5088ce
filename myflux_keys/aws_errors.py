"""Translates exceptions of a call to AWS to the reader's.

A pure function. Leaves out what is done after an error (`cached_key`). Sources: the errors of GetSecretValue and
AssumeRole in AWS's API references, and AWS's list of common errors. An error that is not known to be temporary counts
as a refusal: then no cached key is returned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from myflux_keys.errors import (
    AccessDeniedError,
    KeyReaderError,
    NotReadyError,
    SecretNotFoundError,
    UnavailableError,
)
from myflux_keys.redaction import redact
from myflux_keys.version_labels import CURRENT

EXPIRED_TOKEN: Final = frozenset({"ExpiredToken", "ExpiredTokenException"})

_PASSING: Final = EXPIRED_TOKEN | {
    "IDPCommunicationError",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "InternalServiceErrorException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "RequestExpired",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
}
_DENIED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "DecryptionFailure",
        "DecryptionFailureException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "RegionDisabledException",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
SETTINGS: Final = (
    "Check this process's credentials, Region, proxy and certificates, and that it can reach Secrets Manager and STS."
)
SOCKS: Final = "boto3 cannot use a SOCKS proxy: set HTTPS_PROXY to an HTTP proxy, or unset it."


@dataclass(frozen=True, slots=True)
class Reading:
    """What was being read, for the text of errors. `role` is "" where the process's own credentials read."""

    cell: str
    tenant: str
    secret: str
    role: str


def translate(error: Exception, reading: Reading) -> KeyReaderError:
    """The reader's error for what AWS said, redacted, or for what prevented the call. Returned, not raised.

    botocore raises its own errors for most settings that do not work, and Python's for the others: OSError for a token
    file that is not there, ValueError for a URL. The text of any other may be AWS's whole answer, so it is left out.
    """
    if not isinstance(error, ClientError):
        return not_answered(error, reading.tenant)
    said = refusal_of(error)
    kind, why, way_out = _meaning(said.code, said.message, said.status, reading)
    return kind(f"{why} ({said})", tenant=reading.tenant, code=said.code, way_out=way_out)


def not_answered(error: Exception, tenant: str) -> UnavailableError:
    """The error for what prevented a call."""
    said = str(error) if isinstance(error, BotoCoreError | OSError | ValueError) else "its answer cannot be read"
    return UnavailableError(
        f"The call to AWS for tenant {tenant!r} failed: {redact(said).rstrip('.')}",
        tenant=tenant,
        code=type(error).__name__,
        way_out=SOCKS if "socks" in said else SETTINGS,
    )


class Said(NamedTuple):
    """AWS's refusal of a call, its message redacted."""

    operation: str
    code: str
    message: str
    status: int

    def __str__(self) -> str:
        return f"{self.operation}: {self.message.rstrip('.')}"


def refusal_of(error: ClientError) -> Said:
    response: dict[str, Any] = dict(error.response)
    details: dict[str, Any] = response.get("Error", {})
    message = redact(str(details.get("Message") or details.get("message") or "no message"))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return Said(error.operation_name, str(details.get("Code", "")), message, status)


def is_passing(code: str, status: int) -> bool:
    """Whether AWS may answer otherwise soon, or with renewed credentials."""
    return code in _PASSING or status >= 500 or status == 429


def _meaning(code: str, said: str, status: int, reading: Reading) -> tuple[type[KeyReaderError], str, str]:
    """`kind`, what it means, the way out."""
    tenant, cell, secret = reading.tenant, reading.cell, reading.secret
    if is_passing(code, status):
        return UnavailableError, f"AWS fails for tenant {tenant!r}", "This is temporary: the reader tries again later."
    if code == "ResourceNotFoundException" and "staging label" in said:
        return (
            NotReadyError,
            f"tenant {tenant!r} has no key yet: secret {secret} has no {CURRENT} version",
            "A managed tenant's first rotation stores it within minutes of `pulumi up`: if it does not, read log"
            f" group /aws/lambda/myflux-{cell}-rotation. Store a customer's own key with"
            f" `myflux-keys key set {tenant}`.",
        )
    if code == "ResourceNotFoundException":
        return (
            SecretNotFoundError,
            f"secret {secret} does not exist",
            f"Check the tenant's name, the cell {cell!r} and the Region; `myflux-keys up {tenant}` creates it.",
        )
    if code == "InvalidRequestException" and "deletion" in said:
        return (
            SecretNotFoundError,
            f"secret {secret} is scheduled for deletion: the tenant was off-boarded, or somebody deleted its secret",
            f"If that was a mistake, `myflux-keys adopt {tenant}` restores it within its recovery window.",
        )
    if code in _DENIED:
        who = f"role {reading.role} with session tag tenant={tenant}" if reading.role else "this process's credentials"
        return (
            AccessDeniedError,
            f"AWS refuses the key of tenant {tenant!r} to {who}",
            "Possible reasons: the tenant is disabled; the cell has no such tenant; this process may not assume the"
            " role with that tag; a tenant with isolation: dedicated needs its own role (`role_arn`); the secret's KMS"
            " key is disabled.",
        )
    return KeyReaderError, f"AWS does not give the key of tenant {tenant!r}", "Read AWS's message and code."
