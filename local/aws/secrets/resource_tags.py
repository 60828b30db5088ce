"""A secret's tags and resource policy, for MiniStack's policy evaluation."""

from __future__ import annotations

from collections.abc import Callable

from ministack.services import secretsmanager as ministack

from local.aws.secrets.store import resolve, scope_of

Tags = dict[str, str]


def for_arn(original: Callable[[str], Tags | None]) -> Callable[[str], Tags | None]:
    """MiniStack's `resource_tags`, direct for secrets."""

    def resource_tags(arn: str) -> Tags | None:
        if not arn.startswith("arn:aws:secretsmanager:"):
            return original(arn)
        _, secret = resolve(arn)
        return None if secret is None else {tag["Key"]: tag["Value"] for tag in secret["Tags"]}

    return resource_tags


def policy_for_arn(resource_arn: str) -> tuple[str, str] | None:
    """(resource policy or "", owner's account), None when there's no such secret."""
    _, secret = resolve(resource_arn)
    if secret is None:
        return None
    return ministack._resource_policies.get(secret["ARN"]) or "", scope_of(secret)[0]
