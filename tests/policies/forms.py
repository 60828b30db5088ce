"""The forms in which the pack's rules meet a resource: as the engine shows it to a pack, and as a review records it.

Owns bringing a resource of a test into each form, by the code that does it for a real one: Pulumi's own serialization
on the way to a pack, the record's JSON on the way through a review. Leaves out what the rules say of either.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import pulumi
from google.protobuf import json_format
from pulumi.output import Unknown
from pulumi.runtime import rpc
from pulumi_policy import PolicyProviderResource, PolicyResource, PolicyResourceOptions, ResourceValidationArgs
from pulumi_policy.deserialize import deserialize_properties
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from ops.review import judging
from ops.review.registered import Registered, files, from_json, to_json
from policies.guardrails import engine
from policies.guardrails.config import Config
from policies.guardrails.judge import RULES
from policies.guardrails.judge import judge as _judge
from policies.guardrails.model import UNKNOWN, Archive, Finding, Resource, Rule


def judge(resources: Sequence[Resource], config: Config | None = None, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """What the rules find, which must be the same in each form."""
    rules = list(rules)
    found = _judge(as_a_review_records(resources), config, rules)
    shown = as_the_engine_shows(resources)
    in_the_engine = [
        finding
        for rule in rules
        for asked in ([[one] for one in shown[0]] if rule.scope == "resource" else [shown[1]])
        for finding in _judge(asked, config, [rule])
    ]
    differ = set(found) ^ set(in_the_engine)
    assert not differ, f"a review and the engine see different things, and one of them found these alone: {differ}"
    return found


def as_the_engine_shows(resources: Iterable[Resource]) -> tuple[list[Resource], list[Resource]]:
    """As rules about one resource see them, and as rules about the stack do."""
    resources = list(resources)
    urns = frozenset(one.urn for one in resources)
    within = [_within(_Once(one), _named(one) & urns) for one in resources]
    return [_alone(_Once(one)) for one in resources], within


def as_a_review_records(resources: Iterable[Resource]) -> list[Resource]:
    """As any rule sees them in a review."""
    return [_recorded(_Once(one)) for one in resources]


@dataclass(frozen=True, eq=False)
class _Once:
    """A resource by its identity: the same one is in hundreds of tests, and brought into a form once."""

    one: Resource

    def __hash__(self) -> int:
        return id(self.one)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Once) and other.one is self.one


@lru_cache(maxsize=2048)
def _recorded(once: _Once) -> Resource:
    (recorded,) = judging.resources([from_json(json.loads(json.dumps(to_json(registered(once.one)))))])
    return recorded


def registered(one: Resource) -> Registered:
    """As a rehearsal has it before it is recorded."""
    return Registered(
        urn=one.urn,
        type=one.type,
        name=one.name,
        inputs={name: _in_a_rehearsal(value) for name, value in one.properties.items()},
        id="",
        outputs={name: _in_a_rehearsal(value) for name, value in one.outputs.items()},
        parent=one.parent,
        provider="",
        custom=not one.component,
        protect=one.protect,
        retain_on_delete=False,
        dependencies=one.dependencies,
        property_dependencies=one.property_dependencies,
        ignore_changes=one.ignore_changes,
    )


def _shown(one: Resource, props: Mapping[str, Any]) -> PolicyResource:
    ignored = list(one.ignore_changes)
    options = PolicyResourceOptions(one.protect, ignored, None, [], cast(Any, None), [], one.parent or None)
    provider = None if one.component else PolicyProviderResource(one.type, {}, f"{one.urn}-provider", "provider")
    return PolicyResource(one.type, props, one.urn, one.name, options, provider, None, [], {})


@lru_cache(maxsize=2048)
def _alone(once: _Once) -> Resource:
    one = _shown(once.one, _inputs(once))
    return engine.before_it_is_made(
        ResourceValidationArgs(one.resource_type, one.props, one.urn, one.name, one.opts, one.provider, None, {})
    )


@lru_cache(maxsize=2048)
def _within(once: _Once, there: frozenset[str]) -> Resource:
    """`there`: those of the resources that it names which are in its stack."""
    one = once.one
    others = {urn: PolicyResource("", {}, urn, "", cast(Any, None), None, None, [], {}) for urn in there}
    mine = _shown(one, _state(once))
    mine.parent = others.get(one.parent)
    mine.dependencies = [others[urn] for urn in one.dependencies if urn in others]
    mine.property_dependencies = {
        name: [others[urn] for urn in urns if urn in others]
        for name, urns in one.property_dependencies.items()
        # Of a value that comes from no resource the engine says nothing.
        if urns
    }
    return engine.within_its_stack(mine, _alone(once).properties)


def _named(one: Resource) -> frozenset[str]:
    return frozenset((one.parent,)).union(one.dependencies, *one.property_dependencies.values())


@lru_cache(maxsize=2048)
def _inputs(once: _Once) -> Mapping[str, Any]:
    return _through_pulumi(once.one.properties)


@lru_cache(maxsize=2048)
def _state(once: _Once) -> Mapping[str, Any]:
    one = once.one
    return _through_pulumi({**one.outputs, **one.properties}) if one.outputs else _inputs(once)


def _through_pulumi(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    wire = json_format.MessageToDict(_sent(properties))
    return cast(Mapping[str, Any], unknown_checking_proxy(deserialize_properties(wire)))


def _sent(properties: Mapping[str, Any]) -> Any:
    """As the SDK serializes it, without an event loop: no value here is one to wait for."""
    serialization = rpc.serialize_properties(_given(properties), {}, keep_output_values=False)
    try:
        serialization.send(None)
    except StopIteration as ended:
        return ended.value
    serialization.close()
    raise AssertionError("a value of a test is one to wait for")


def _in_a_rehearsal(value: Any) -> Any:
    if value is UNKNOWN:
        return Unknown()
    if isinstance(value, Archive):
        return files(_pulumis(value))
    if isinstance(value, Mapping):
        return {name: _in_a_rehearsal(one) for name, one in cast(Mapping[str, Any], value).items()}
    return [_in_a_rehearsal(one) for one in cast(list[Any], value)] if isinstance(value, list) else value


def _given(value: Any) -> Any:
    """As a program gives it to the SDK."""
    if value is UNKNOWN:
        return UNKNOWN_STRING_VALUE
    if isinstance(value, Archive):
        return _pulumis(value)
    if isinstance(value, Mapping):
        return {name: _given(one) for name, one in cast(Mapping[str, Any], value).items()}
    return [_given(one) for one in cast(list[Any], value)] if isinstance(value, list) else value


def _pulumis(value: Archive) -> pulumi.Archive:
    if value.path:
        return pulumi.FileArchive(value.path)
    if value.uri:
        return pulumi.RemoteArchive(value.uri)
    return pulumi.AssetArchive(
        {
            name: _pulumis(one) if isinstance(one, Archive) else pulumi.StringAsset(one)
            for name, one in value.parts.items()
        }
    )
