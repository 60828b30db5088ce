"""A review for machines: plain JSON values."""

from __future__ import annotations

from typing import Any

from ops.review import report_spending
from ops.review.check import Review
from ops.review.cost import Cost
from ops.review.difference import Change
from ops.review.preview import Preview
from ops.review.remark import Remark


def facts(review: Review) -> dict[str, Any]:
    """Everything, uncut."""
    return {
        "code": review.code,
        "base": {"ref": review.ref, "commit": review.commit},
        "stacks": review.stacks,
        "touched": {stack: list(why) for stack, why in review.scope.reasons.items()},
        "left_out": dict(review.scope.left_out),
        "tenants": [
            {"tenant": one.tenant, "what": one.what, "before": dict(one.before), "after": dict(one.after)}
            for one in review.tenants
        ],
        "judged": list(review.scope.judged),
        "rules_changed": list(review.scope.judges),
        "remarks": [_remark(one) for one in review.remarks],
        "changes": [
            {"stacks": list(stacks), "resources": [_change(one) for one in changed]}
            for stacks, changed in review.changed
        ],
        "proofs": [
            {
                "cell": one.cell,
                "stacks": list(one.stacks),
                "claims": one.claims,
                "waiting_for_a_tenant": list(one.waiting),
                "seconds": round(one.seconds, 2),
                "matrix_changed": bool(one.matrix),
            }
            for one in review.proofs
        ],
        "cost": {"before": _cost(review.before), "after": _cost(review.after)},
        "spending": report_spending.facts(review.spending),
        "room": [
            {"cell": one.cell, "what": one.what, "before": one.before, "after": one.after, "limit": one.most}
            for one in review.room
        ],
        "state": {"looked_at": not review.state, "reason": review.state},
        "previews": [_preview(one) for one in review.previews.done],
        "not_previewed": review.previews.left,
        "without_platform": list(review.previews.without_platform),
        "notes": list(review.notes),
    }


def _remark(one: Remark) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "outcome": one.outcome.value,
        "severity": one.severity,
        "message": one.message,
        "why": one.why,
        "way_out": one.fix,
        "source": one.source,
        "file": one.place.file if one.place else None,
        "line": one.place.line if one.place else None,
        "stacks": list(one.stacks),
        "resource": one.resource,
        "property": one.path,
        "urns": list(one.urns),
        "in_base": one.before,
    }


def _change(one: Change) -> dict[str, Any]:
    return {
        "action": one.action,
        "type": one.type,
        "name": one.name,
        "urn": one.urn,
        "lost": list(one.lost),
        "gained": list(one.gained),
        "cannot_be_undone": one.final,
    }


def _cost(one: Cost) -> dict[str, Any]:
    return {"secrets": one.secrets, "replicas": one.replicas, "keys": one.keys, "usd_a_month": float(one.usd)}


def _preview(one: Preview) -> dict[str, Any]:
    return {
        "stack": one.stack,
        "deployed": one.deployed,
        "failure": one.failure,
        "steps": [{"op": step.op, "type": step.type, "urn": step.urn, "paths": list(step.paths)} for step in one.steps],
    }
