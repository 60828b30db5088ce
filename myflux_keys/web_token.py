"""A token that STS signs for an AWS session: the regional endpoint, the request, and what a refusal of it means.

Leaves out whose session it is (`web_identity`, `identity_source`).
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from myflux_keys.aws_errors import is_passing

if TYPE_CHECKING:
    from types_boto3_sts import STSClient

_GLOBAL_ENDPOINT: Final = "https://sts.amazonaws.com"


def request(audience: str, seconds: int, algorithm: str, tags: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Without tags the list is left out: an empty one would need the right to tag."""
    asked: dict[str, Any] = {"Audience": [audience], "DurationSeconds": seconds, "SigningAlgorithm": algorithm}
    return asked | ({"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]} if tags else {})


def regional(make: Callable[..., STSClient], region: str | None) -> STSClient:
    """`make()`, or `make(endpoint_url=...)` where AWS_STS_REGIONAL_ENDPOINTS=legacy, or a profile, asks for the one
    endpoint that has no such operation."""
    client = make()
    if client.meta.endpoint_url != _GLOBAL_ENDPOINT:
        return client
    client.close()
    return make(endpoint_url=f"https://sts.{region}.amazonaws.com")


def meaning(code: str, status: int, asked: Mapping[str, Any]) -> tuple[str, str]:
    """What AWS's refusal of the request means, the way out."""
    audience, seconds = asked["Audience"][0], asked["DurationSeconds"]
    match code:
        case "OutboundWebIdentityFederationDisabledException":
            return (
                "this AWS account has no outbound web identity federation",
                "An administrator enables it once: `aws iam enable-outbound-web-identity-federation`.",
            )
        case "AccessDenied" | "AccessDeniedException":
            tagging = " and, for its tags, sts:TagGetWebIdentityToken" if "Tags" in asked else ""
            return (
                f"IAM gives this process no token for {audience!r} of {seconds} s by {asked['SigningAlgorithm']}",
                f"Allow its role sts:GetWebIdentityToken{tagging} on all resources, with conditions that this request"
                " meets: sts:IdentityTokenAudience, sts:DurationSeconds, sts:SigningAlgorithm, aws:RequestTag.",
            )
        case "SessionDurationEscalationException":
            return (
                f"a token of {seconds} s would outlive the role's session",
                "Pass a smaller duration_seconds, or credentials that are renewed before they end.",
            )
        case "JWTPayloadSizeExceededException":
            return "the token would be too large", "Pass fewer or shorter tags."
        case _ if is_passing(code, status):
            return "AWS gives no token now", "This is temporary, or the credentials have expired: try again."
        case _:
            return "AWS gives no token", "Read AWS's message and code."
