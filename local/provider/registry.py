"""The resource types that are implemented."""

from __future__ import annotations

import difflib

from local.provider.aws import Refused
from local.provider.model import Resource
from local.provider.services import (
    cloudwatch,
    cloudwatch_dashboard,
    events,
    iam_oidc,
    iam_outbound,
    iam_policies,
    iam_role,
    kms,
    lambda_function,
    lambda_invocation,
    lambda_settings,
    lambda_url,
    logs,
    s3_bucket,
    s3_object,
    s3_settings,
    secret,
    secret_rotation,
    sns,
    sqs,
)

VERSION = "7.51.1"
"""The release of the official plugin whose schema this provider follows; the engine compares it with the SDK's."""

RESOURCES: dict[str, Resource] = {
    resource.type: resource
    for module in (
        cloudwatch,
        cloudwatch_dashboard,
        events,
        iam_oidc,
        iam_outbound,
        iam_policies,
        iam_role,
        kms,
        lambda_function,
        lambda_invocation,
        lambda_settings,
        lambda_url,
        logs,
        s3_bucket,
        s3_object,
        s3_settings,
        secret,
        secret_rotation,
        sns,
        sqs,
    )
    for resource in module.RESOURCES
}


def find(token: str) -> Resource:
    """Raises Refused, with the most similar type, for a type that is not implemented."""
    if token in RESOURCES:
        return RESOURCES[token]
    # Of the same service only: a likeness of whole names is that of words such as Subscription.
    close = difflib.get_close_matches(token, [one for one in RESOURCES if one.split("/")[0] == token.split("/")[0]], 1)
    hint = f"; the nearest it has is {close[0]}" if close else ""
    raise Refused(
        f"the local stand-in for the AWS provider does not carry the resource type {token}{hint}. "
        "Install the official plugin (`pulumi plugin install resource aws`) or leave the resource out of a local cell"
    )
