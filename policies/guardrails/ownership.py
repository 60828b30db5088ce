"""Which resources of a stack are MyFlux Keys' ("ours"), by name and tag.

Owns a second copy of the naming scheme, since myflux_keys/names.py cannot be imported where a pack runs; a test
compares the two. Leaves out the rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from .model import UNKNOWN, Resource, Stack
from .own_functions import KINDS, SCHEDULED

A_SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105 - the name of a type
VERSION: Final = "aws:secretsmanager/secretVersion:SecretVersion"
RESOURCE_POLICY: Final = "aws:secretsmanager/secretPolicy:SecretPolicy"
ROTATION: Final = "aws:secretsmanager/secretRotation:SecretRotation"
FUNCTION: Final = "aws:lambda/function:Function"
ROLE: Final = "aws:iam/role:Role"
KEY: Final = "aws:kms/key:Key"
TOPIC: Final = "aws:sns/topic:Topic"
QUEUE: Final = "aws:sqs/queue:Queue"
BUCKET: Final = "aws:s3/bucket:Bucket"
OBJECT: Final = "aws:s3/bucketObjectv2:BucketObjectv2"
INVOCATION: Final = "aws:lambda/invocation:Invocation"

MANAGED_BY: Final = "myflux-keys"
PLATFORM: Final = "_platform"

_ROLES: Final = ("runtime", *KINDS, "deployer", "handover")
"""The endings of our roles' names; KINDS are those of our functions' names too."""
_POLICIES: Final = ("read", "boundary", "deployer-looks", "deployer-tenants-state", "deployer-everything-state")
_OTHERS: Final = ("dead-letters", "alarms", "rotation-failed", "handover-used", *(one.rule for one in SCHEDULED))
"""The queue, the topic and the rules."""

TENANT_SECRETS: Final = "arn:~:secretsmanager:~:~:secret:myflux/~/~/openai-??????"
"""Patterns as `iam.patterns` reads them: ``~`` stays within one field of the ARN."""
ADMIN_SECRETS: Final = "arn:~:secretsmanager:~:~:secret:myflux-admin/~/openai-??????"
SECRETS: Final = (TENANT_SECRETS, ADMIN_SECRETS)
ROLES: Final = ("arn:~:iam::~:role/myflux-~_~", *(f"arn:~:iam::~:role/myflux-~-{one}" for one in _ROLES))
FUNCTIONS: Final = tuple(f"arn:~:lambda:~:~:function:myflux-~-{one}{of}" for one in KINDS for of in ("", ":*"))
"""With and without a version or an alias."""
CALLING_RULES: Final = tuple(f"arn:~:events:~:~:rule/myflux-~-{one.rule}" for one in SCHEDULED)
"""The rules whose permission to call a function of ours stands in the function's policy."""
POLICIES: Final = tuple(f"arn:~:iam::~:policy/myflux-~-{one}" for one in _POLICIES)

_CELL: Final = r"(?P<cell>[a-z][a-z0-9-]{2,19})"
_TENANT: Final = r"(?P<tenant>[a-z][a-z0-9-]{2,31})"
_TENANT_SECRET: Final = re.compile(rf"myflux/{_CELL}/{_TENANT}/openai", re.ASCII)
_ADMIN_SECRET: Final = re.compile(rf"myflux-admin/{_CELL}/openai", re.ASCII)
_ROLE: Final = re.compile(rf"myflux-{_CELL}(?:-(?P<kind>{'|'.join(_ROLES)})|_{_TENANT})", re.ASCII)
CELLS_POLICY: Final = re.compile(
    r"myflux-(?P<cell>[a-z][a-z0-9-]{2,19})-(?P<kind>read|boundary|deployer-(looks|(tenants|everything)-state))",
    re.ASCII,
)
"""The names of a cell's managed policies, whose content and attachments `own_roles` judges."""
_ROLE_ARN: Final = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>[0-9]{12}):(?:role|user)/(?:[^*?]*/)?(?P<name>[^*?/]+)")
HEALTH_BUCKET: Final = re.compile(r"myflux-health-(?P<cell>[a-z][a-z0-9-]{2,19})-[0-9]{12}", re.ASCII)
"""The bucket of a cell's declarations."""
CONNECT_BUCKET: Final = re.compile(r"myflux-connect-(?P<cell>[a-z][a-z0-9-]{2,19})-[0-9]{12}", re.ASCII)
"""The bucket of what customers of a cell hand in."""
_DECLARATION: Final = re.compile(rf"declarations/(?:identities/)?{_TENANT}\.json", re.ASCII)
_SLUG: Final = r"[a-z][a-z0-9-]{2,31}"
_PART: Final = r"(?:\$\{[^}\s]+\}|[a-z0-9*?-]+)"
"""Of a name in a policy document: a slug, a wildcard or a variable."""


def _scheme(part: str) -> str:
    """A regular expression of all our names, with `part` for a cell and a tenant."""
    endings = "|".join(sorted({*_ROLES, *_POLICIES, *_OTHERS}, key=len, reverse=True))
    return (
        rf"(?:myflux/{part}/{part}/openai|myflux-admin/{part}(?:/{part})?/openai|alias/myflux/{part}(?:/{part})?|"
        rf"(?:/aws/lambda/)?myflux-{part}-(?:{endings})|myflux-{part}_{part})"
    )


