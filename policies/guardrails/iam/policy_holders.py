"""Which properties of a stack's resources hold policy documents, and for whom.

Owns the list of properties. Leaves out what the documents allow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from .. import ownership as ours
from ..model import UNKNOWN, Finding, Resource, Stack, unknown, violation
from .documents import NotADocument, NotKnownYet, Statement, read

Use = Literal["identity", "trust", "secret", "key", "topic", "queue"]

ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
MANAGED_POLICY: Final = "aws:iam/policy:Policy"
KEY_POLICY: Final = "aws:kms/keyPolicy:KeyPolicy"

PLACES: Final[dict[str, tuple[tuple[str, Use, str], ...]]] = {
    MANAGED_POLICY: (("policy", "identity", "name"),),
    ROLE_POLICY: (("policy", "identity", "role"),),
    "aws:iam/userPolicy:UserPolicy": (("policy", "identity", "user"),),
    "aws:iam/groupPolicy:GroupPolicy": (("policy", "identity", "group"),),
    "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy": (("inlinePolicy", "identity", ""),),
    ours.ROLE: (("assumeRolePolicy", "trust", "name"),),
    ours.A_SECRET: (("policy", "secret", "name"),),
    ours.RESOURCE_POLICY: (("policy", "secret", ""),),
    ours.KEY: (("policy", "key", ""),),
    KEY_POLICY: (("policy", "key", ""),),
    ours.TOPIC: (("policy", "topic", "name"),),
    "aws:sns/topicPolicy:TopicPolicy": (("policy", "topic", ""),),
    ours.QUEUE: (("policy", "queue", "name"),),
    "aws:sqs/queuePolicy:QueuePolicy": (("policy", "queue", ""),),
}
"""Resource type to the property that holds a document, its use, and the property with its owner's name."""


@dataclass(frozen=True)
class HeldDocument:
    """A policy document in a resource. `owner` is the name of the role, user, group or managed policy; empty if there
    is none, UNKNOWN if it is not known yet. `trouble` is why there are no statements: NotKnownYet, or NotADocument with
    its reason."""

    resource: Resource
    path: str
    use: Use
    owner: Any
    statements: tuple[Statement, ...]
    trouble: NotKnownYet | NotADocument | None = None

    @property
    def role(self) -> ours.OurRole | None:
        """Our role that has the document. A managed policy has no role until it is attached."""
        if self.resource.type == MANAGED_POLICY or not isinstance(self.owner, str):
            return None
        return ours.role_of(self.owner)

    @property
    def ours(self) -> bool:
        named = isinstance(self.owner, str) and ours.named_like_ours(self.owner)
        return named or ours.is_ours(self.resource)


def unread(held: HeldDocument) -> Finding:
    """The finding about a document with `trouble`."""
    if isinstance(held.trouble, NotKnownYet):
        return unknown(held.resource, held.path)
    return violation(held.resource, held.path, f"the policy document can't be read: {held.trouble}")


def documents(stack: Stack, *uses: Use) -> Iterator[HeldDocument]:
    for resource in stack:
        for path, use, names in PLACES.get(resource.type, ()):
            value = resource.get(path)
            if use in uses and value not in (None, ""):
                yield _held(resource, path, use, resource.get(names) if names else "", value)
        if "identity" in uses and resource.type == ours.ROLE:
            yield from _inline(resource)


def _inline(role: Resource) -> Iterator[HeldDocument]:
    """The Role resource can hold identity policies too."""
    listed = role.get("inlinePolicies")
    if listed is UNKNOWN:
        yield _held(role, "inlinePolicies", "identity", role.get("name"), UNKNOWN)
    for place, one in enumerate(cast(list[Any], listed) if isinstance(listed, list) else []):
        document: Any = cast(dict[str, Any], one).get("policy") if isinstance(one, dict) else one
        if document not in (None, ""):
            yield _held(role, f"inlinePolicies[{place}].policy", "identity", role.get("name"), document)


def _held(resource: Resource, path: str, use: Use, owner: Any, document: Any) -> HeldDocument:
    try:
        return HeldDocument(resource, path, use, owner or "", read(document))
    except (NotKnownYet, NotADocument) as trouble:
        return HeldDocument(resource, path, use, owner or "", (), trouble)
