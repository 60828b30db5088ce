"""Calls to AWS, and messages from it, are encrypted on their way.

Owns the AWS provider's endpoints, and the subscriptions of our topics. Leaves out the functions' calls to OpenAI
(`function_environment`), and who is subscribed (`topic`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, cast
from urllib.parse import urlsplit

from . import ownership
from .config import Config
from .function_environment import LOOPBACK
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation
from .provider import AWS_PROVIDER, setting
from .targets import target
from .topic import SUBSCRIPTION, is_to_ours

_AWS_HOST: Final = re.compile(
    r"(?:[a-z0-9-]+\.)+(?:amazonaws\.com|amazonaws\.com\.cn|api\.aws|amazonaws\.eu)", re.ASCII
)


def _encrypted(stack: Stack, _: Config) -> Iterator[Finding]:
    for one in stack:
        if one.type == AWS_PROVIDER:
            yield from _provider(one)
        elif one.type == SUBSCRIPTION and _may_be_of_ours(stack, one):
            if one.get("protocol") is UNKNOWN:
                yield unknown(one, "protocol")
            elif one.text("protocol").lower() == "http":
                yield violation(one, "protocol", "alarms are sent over plain HTTP")


def _may_be_of_ours(stack: Stack, subscription: Resource) -> bool:
    """A topic that nobody knows may be ours."""
    return is_to_ours(stack, subscription) or target(stack, subscription, ("topic",), ownership.TOPIC) == "unknown"


def _provider(provider: Resource) -> Iterator[Finding]:
    if setting(provider, "insecure") not in (None, False):
        yield violation(provider, "insecure", "the provider does not verify AWS's certificate")
    endpoints = setting(provider, "endpoints")
    if endpoints is UNKNOWN:
        yield unknown(provider, "endpoints")
        return
    for each in cast(list[Any], endpoints) if isinstance(endpoints, list) else []:
        for service, url in cast(dict[str, Any], each).items() if isinstance(each, dict) else [("", each)]:
            path = f"endpoints.{service}" if service else "endpoints"
            if url is UNKNOWN:
                yield unknown(provider, path)
            elif url and not _is_awss(str(url)):
                yield violation(provider, path, "AWS is called without https, or at a host that is not AWS's")


def _is_awss(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return host in LOOPBACK or (parts.scheme == "https" and _AWS_HOST.fullmatch(host) is not None)


ENCRYPTED_CALL_RULES: Final = (
    Rule(
        name="calls-are-encrypted",
        severity="high",
        level="mandatory",
        description="The AWS provider calls AWS's own hosts over https with their certificate verified, or a loopback "
        "address, and no topic of ours sends alarms over plain HTTP.",
        rationale="Whoever is on the way can read and change what is deployed, or hide an alarm.",
        fix="Remove `endpoints` and `insecure` from the provider. Subscribe with `email` or `https`.",
        source="https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html",
        check=_encrypted,
    ),
)