_OURS: Final = re.compile(_scheme(_SLUG), re.ASCII)
_OURS_WITHIN: Final = re.compile(
    rf"(?<![A-Za-z0-9_-]){_scheme(_PART)}(?![a-z0-9])|:secret:myflux(?:-admin)?/?\*", re.ASCII
)
_PROJECT: Final = re.compile(r'"project"\s*:\s*"myflux-')
_SECRET_IN_ARN: Final = re.compile(r"arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:(?P<name>.+?)(?:-[A-Za-z0-9?]{6})?")


@dataclass(frozen=True)
class Place:
    """Whose secret it is: `tenant` is PLATFORM for the cell's admin key."""

    cell: str
    tenant: str

    @property
    def admin(self) -> bool:
        return self.tenant == PLATFORM


@dataclass(frozen=True)
class OurRole:
    """`kind` is `dedicated` for the role of one tenant, `deployer` for a pipeline's, `handover` for people's."""

    cell: str
    kind: str
    tenant: str = ""


def place_of(secret_name: str) -> Place | None:
    """None for a name that MyFlux Keys does not give."""
    if found := _TENANT_SECRET.fullmatch(secret_name):
        return Place(found["cell"], found["tenant"])
    if found := _ADMIN_SECRET.fullmatch(secret_name):
        return Place(found["cell"], PLATFORM)
    return None


def declared_place(one: Resource) -> Place | None:
    """Whose declaration or identity an object is; None for any other object."""
    bucket, key = HEALTH_BUCKET.fullmatch(one.text("bucket")), _DECLARATION.fullmatch(one.text("key"))
    return Place(bucket["cell"], key["tenant"]) if bucket and key else None


def role_of(name_or_arn: str) -> OurRole | None:
    arn = _ROLE_ARN.fullmatch(name_or_arn)
    found = _ROLE.fullmatch(arn["name"] if arn else name_or_arn)
    if found is None:
        return None
    return OurRole(found["cell"], found["kind"] or "dedicated", found["tenant"] or "")


def principal(arn: str) -> tuple[str, str] | None:
    """Account and name in the full ARN of a user or role; None for any other text."""
    found = _ROLE_ARN.fullmatch(arn)
    return (found["account"], found["name"]) if found else None


def secret_name(name_or_arn: str) -> str:
    found = _SECRET_IN_ARN.fullmatch(name_or_arn)
    return found["name"] if found else name_or_arn


def named_like_ours(name: str) -> bool:
    """Whether MyFlux Keys gives such names. MyFlux's other systems have names that begin with `myflux` too."""
    return _OURS.fullmatch(name) is not None


def names_ours(text: str) -> bool:
    """Whether a name or a pattern of ours is anywhere in `text`, such as an ARN or a policy document."""
    return "myflux" in text and _OURS_WITHIN.search(text) is not None


def last_name(arn_or_url: str) -> str:
    """The name at the end of a topic's or queue's ARN or URL."""
    return re.split(r"[:/]", arn_or_url)[-1]


def is_ours(resource: Resource) -> bool:
    """By tag or by name."""
    if resource.get("tags", "managed-by") == MANAGED_BY:
        return True
    prefix = resource.text("namePrefix")
    # The provider puts digits behind a prefix, which can be part of a tenant's name.
    names = (resource.text("name"), resource.text("functionName"), prefix, f"{prefix}000")
    return any(named_like_ours(name) for name in names)


def makes_project(resource: Resource) -> bool:
    """Whether a call of a function is about a tenant's project at OpenAI."""
    return resource.type == INVOCATION and _PROJECT.search(str(resource.get("input"))) is not None


def request(call: Resource) -> Mapping[str, Any]:
    """What a call of a function asks for; empty where its input is no JSON object."""
    try:
        read: Any = json.loads(call.text("input"))
    except ValueError:
        return {}
    return cast(Mapping[str, Any], read) if isinstance(read, dict) else {}


def secrets(stack: Stack) -> Iterator[Resource]:
    return (resource for resource in stack if resource.type == A_SECRET and is_ours(resource))


def functions(stack: Stack) -> Iterator[Resource]:
    return (resource for resource in stack if resource.type == FUNCTION and is_ours(resource))


def roles(stack: Stack) -> Iterator[Resource]:
    return (resource for resource in stack if resource.type == ROLE and is_ours(resource))


def sources(stack: Stack, resource: Resource, property_: str) -> Sequence[Resource]:
    """The resources of the stack that a property's value comes from."""
    urns = resource.property_dependencies.get(property_, frozenset())
    return [found for found in stack if found.urn in urns]


def comes_from(stack: Stack, resource: Resource, property_: str, type_: str) -> Sequence[Resource]:
    """The resources of one type that an unknown value comes from; empty for a known value."""
    if resource.get(property_) is not UNKNOWN:
        return []
    return [found for found in sources(stack, resource, property_) if found.type == type_]


def secret_behind(stack: Stack, resource: Resource, property_: str) -> Resource | str | None:
    """The secret that `property_` refers to: the resource if it is in this stack, else its name; None if unknown."""
    value = resource.get(property_)
    if isinstance(value, str):
        name = secret_name(value)
        return next((one for one in stack if one.type == A_SECRET and one.get("name") == name), name)
    found = [one for one in sources(stack, resource, property_) if one.type == A_SECRET]
    return found[0] if len(found) == 1 else None
