"""Runs the pack's rules without an engine: which resources break a rule, and which line of a file causes it.

Converts a rehearsal to the rules' input, and their findings to remarks. Leaves out the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from pulumi.output import Unknown

from ops.review.registered import Files, Registered
from ops.review.remark import Outcome, Remark
from ops.review.source_lines import Places
from ops.review.tree_rehearsal import Asked
from policies.guardrails.config import Config
from policies.guardrails.judge import RULES, judge
from policies.guardrails.model import UNKNOWN, Archive, Finding, Resource, Rule, whole
from tenancy import Cell, Tenant

_PROMISED: Final = {
    *("tenant", "permission", "models", "rate_limits", "budget", "isolation"),
    *("credential", "switching_from"),
}
BY_NAME: Final[Mapping[str, Rule]] = {rule.name: rule for rule in RULES}


def resources(registered: Sequence[Registered]) -> list[Resource]:
    """The resources in the form in which the engine passes them to the pack."""
    return [
        Resource(
            urn=one.urn,
            type=one.type,
            name=one.name,
            properties=_shown(one.inputs),
            parent=one.parent,
            component=not one.custom or one.type.startswith("pulumi:providers:"),
            protect=one.protect,
            dependencies=one.dependencies,
            property_dependencies=one.property_dependencies,
            outputs=_shown(one.outputs),
            ignore_changes=one.ignore_changes,
        )
        for one in registered
    ]


def config(cell: Cell, tenants: Sequence[Tenant] = ()) -> Config:
    """The pack's configuration, from the files of a cell and its tenants."""
    production = (cell.cell,) if cell.production else ()
    everything = cell.pipeline is not None and cell.pipeline.deploys == "everything"
    return Config(
        production_cells=production,
        deployers=tuple(cell.governors),
        runtime_principals=tuple(cell.runtime_principals),
        handover_principals=tuple(cell.handover.principals) if cell.handover else (),
        tenants_pipelines=() if everything else (cell.cell,),
        pipeline_jobs=(f"{cell.pipeline.issuer} {cell.pipeline.subject}",) if cell.pipeline else (),
        alarm_emails=tuple(cell.alarm_emails),
        promises=tuple(tenant.model_dump_json(include=_PROMISED) for tenant in tenants),
    )


def judged(
    after: Asked, before: Asked | None, cell: Cell, tenants: Sequence[Tenant], places: Places
) -> Iterator[Remark]:
    """A remark for each finding, with whether the base has it too."""
    settings = config(cell)
    old = {_key(one) for one in judge(resources(before.resources), settings)} if before else set[tuple[str, ...]]()
    registered = {one.urn: one for one in after.resources}
    # What `tenants` promise now the base did not have to keep.
    for finding in judge(resources(after.resources), config(cell, tenants)):
        one = registered.get(finding.urn)
        yield remark(BY_NAME[finding.rule], finding, after.stack, one, places, before=_key(finding) in old)


def remark(
    rule: Rule, finding: Finding, stack: str, one: Registered | None, places: Places, *, before: bool = False
) -> Remark:
    return Remark(
        rule=rule.name,
        outcome=_outcome(rule, finding),
        severity=rule.severity,
        message=finding.message,
        why=rule.rationale,
        fix=rule.fix,
        source=rule.source,
        place=places.of(stack, one, finding.path),
        stacks=(stack,),
        resource=one.name if one else "",
        path=finding.path,
        urns=(finding.urn,) if finding.urn else (),
        before=before,
    )


def _outcome(rule: Rule, finding: Finding) -> Outcome:
    if rule.level != "mandatory":
        return Outcome.ADVICE
    return Outcome.VIOLATION if finding.kind == "violation" else Outcome.UNJUDGED


def _key(finding: Finding) -> tuple[str, ...]:
    return (finding.rule, finding.urn, finding.path, finding.kind)


def _shown(value: Any) -> Any:
    if isinstance(value, Unknown):
        return UNKNOWN
    if isinstance(value, Files):
        return _files(value)
    if isinstance(value, Mapping):
        return {name: _shown(one) for name, one in cast(Mapping[str, Any], value).items()}
    return [_shown(one) for one in cast(list[Any], value)] if isinstance(value, list) else whole(value)


def _files(given: Files) -> Archive | str:
    """As `policies/guardrails/engine.py` shows them, which a pack of its own process does from Pulumi's objects."""
    match given.kind:
        case "AssetArchive":
            return Archive(parts={name: _files(one) for name, one in given.parts.items()})
        case "FileArchive":
            return Archive(path=given.origin)
        case "RemoteArchive":
            return Archive(uri=given.origin)
        case _:
            return given.origin
