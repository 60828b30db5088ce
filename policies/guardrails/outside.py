"""No resource that is not judged itself changes a resource of ours.

Owns what resources of the types in `outside_types` do to ours, two resources for the same thing, and tags that a
provider sets or ignores. Leaves out what the rules about policies, attachments, rotations, permissions and grants judge
by content, and properties that the engine ignores (`ignored`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from . import ownership
from .config import Config
from .connect_bucket import ends_objects
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation
from .outside_types import CHANGERS, METRIC_FILTER, OVERWRITES, SUBJECTS
from .provider import AWS_PROVIDER, setting
from .targets import name_in, ours_by_name, target

_NAMESPACE: Final = "MyFluxKeys"
_PREFIX: Final = "myflux:"
_TAGS: Final = ("tenant", "cell", "managed-by")
_BY_TYPE: Final = {one.type: one for one in CHANGERS}


def _changed(stack: Stack, _: Config) -> Iterator[Finding]:
    for resource in stack:
        if (changer := _BY_TYPE.get(resource.type)) and not ends_objects(stack, resource):
            named, path = target(stack, resource, changer.path, changer.of), ".".join(changer.path)
            if named == "ours":
                yield violation(resource, path, f"the resource {changer.does}")
            elif named == "unknown":
                yield unknown(resource, path)
        if resource.type == METRIC_FILTER:
            yield from _metrics(resource)
    yield from _overwritten(stack)
    for type_, path, of in SUBJECTS:
        for resource in stack:
            if resource.type == type_ and target(stack, resource, (path,), of) == "unknown":
                yield unknown(resource, path)


def _metrics(filter_: Resource) -> Iterator[Finding]:
    namespace = filter_.get("metricTransformation", "namespace")
    if namespace is UNKNOWN:
        yield unknown(filter_, "metricTransformation.namespace")
    elif namespace == _NAMESPACE:
        yield violation(filter_, "metricTransformation.namespace", "the resource writes metrics that our alarms watch")


def _overwritten(stack: Stack) -> Iterator[Finding]:
    seen: set[tuple[str, ...]] = set()
    for resource in stack:
        if (same := _written(stack, resource)) is None:
            continue
        if same in seen:
            yield violation(resource, "", "another resource of the stack writes the same thing: the later one stays")
        seen.add(same)


def _written(stack: Stack, resource: Resource) -> tuple[str, ...] | None:
    """What AWS keeps of ours one of; None if it is not ours, or is not known to be."""
    if resource.type not in OVERWRITES:
        name = resource.text("name")
        return (resource.type, name) if ours_by_name(resource.type, name) else None
    path, of, id_ = OVERWRITES[resource.type]
    if target(stack, resource, (path,), of) != "ours":
        return None
    found = [one for one in ownership.sources(stack, resource, path) if one.type == of]
    name = found[0].text("name") if len(found) == 1 else name_in(resource.text(path))
    own = resource.text(id_) if id_ else ""
    return (resource.type, name, own) if name and (own or not id_) else None


def _tagged(stack: Stack, _: Config) -> Iterator[Finding]:
    for provider in (one for one in stack if one.type == AWS_PROVIDER):
        for path, inner in (("defaultTags", ("tags",)), ("ignoreTags", ("keys", "keyPrefixes"))):
            value = setting(provider, path)
            if value is UNKNOWN:
                yield unknown(provider, path)
            elif isinstance(value, Mapping):
                yield from _of_ours(provider, path, [(name, cast(Any, value).get(name)) for name in inner])


def _of_ours(provider: Resource, path: str, parts: list[tuple[str, Any]]) -> Iterator[Finding]:
    does = "sets" if path == "defaultTags" else "leaves as it is"
    for name, value in parts:
        if value is UNKNOWN:
            yield unknown(provider, f"{path}.{name}")
        for tag in cast(list[Any], [*value]) if isinstance(value, list | Mapping) else []:
            if tag is UNKNOWN:
                yield unknown(provider, f"{path}.{name}")
            elif _decides(str(tag), prefix=name == "keyPrefixes"):
                message = f"the provider {does} a tag of ours on every resource: {tag}"
                yield violation(provider, f"{path}.{name}", message)


def _decides(tag: str, *, prefix: bool) -> bool:
    if prefix:
        return tag.startswith(_PREFIX) or any(one.startswith(tag) for one in (*_TAGS, _PREFIX))
    return tag in _TAGS or tag.startswith(_PREFIX)


OUTSIDE_RULES: Final = (
    Rule(
        name="ours-changed-by-its-own-resource",
        severity="critical",
        level="mandatory",
        description="No other resource changes a secret, KMS key, role, function, topic, queue, alarm or log group of "
        "ours, and no two resources write the same of ours.",
        rationale="The rules judge our resource as it describes itself, and the other one changes it afterwards: a "
        "tenant's secret gets another tenant's tag, an alarm is muted, a function may be called by anybody.",
        fix="Remove the other resource. What must be different belongs into components/, where the rules judge it.",
        source="https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_TagResource.html",
        check=_changed,
    ),
    Rule(
        name="tags-set-by-ours-alone",
        severity="critical",
        level="mandatory",
        description="No AWS provider sets or ignores the tags tenant, cell, managed-by or any `myflux:` tag.",
        rationale="These tags decide who may read a secret, and by which organization its key is minted: a default tag "
        "is on every secret that does not set it, and an ignored one stays as somebody changed it.",
        fix="Remove the tag from `defaultTags` or `ignoreTags` of the provider: components/ set all that are needed.",
        source="https://www.pulumi.com/registry/packages/aws/api-docs/provider/",
        check=_tagged,
        scope="resource",
    ),
)
