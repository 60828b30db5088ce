"""The provider's own settings: those that `pulumi:providers:aws` and the stack's `aws:` configuration may contain.

Owns their names, types and checks. Leaves out their use (`aws`, `check`). Settings of the official plugin that the
local provider does not implement are refused, not ignored. The exception: settings that skip a check which the local
provider never makes.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.provider.values import UNKNOWN, reveal

SERVICES = {
    "cloudwatch": "cloudwatch",
    "cloudwatchlogs": "logs",
    "events": "events",
    "eventbridge": "events",
    "iam": "iam",
    "kms": "kms",
    "lambda": "lambda",
    "logs": "logs",
    "secretsmanager": "secretsmanager",
    "sns": "sns",
    "sqs": "sqs",
    "sts": "sts",
}
"""From the official plugin's service names in `endpoints` to botocore's."""

_STRINGS = {"region", "profile", "accessKey", "secretKey", "token"}
_LISTS = {"allowedAccountIds", "forbiddenAccountIds"}
_SKIPS = {"skipCredentialsValidation", "skipMetadataApiCheck", "skipRegionValidation", "skipRequestingAccountId"}
_OTHERS = {"defaultTags", "endpoints", "maxRetries"}
_ENGINES = {"version", "pluginDownloadURL", "__internal", "__defaults"}
_REFUSED = {
    "assumeRoles",
    "assumeRoleWithWebIdentity",
    "customCaBundle",
    "ec2MetadataServiceEndpoint",
    "ec2MetadataServiceEndpointMode",
    "httpProxy",
    "httpsProxy",
    "ignoreTags",
    "insecure",
    "noProxy",
    "retryMode",
    "s3UsEast1RegionalEndpoint",
    "s3UsePathStyle",
    "sharedConfigFiles",
    "sharedCredentialsFiles",
    "stsRegion",
    "tagPolicyCompliance",
    "tokenBucketRateLimiterCapacity",
    "useDualstackEndpoint",
    "useFipsEndpoint",
    "userAgents",
}
KNOWN = _STRINGS | _LISTS | _SKIPS | _OTHERS

_ACCOUNT = re.compile(r"\d{12}")


@dataclass(frozen=True)
class Configuration:
    region: str
    profile: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    allowed_account_ids: tuple[str, ...] = ()
    forbidden_account_ids: tuple[str, ...] = ()
    default_tags: Mapping[str, Any] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    max_attempts: int = 3
    skip_credentials_validation: bool = False


def refusals(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(setting, reason) of each setting that is refused; empty if all are valid. Unknown values are not checked."""
    found: list[tuple[str, str]] = []
    for name, given in settings.items():
        if name in _ENGINES:
            continue
        if name in _REFUSED:
            found.append(
                (name, "is a setting of the official AWS plugin that the local provider does not support: leave it out")
            )
        elif name not in KNOWN:
            close = difflib.get_close_matches(name, KNOWN, 1)
            found.append((name, "is no setting of the AWS provider" + (f": did you mean {close[0]}?" if close else "")))
        elif (reason := _reason(name, _decode(reveal(given)))) is not None:
            found.append((name, reason))
    allowed, forbidden = _decode(reveal(settings.get("allowedAccountIds"))), settings.get("forbiddenAccountIds")
    if allowed and forbidden:
        found.append(("forbiddenAccountIds", "conflicts with allowedAccountIds: give one of them"))
    return found


def _decode(value: Any) -> Any:
    """Decodes JSON text: the engine and the SDK send settings other than strings in that form."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _reason(name: str, value: Any) -> str | None:
    if value is UNKNOWN:
        return None
    if name in _STRINGS:
        return None if isinstance(value, str) else "must be a string"
    if name in _SKIPS:
        return None if isinstance(value, bool) else "must be a boolean"
    if name in _LISTS:
        if not isinstance(value, list) or not all(item is UNKNOWN or isinstance(item, str) for item in value):
            return "must be a list of strings"
        wrong = [item for item in value if item is not UNKNOWN and not _ACCOUNT.fullmatch(item)]
        return f"holds {wrong[0]!r}, which is not an account id of 12 digits" if wrong else None
    if name == "maxRetries":
        return None if str(value).isdigit() else "must be a whole number"
    if name == "endpoints":
        return _endpoints_reason(value)
    tags = value.get("tags", {}) if isinstance(value, dict) else None
    if not isinstance(tags, dict) or set(value) - {"tags"}:
        return 'must be of the form {"tags": {"key": "value"}}'
    return None


def _endpoints_reason(value: Any) -> str | None:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return 'must be a list of {"service": "url"}'
    for service in (service for item in value for service in item):
        if service not in SERVICES:
            return f"names {service!r}; the local stand-in knows {', '.join(sorted(SERVICES))}"
    return None


def parse(settings: Mapping[str, Any]) -> Configuration:
    """`settings` must be valid (`refusals`). A missing Region is read from AWS_REGION, then AWS_DEFAULT_REGION."""
    known = {name: _decode(reveal(value)) for name, value in settings.items()}
    endpoints = {
        SERVICES[service]: url for item in known.get("endpoints") or [] for service, url in item.items() if url
    }
    return Configuration(
        region=known.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "",
        profile=known.get("profile") or None,
        access_key=known.get("accessKey") or None,
        secret_key=known.get("secretKey") or None,
        token=known.get("token") or None,
        allowed_account_ids=tuple(known.get("allowedAccountIds") or ()),
        forbidden_account_ids=tuple(known.get("forbiddenAccountIds") or ()),
        default_tags=(known.get("defaultTags") or {}).get("tags") or {},
        endpoints=endpoints,
        max_attempts=1 + int(known.get("maxRetries", 2)),
        skip_credentials_validation=bool(known.get("skipCredentialsValidation")),
    )
