"""The exception of every operation, and sentences about AWS's errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as CannotConnect
from botocore.parsers import ResponseParserError

_NOT_FROM_AWS: Final = (
    "what answered is not AWS: check HTTPS_PROXY and AWS_ENDPOINT_URL, and whether this network has a sign-in page."
)
DENIED: Final = ("AccessDenied", "AccessDeniedException")
"""Codes by which AWS's services say that the caller may not do it."""
_ABSENT: Final = (
    "NoSuchBucket",
    "NoSuchEntity",
    "NoSuchKey",
    "NoSuchPublicAccessBlockConfiguration",
    "NotFound",
    "NotFoundException",
    "ResourceNotFoundException",
    "ServerSideEncryptionConfigurationNotFoundError",
)


class OperationError(Exception):
    """The message says what is wrong, what was and was not changed, and what to do. It never holds a key."""


class Unreadable(OperationError):
    """What the backend keeps of a stack is damaged: nobody can work on the stack before a person has repaired it."""


class NotFromAws(BotoCoreError):
    """Something else answered in AWS's place. What it said is left out: it may hold credentials."""

    fmt = _NOT_FROM_AWS


class Declined(OperationError):
    """The operator answered no."""

    def __init__(self) -> None:
        super().__init__("nothing was changed.")


def code_of(error: ClientError) -> str:
    """AWS's error code, such as ``AccessDeniedException``; empty where the answer has none."""
    return error.response.get("Error", {}).get("Code", "")


def none_if_absent(call: Callable[[], Any]) -> Any:
    """None where AWS answers that there is no such thing."""
    try:
        return call()
    except ClientError as error:
        if code_of(error) in _ABSENT:
            return None
        raise


def is_deletion(error: ClientError) -> bool:
    """Whether AWS refused because the secret's deletion is scheduled."""
    message = error.response.get("Error", {}).get("Message", "")
    return code_of(error) == "InvalidRequestException" and "deletion" in message


def from_aws(error: Exception) -> str | None:
    """`explain` of an error that is AWS's or its SDK's; None for any other."""
    # The parser's own message quotes the answer.
    if isinstance(error, ResponseParserError | ParseError):
        return _NOT_FROM_AWS
    return explain(error) if isinstance(error, BotoCoreError | ClientError) else None


def explain(error: BotoCoreError | ClientError) -> str:
    """One or two sentences about an error from AWS that no operation handles."""
    if isinstance(error, NotFromAws):
        return str(error)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return (
            "there are no AWS credentials: sign in as one of the cell's deployers. For the local cell: eval "
            '"$(./myflux-keys local env)".'
        )
    if isinstance(error, ProfileNotFound | ConfigParseError):
        return f"AWS's configuration cannot be used: {error}. Correct AWS_PROFILE or AWS's configuration file."
    if isinstance(error, SSOError | TokenRetrievalError | CredentialRetrievalError):
        return f"AWS's sign-in has ended: {error}. Sign in again, for example with `aws sso login`."
    if isinstance(error, CannotConnect | HTTPClientError):
        return (
            f"AWS cannot be reached: {error}. Check the network, HTTPS_PROXY, AWS_CA_BUNDLE and AWS_ENDPOINT_URL. For "
            "the local cell: `./myflux-keys local status`."
        )
    if isinstance(error, ClientError):
        message = error.response.get("Error", {}).get("Message", "")
        if code_of(error) in DENIED:
            return f"AWS refuses: {message} Only the cell's deployers may do this (deployer_principals in its file)."
        return f"AWS refuses: {code_of(error)}: {message}"
    return f"the call to AWS failed: {error}"
