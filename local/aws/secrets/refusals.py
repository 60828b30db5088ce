"""Refusals of Secrets Manager: AWS's error codes and texts.

Texts are those that AWS's service returns, as quoted in AWS's pages and in the error reports of its users; where none
is public it is our own.
"""

from __future__ import annotations


class Refusal(Exception):
    """Ends an operation with an error of `code` (as in the API reference) and `message`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def secret_not_found() -> Refusal:
    return Refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


def version_not_found(version_id: str) -> Refusal:
    return Refusal(
        "ResourceNotFoundException",
        f"Secrets Manager can't find the specified secret value for VersionId: {version_id}",
    )


def label_not_found(label: str) -> Refusal:
    return Refusal(
        "ResourceNotFoundException",
        f"Secrets Manager can't find the specified secret value for staging label: {label}",
    )


def marked_for_deletion() -> Refusal:
    return Refusal(
        "InvalidRequestException",
        "You can't perform this operation on the secret because it was marked for deletion.",
    )


def replica_is_read_only() -> Refusal:
    return Refusal("InvalidRequestException", "You can't perform this operation on a replica secret.")


def version_is_immutable(version_id: str) -> Refusal:
    return Refusal(
        "ResourceExistsException",
        "You can't modify an existing version, you can only create a new version. "
        f"The ClientRequestToken {version_id} belongs to a version with another value.",
    )


def previous_rotation_not_complete() -> Refusal:
    return Refusal("InvalidRequestException", "A previous rotation isn't complete. That rotation will be reattempted.")


def function_cannot_be_invoked() -> Refusal:
    return Refusal(
        "AccessDeniedException",
        "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access "
        "to the principal secretsmanager.amazonaws.com.",
    )


def invalid_parameter(message: str) -> Refusal:
    return Refusal("InvalidParameterException", message)


def invalid_request(message: str) -> Refusal:
    return Refusal("InvalidRequestException", message)
