"""The rules as the engine's policies: the only file that imports Pulumi.

Owns the conversion of the engine's resources to ours, and of findings to reports. Leaves out the rules. A rule about
one resource is applied before that resource is created. A rule about the stack is applied at the end, which in a
preview is before anything is created. An update applies both again, with all values known.
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
from .judge import apply
from .model import UNKNOWN, Archive, Finding, Resource, Rule, whole
from .rules_page import camel

_SCHEMA: Final[Mapping[type, dict[str, Any]]] = {
    int: {"type": "integer", "minimum": 0},
    tuple: {"type": "array", "items": {"type": "string"}},
}


_A_STACK: Final = "pulumi:pulumi:Stack"

_Inputs = dict[str, Mapping[str, Any]]
"""By URN, as the rules about one resource saw them. The engine does not tell rules about the stack which properties
are inputs: it shows them the outputs as well, and leaves out that a property depends on nothing."""


def policies(rules: Sequence[Rule]) -> list[Policy]:
    inputs: _Inputs = {}
    return [
        _resource_policy(rule, inputs) if rule.scope == "resource" else _stack_policy(rule, inputs) for rule in rules
    ]


def explain(rule: Rule, finding: Finding) -> str:
    """The report's text: the place, what is wrong, what an attacker could do, and how to fix it."""
    name = finding.urn.rpartition("::")[2]
    place = f"{name}.{finding.path}" if name and finding.path else name or "the stack"
    risk = "" if finding.kind == "unknown" else f"\nRisk: {rule.rationale}"
    return f"{place}: {finding.message}.{risk}\nFix: {rule.fix}\nSee {rule.source}"


def misspelt(rule: Rule, config: Mapping[str, Any] | None) -> str:
    """What the settings file has for a rule that knows no such setting, which would leave the default in force."""
    known = [camel(name) for name in rule.settings]
    if not (strange := sorted(set(config or {}) - set(known))):
        return ""
    settings = f"its settings are {', '.join(known)}" if known else "it has none but enforcementLevel"
    return (
        f"the settings file has {', '.join(strange)} for {rule.name}, which changes nothing: {settings}.\n"
        "Fix: Correct the name in the file that is given with --policy-pack-config."
    )


def configured(config: Mapping[str, Any] | None) -> Config:
    """The pack's configuration, whose names are in camelCase and whose numbers are floating point."""
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


def _resource_policy(rule: Rule, inputs: _Inputs) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        resource = before_it_is_made(args)
        inputs[args.urn] = resource.properties
        if resource.type == _A_STACK and (wrong := misspelt(rule, args.get_config())):
            report(wrong, args.urn)
        for finding in apply(rule, [resource], configured(args.get_config())):
            report(explain(rule, finding), args.urn)

    return ResourceValidationPolicy(validate=validate, **_about(rule))


def _stack_policy(rule: Rule, inputs: _Inputs) -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        resources = [within_its_stack(shown, inputs.get(shown.urn)) for shown in args.resources]
        if wrong := misspelt(rule, args.get_config()):
            report(wrong, None)
        for finding in apply(rule, resources, configured(args.get_config())):
            report(explain(rule, finding), finding.urn or None)

    return StackValidationPolicy(validate=validate, **_about(rule))


def before_it_is_made(args: ResourceValidationArgs) -> Resource:
    """A resource before it is created; the engine does not give its dependencies then."""
    return Resource(
        urn=args.urn,
        type=args.resource_type,
        name=args.name,
        properties=plain(args.props),
        parent=args.opts.parent or "",
        component=args.provider is None,
        protect=args.opts.protect,
        ignore_changes=tuple(args.opts.ignore_changes),
    )


def within_its_stack(shown: PolicyResource, inputs: Mapping[str, Any] | None) -> Resource:
    """A resource of the whole stack, which the engine shows with its outputs. An unknown value that is no input is
    left out of `properties`; if `inputs` is None, no value is known to be none."""
    state = plain(shown.props)
    return Resource(
        urn=shown.urn,
        type=shown.resource_type,
        name=shown.name,
        properties={
            name: value for name, value in state.items() if value is not UNKNOWN or inputs is None or name in inputs
        },
        parent=shown.parent.urn if shown.parent else "",
        component=shown.provider is None,
        protect=shown.opts.protect,
        dependencies=frozenset(one.urn for one in shown.dependencies),
        property_dependencies={
            name: frozenset(one.urn for one in ones) for name, ones in shown.property_dependencies.items()
        },
        # A component's output may have the name of one of its inputs.
        outputs={name: value for name, value in state.items() if inputs is None or inputs.get(name) != value},
        ignore_changes=tuple(shown.opts.ignore_changes),
    )


def plain(value: Any) -> Any:
    """The value without Pulumi's proxies, which raise for an unknown value.

    Each rule about the stack gets its own copy of all resources. Texts are most of it, so they are told first.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        shown = cast(Mapping[str, Any], value)
        return {name: _item(shown, name) for name in shown}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        listed = cast(Sequence[Any], value)
        return [_item(listed, place) for place in range(len(listed))]
    return files(value)


def files(value: Any) -> Any:
    """A Pulumi asset or archive as the rules see it; any other value unchanged."""
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
