"""A stack's resources are all in one account and one Region, except replicas of secrets.

Owns the comparison of the ARNs in our resources, policy documents included. Leaves out the principals of trust
policies: a principal that assumes the runtime role may be of another account (`trust`); an OIDC provider and a role of
ours may not.
Account ids outside ARNs are compared in `functions` and `alarms`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, cast

from . import ownership
from .config import Config
from .iam.policy_holders import KEY_POLICY, documents
from .key_shapes import texts
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation
from .own_roles import whose
from .provider import AWS_PROVIDER, setting

_ARN: Final = re.compile(
    r'arn:[a-z*-]+:(?P<service>[a-z0-9*-]+):(?P<region>[^:"/\s]*):(?P<account>[^:"/\s]*):(?P<name>[^",\s]*)'
)
OWN_UNKNOWN: Final = "neither an ARN of ours nor the AWS provider's allowedAccountIds says which account is the stack's"
_ACCOUNT: Final = re.compile(r"[0-9]{12}", re.ASCII)
_AWS_OWN: Final = "aws"
_TARGET: Final = "aws:cloudwatch/eventTarget:EventTarget"
_SUBSCRIPTION: Final = "aws:sns/topicSubscription:TopicSubscription"
_HOLDS_OURS: Final = frozenset({ownership.RESOURCE_POLICY, ownership.ROTATION, KEY_POLICY, _TARGET, _SUBSCRIPTION})
_TRUST: Final = "assumeRolePolicy"
_PROVIDER_OF_TOKENS: Final = "oidc-provider/"
_DASHBOARDS: Final = "dashboard/"
_COPIED: Final = ("secretsmanager", "kms")
_REACHES_COPIES: Final = ("runtime", "rotation", "boundary", "looks")
"""Roles whose documents may name a secret's replicas and their KMS keys: they read or write them."""


def _one_account(stack: Stack, _: Config) -> Iterator[Finding]:
    """The first account and Region that a stack names are its own; any other is a violation."""
    account, region = "", ""
    copies = _with_copies(stack)
    for resource in stack:
        for path, found in _arns(resource):
            if found["account"] in ("", _AWS_OWN):
                continue
            if not _ACCOUNT.fullmatch(found["account"]):
                # The ARN by which API Gateway calls a function has a service's name here.
                if "*" in found["account"]:
                    yield violation(resource, path, "the ARN has a wildcard as its account")
                continue
            account = account or found["account"]
            if found["account"] != account:
                yield violation(resource, path, "the ARN is of another account than the stack's other ARNs")
            if not _regional(found, path, resource.urn in copies):
                continue
            if not found["region"] or "*" in found["region"]:
                yield violation(resource, path, "the ARN has no Region, or a wildcard as its Region")
                continue
            region = region or found["region"]
            if found["region"] != region:
                yield violation(resource, path, "the ARN is of another Region than the stack's other ARNs")
    yield from _provider_bound(stack, account, region)


def own_account(stack: Stack) -> str:
    """The account that the stack's ARNs name first; else the one that all its providers are bound to; else empty."""
    found = (arn["account"] for resource in stack for _, arn in _arns(resource))
    bound = [setting(one, "allowedAccountIds") for one in stack if one.type == AWS_PROVIDER]
    alone = bound[0][0] if bound and all(one == bound[0] for one in bound) and _one_id(bound[0]) else ""
    return next((account for account in found if _ACCOUNT.fullmatch(account)), alone)


def _one_id(accounts: Any) -> bool:
    return isinstance(accounts, list) and len(cast(list[Any], accounts)) == 1 and isinstance(accounts[0], str)


def _provider_bound(stack: Stack, account: str, region: str) -> Iterator[Finding]:
    """One provider that the program creates must be bound to this account and Region."""
    made = [one for one in stack if one.type == AWS_PROVIDER and not one.name.startswith("default")]
    for provider in made:
        for path in ("allowedAccountIds", "region"):
            if provider.get(path) is UNKNOWN:
                yield unknown(provider, path)
                return
    if account and made and not any(_works_in(one, account, region) for one in made):
        message = "no AWS provider of the stack is bound to the account and Region of its ARNs"
        yield violation(made[0], "allowedAccountIds", message)


def _works_in(provider: Resource, account: str, region: str) -> bool:
    return setting(provider, "allowedAccountIds") == [account] and region in ("", provider.get("region"))


def _regional(found: re.Match[str], path: str, copies: bool) -> bool:
    """Whether the ARN must be in the stack's Region: replicas of a secret, and their KMS keys, need not be. IAM and
    dashboards have none."""
    away = copies and found["service"] in _COPIED and "*" not in found["region"] and found["region"] != ""
    of_none = found["service"] == "iam" or found["name"].startswith(_DASHBOARDS)
    return not of_none and not away and not path.startswith("replicas")


def _with_copies(stack: Stack) -> frozenset[str]:
    """The URNs of the documents that may name replicas."""
    held = [(one.resource.urn, whose(one)) for one in documents(stack, "identity")]
    return frozenset(urn for urn, role in held if role and role.kind in _REACHES_COPIES)


@lru_cache(maxsize=8192)
def _named(text: str) -> tuple[re.Match[str], ...]:
    return tuple(_ARN.finditer(text)) if "arn:" in text else ()


def _arns(resource: Resource) -> Iterator[tuple[str, re.Match[str]]]:
    mine = ownership.is_ours(resource) or resource.type in _HOLDS_OURS
    for path, text in texts(resource.properties):
        for found in _named(text):
            if path.startswith(_TRUST) and not _of_ours(found):
                continue
            # Others' resources may name anything; a resource that can hold our documents counts if it names something
            # of ours.
            about_ours = ownership.names_ours(found["name"]) or (mine and ownership.names_ours(text))
            if ownership.is_ours(resource) or about_ours:
                yield path, found


def _of_ours(trusted: re.Match[str]) -> bool:
    """An OIDC provider, or a role of ours, which must be the account's own."""
    return trusted["name"].startswith(_PROVIDER_OF_TOKENS) or ownership.role_of(trusted[0]) is not None


ACCOUNT_RULES: Final = (
    Rule(
        name="one-account-one-region",
        severity="critical",
        level="mandatory",
        description="All ARNs of ours, and in our resources, are of one account and one Region, without wildcards "
        "there; replicas of secrets and their KMS keys may be in other Regions, and those who assume the runtime "
        "role in other accounts. An AWS provider is bound to the same account and Region.",
        rationale="A function, topic or KMS key with the same name in the attacker's account is called, notified or "
        "trusted instead of ours.",
        fix="Let components/ build ARNs from the cell's account and Region, and keep `account_guard` of program.py.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html",
        check=_one_account,
    ),
)
