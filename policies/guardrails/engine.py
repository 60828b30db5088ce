"""The rules as the engine's policies: the one file that knows Pulumi.

Owns turning what the engine shows into resources, and findings into reports. A rule about one resource is asked before
that resource is made; a rule about the stack can only be asked at the end, which at a preview is still before anything
is made. Both are asked again at the update, when nothing is unknown any more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from pulumi import AssetArchive, FileArchive, FileAsset, RemoteArchive, RemoteAsset, StringAsset
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from .config import Config
from .judge import ask
from .model import UNKNOWN, Archive, Finding, Resource, Rule, whole
from .rules_page import camel

_SCHEMA: Final[Mapping[type, dict[str, Any]]] = {
    int: {"type": "integer", "minimum": 0},
    tuple: {"type": "array", "items": {"type": "string"}},
}


def policies(rules: Sequence[Rule]) -> list[Policy]:
    return [_resource_policy(rule) if rule.scope == "resource" else _stack_policy(rule) for rule in rules]


def explain(rule: Rule, finding: Finding) -> str:
    """What a person reads: the place, what is wrong, what it lets an attacker do, and the way out."""
    name = finding.urn.rpartition("::")[2]
    place = f"{name}.{finding.path}" if name and finding.path else name or "the stack"
    attack = "" if finding.kind == "unknown" else f"\nAn attacker: {rule.rationale}"
    return f"{place}: {finding.message}.{attack}\nFix: {rule.fix}\nSee {rule.source}"


def configured(config: Mapping[str, Any] | None) -> Config:
    """A pack's configuration spells settings in camelCase, and numbers come as floating point."""
    given: dict[str, Any] = {}
    for field in dataclasses.fields(Config):
        value = (config or {}).get(camel(field.name))
        if value is not None:
            given[field.name] = tuple(value) if isinstance(field.default, tuple) else int(value)
    return Config(**given)


def _schema(rule: Rule) -> PolicyConfigSchema | None:
    fields = [field for field in dataclasses.fields(Config) if field.name in rule.settings]
    if not fields:
        return None
    return PolicyConfigSchema({camel(field.name): dict(_SCHEMA[type(field.default)]) for field in fields})


def _about(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "description": rule.description,
        "enforcement_level": EnforcementLevel(rule.level),
        "severity": Severity(rule.severity),
        "remediation_steps": rule.fix,
        "url": rule.source,
        "config_schema": _schema(rule),
    }


def _resource_policy(rule: Rule) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for finding in ask(rule, [before_it_is_made(args)], configured(args.get_config())):
            report(explain(rule, finding), args.urn)

    return ResourceValidationPolicy(validate=validate, **_about(rule))


def _stack_policy(rule: Rule) -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        resources = [within_its_stack(shown) for shown in args.resources]
        for finding in ask(rule, resources, configured(args.get_config())):
            report(explain(rule, finding), finding.urn or None)

    return StackValidationPolicy(validate=validate, **_about(rule))


def before_it_is_made(args: ResourceValidationArgs) -> Resource:
    """The engine does not say then what a resource depends on."""
    return Resource(
        args.urn, args.resource_type, args.name, plain(args.props), args.opts.parent or "", args.opts.protect
    )


def within_its_stack(shown: PolicyResource) -> Resource:
    """The engine shows a stack's resources with what AWS will answer. What is unknown there and was never asked for is
    not the program's to know."""
    asked = shown.property_dependencies
    return Resource(
        urn=shown.urn,
        type=shown.resource_type,
        name=shown.name,
        properties={name: value for name, value in plain(shown.props).items() if value is not UNKNOWN or name in asked},
        parent=shown.parent.urn if shown.parent else "",
        protect=shown.opts.protect,
        dependencies=frozenset(one.urn for one in shown.dependencies),
        property_dependencies={
            name: frozenset(one.urn for one in ones) for name, ones in shown.property_dependencies.items()
        },
    )


def plain(value: Any) -> Any:
    """The value without the proxies that raise where something is unknown."""
    if isinstance(value, Mapping):
        shown = cast(Mapping[str, Any], value)
        return {name: _item(shown, name) for name in shown}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        listed = cast(Sequence[Any], value)
        return [_item(listed, place) for place in range(len(listed))]
    return files(value)


def files(value: Any) -> Any:
    """An asset or an archive of Pulumi's, as the rules see it; anything else as it is."""
    if isinstance(value, StringAsset):
        return value.text
    if isinstance(value, FileAsset):
        return str(value.path)
    if isinstance(value, RemoteAsset):
        return value.uri
    if isinstance(value, FileArchive):
        return Archive(path=str(value.path))
    if isinstance(value, RemoteArchive):
        return Archive(uri=value.uri)
    if isinstance(value, AssetArchive):
        return Archive(parts={name: files(one) for name, one in value.assets.items()})
    return whole(value)


def _item(holder: Any, key: Any) -> Any:
    try:
        return plain(holder[key])
    except UnknownValueError:
        return UNKNOWN
