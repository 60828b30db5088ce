"""Tenants without a key, read from what a cell's stacks register: what OpenAI's rule for each demands of a token.

Owns generalizing it, as `deployment` does a secret. Leaves out what a rule means for a request (`tokens`). The rule is
not a resource: the provisioner makes it of the specification that Pulumi hands over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ops.isolation.resources import Resource, general
from ops.isolation.terms import CannotJudgeError

_INVOCATION: Final = "aws:lambda/invocation:Invocation"
_BUCKET_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"


@dataclass(frozen=True)
class Identity:
    """Tenants whose rules differ in nothing but the slug, for which OWNER stands. A token matches if its ``sub`` is
    `subject`, which may end with ``*`` at OpenAI, if the session tag that it states is the tenant, and if `audience` is
    among its audiences."""

    tenants: tuple[str, ...]
    audience: str
    subject: str


def identities(resources: Iterable[Resource]) -> list[Identity]:
    """Raises CannotJudgeError for a specification that is not read."""
    found: dict[tuple[str, str], Identity] = {}
    for resource in resources:
        specification = _specification(resource)
        asked: Any = specification.get("federation")
        if asked is None:
            continue
        slug, said = specification.get("tenant"), [asked.get(name) for name in ("audience", "subject")]
        if not isinstance(slug, str) or not all(isinstance(one, str) for one in said):
            raise CannotJudgeError(
                "its `federation` has no audience and subject",
                "prove from a rehearsal or from a stack's state",
                str(slug),
            )
        alike = (general(said[0], slug), general(said[1], slug))
        known = found.get(alike)
        found[alike] = Identity((*known.tenants, slug) if known else (slug,), *alike)
    return list(found.values())


def _specification(resource: Resource) -> Mapping[str, Any]:
    if resource.type != _INVOCATION:
        return {}
    text = resource.inputs.get("input")
    try:
        read: Any = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        read = {}
    return read if isinstance(read, dict) else {}


def bucket_policies(resources: Iterable[Resource]) -> dict[str, str]:
    """Documents by the bucket's name."""
    return {
        str(one.inputs["bucket"]): str(one.inputs["policy"])
        for one in resources
        if one.type == _BUCKET_POLICY and isinstance(one.inputs.get("policy"), str)
    }
