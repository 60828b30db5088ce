"""A stack's things are all in one account and one Region, but for copies of secrets.

Owns the comparison of the ARNs in what is ours, policy documents included. Leaves out whom trust policies name: who
assumes the runtime role may be of another account (`trust`); an OIDC provider may not. Account ids that stand alone are
compared where they are looked at (`functions`, `alarms`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from . import ownership
from .config import Config
from .iam.policy_holders import KEY_POLICY, documents
from .key_shapes import texts
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation
from .own_roles import whose

_ARN: Final = re.compile(
    r'arn:[a-z*-]+:(?P<service>[a-z0-9*-]+):(?P<region>[^:"/\s]*):(?P<account>[^:"/\s]*):(?P<name>[^",\s]*)'
)
_ACCOUNT: Final = re.compile(r"[0-9]{12}", re.ASCII)
_AWS_OWN: Final = "aws"
_TARGET: Final = "aws:cloudwatch/eventTarget:EventTarget"
_SUBSCRIPTION: Final = "aws:sns/topicSubscription:TopicSubscription"
_HOLDS_OURS: Final = frozenset({ownership.RESOURCE_POLICY, ownership.ROTATION, KEY_POLICY, _TARGET, _SUBSCRIPTION})
_TRUST: Final = "assumeRolePolicy"
_PROVIDER_OF_TOKENS: Final = "oidc-provider/"
_AWS: Final = "pulumi:providers:aws"
_COPIED: Final = ("secretsmanager", "kms")
_REACHES_COPIES: Final = ("runtime", "rotation", "boundary", "looks")
"""Whose documents may name a secret's copies and their keys: who reads them, and in whose name they are written."""


def _one_account(stack: Stack, _: Config) -> Iterator[Finding]:
    """The first account and Region that a stack names are its own; where two are named, one of them is wrong."""
    account, region = "", ""
    copies = _with_copies(stack)
    for resource in stack:
        for path, found in _arns(resource):
            if found["account"] in ("", _AWS_OWN):
                continue
            if not _ACCOUNT.fullmatch(found["account"]):
                # What API Gateway calls a function by has a service's name there.
                if "*" in found["account"]:
                    yield violation(resource, path, "an ARN of ours names every account by a wildcard")
                continue
            account = account or found["account"]
            if found["account"] != account:
                yield violation(resource, path, "an ARN is in another account than the stack's others")
            if not _regional(found, path, resource.urn in copies):
                continue
            if not found["region"] or "*" in found["region"]:
                yield violation(resource, path, "an ARN of ours names no Region, or every Region by a wildcard")
                continue
            region = region or found["region"]
            if found["region"] != region:
                yield violation(resource, path, "an ARN is in another Region than the stack's others")
    yield from _guarded(stack, account, region)


def _guarded(stack: Stack, account: str, region: str) -> Iterator[Finding]:
    """Among providers that the program made, the one of these things works in this account and Region alone."""
    made = [one for one in stack if one.type == _AWS and not one.name.startswith("default")]
    for provider in made:
        for path in ("allowedAccountIds", "region"):
            if provider.get(path) is UNKNOWN:
                yield unknown(provider, path)
                return
    if account and made and not any(_works_in(one, account, region) for one in made):
        message = "no provider of the stack is bound to the account and Region that its ARNs name"
        yield violation(made[0], "allowedAccountIds", message)


def _works_in(provider: Resource, account: str, region: str) -> bool:
    told = provider.get("allowedAccountIds")
    # The engine has the properties of a provider as texts of JSON.
    accounts: Any = json.loads(told) if isinstance(told, str) and told.startswith("[") else told
    return accounts == [account] and region in ("", provider.get("region"))


def _regional(found: re.Match[str], path: str, copies: bool) -> bool:
    """Copies of a secret, and their keys, are in Regions of their own."""
    away = copies and found["service"] in _COPIED and "*" not in found["region"] and found["region"] != ""
    return found["service"] != "iam" and not away and not path.startswith("replicas")


def _with_copies(stack: Stack) -> frozenset[str]:
    """The URNs of the documents that may speak of copies."""
    held = [(one.resource.urn, whose(one)) for one in documents(stack, "identity")]
    return frozenset(urn for urn, role in held if role and role.kind in _REACHES_COPIES)


@lru_cache(maxsize=8192)
def _named(text: str) -> tuple[re.Match[str], ...]:
    return tuple(_ARN.finditer(text)) if "arn:" in text else ()


def _arns(resource: Resource) -> Iterator[tuple[str, re.Match[str]]]:
    mine = ownership.is_ours(resource) or resource.type in _HOLDS_OURS
    for path, text in texts(resource.properties):
        for found in _named(text):
            if path.startswith(_TRUST) and not found["name"].startswith(_PROVIDER_OF_TOKENS):
                continue
            # What is somebody else's may name what it likes; a holder of ours by its type must name something of ours.
            if ownership.is_ours(resource) or "myflux" in found["name"] or (mine and "myflux" in text):
                yield path, found


ACCOUNT_RULES: Final = (
    Rule(
        name="one-account-one-region",
        severity="critical",
        level="mandatory",
        description="All that a stack of ours names by ARN is in one account and Region, and none by a wildcard; a "
        "secret's copies and their keys may be in other Regions. A provider that it makes works in no other.",
        rationale="A function, a topic or a key that is named alike in the attacker's own account takes the place of "
        "ours: it is called, told or trusted instead.",
        fix="Let components/ build ARNs from the cell's account and Region, and keep `account_guard` of program.py.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html",
        check=_one_account,
    ),
)
