"""How an operation says that it cannot be done.

Owns the one exception, and what AWS's refusals mean to the person at the keyboard. Leaves out printing (`ops/cli/`).
"""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError


class OperationError(Exception):
    """The message says what stands in the way, what was and was not changed, and the way out. It holds no key."""


class Declined(OperationError):
    """The person who was asked said no."""

    def __init__(self) -> None:
        super().__init__("nothing was changed.")


def code_of(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def is_deletion(error: ClientError) -> bool:
    """AWS's answer about a secret whose deletion is scheduled."""
    said = error.response.get("Error", {}).get("Message", "")
    return code_of(error) == "InvalidRequestException" and "deletion" in said


def from_aws(error: Exception) -> str | None:
    """`explain` of an error that is AWS's or its SDK's; None for any other."""
    return explain(error) if isinstance(error, BotoCoreError | ClientError) else None


def explain(error: BotoCoreError | ClientError) -> str:
    """One sentence or two about an answer of AWS's that no operation expected."""
    if isinstance(error, NoCredentialsError):
        return (
            "AWS is not asked, because there are no credentials: sign in as one of the cell's deployers. For the local "
            'cell: eval "$(./myflux-keys local env)".'
        )
    if isinstance(error, EndpointConnectionError):
        return f"AWS cannot be reached: {error}"
    if isinstance(error, ClientError):
        message = error.response.get("Error", {}).get("Message", "")
        if code_of(error) in ("AccessDenied", "AccessDeniedException"):
            return f"AWS refuses: {message} Operations are the cell's deployers' (deployer_principals in its file)."
        return f"AWS refuses: {code_of(error)}: {message}"
    return f"AWS could not be asked: {error}"
