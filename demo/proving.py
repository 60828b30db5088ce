"""The check that isolation is proven for the deployed documents, and that the cell decides as the model does."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from demo.access import read
from demo.report import CheckFailed, Report
from demo.scene import CELL, NO_RIGHT, Scene, secrets_of
from ops.isolation import Matrix, matrix, prove
from ops.isolation.access import ADMIN_KEY
from ops.isolation.grants import Principal
from ops.isolation.state import Deployed, deployed
from ops.stacks.order import deploy_order

_NOTHING_STORED = "ResourceNotFoundException"
"""AWS's answer to a caller who may read, for a secret without a value: no customer's key is stored yet."""


def isolation_proven(scene: Scene, report: Report) -> str:
    resources = _deployed(scene)
    claims = _proven(scene, resources)
    report.figures["claims_proven"] = claims
    reads = _reads_as_it_says(scene, matrix(resources, scene.fleet.cells[CELL]))
    return (
        f"{claims} of {claims} claims hold for the deployed documents; {reads} real reads had the result "
        "that the access matrix says"
    )


def proven(scene: Scene) -> int:
    """How many claims hold for what is deployed now. Raises CheckFailed unless all do."""
    return _proven(scene, _deployed(scene))


def _proven(scene: Scene, resources: Sequence[Deployed]) -> int:
    verdicts = prove(resources, scene.fleet.cells[CELL])
    failed = [f"{v.claim} is {v.outcome}: {v.counterexample}" for v in verdicts if v.outcome != "holds"]
    if failed or not verdicts:
        raise CheckFailed("; ".join(failed) or "there was no claim to prove")
    return len(verdicts)


def _deployed(scene: Scene) -> Sequence[Deployed]:
    stacks = deploy_order(scene.fleet, scene.fleet.cells[CELL])
    with ThreadPoolExecutor(max_workers=2) as two:
        return [resource for state in two.map(scene.engine.export, stacks) for resource in deployed(state)]


def _reads_as_it_says(scene: Scene, says: Matrix) -> int:
    """As every principal of the matrix that the demo can use: only Lambda can assume a function's role."""
    reads = 0
    places = {tenant: scene.names.tenant(tenant).secret for tenant in says.secrets if tenant in scene.fleet.tenants}
    places[ADMIN_KEY] = scene.names.admin_secret
    for principal in says.principals:
        secrets = _as(scene, principal)
        if secrets is None:
            continue
        for label, place in places.items():
            expected = bool(says.granted(principal.label, label, "read"))
            if _let_in(secrets, place) != expected:
                raise CheckFailed(
                    f"{principal.label} reading {place}: the matrix says {expected}, but the cell decided otherwise"
                )
            reads += 1
    return reads


def _as(scene: Scene, principal: Principal) -> Any:
    if principal.kind == "person" and f"::{scene.cell.account_id}:" in principal.arn:
        return scene.client(principal.arn.rpartition("/")[2], "secretsmanager")
    if principal.kind == "runtime" and principal.tag:
        return secrets_of(scene.as_role(principal.arn, principal.tag))
    if principal.kind == "handover" and principal.tag:
        return secrets_of(scene.as_person(principal.arn, principal.tag))
    return None


def _let_in(secrets: Any, place: str) -> bool:
    try:
        read(secrets, place)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        if code in NO_RIGHT:
            return False
        if code != _NOTHING_STORED:
            raise
    return True
