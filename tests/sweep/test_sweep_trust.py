"""A role that reads keys and trusts somebody deleted is found, told and counted.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
"""

from __future__ import annotations

import json
from typing import Any

import pytest

import tenancy
from components.iam import identity
from functions.sweep.trust import DeadTrust, dead_ids
from myflux_keys.cell_functions import SWEEP
from ops.actions.trust import readers, sentence
from tests.program.rig import CELL, ROOT
from tests.sweep.conftest import Bench

ID, USER_ID = "AROA" + "B" * 17, "AIDA" + "C" * 17
ARN = "arn:aws:iam::000000000000:role/app"


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ({"AWS": ID}, [ID]),
        ({"AWS": [ARN, USER_ID, ID]}, [USER_ID, ID]),
        ({"AWS": [ARN, "AROArole", "000000000000"]}, []),
        ({"AWS": ARN, "Service": ID}, []),
        ({"Federated": ARN}, []),
        ("*", []),
    ],
)
def test_an_id_in_place_of_an_arn_is_somebody_deleted(principal: Any, expected: list[str]) -> None:
    """AWS shows a living principal as its ARN: https://repost.aws/knowledge-center/iam-resource-policy-format"""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    assert dead_ids({"Statement": [statement]}) == sorted(expected)
    assert dead_ids({"Statement": statement}) == sorted(expected)


def test_the_sentence_names_the_command_that_trusts_the_new_one() -> None:
    said = sentence("prod-eu1", DeadTrust("myflux-prod-eu1-runtime", None, [ID]))
    assert f"it trusts {ID}, which was deleted" in said
    assert "`pulumi up --refresh --stack prod-eu1`" in said
    said = sentence("prod-eu1", DeadTrust("myflux-prod-eu1_acme", "acme", [ID]))
    assert "the keys of acme" in said
    assert "`myflux-keys up acme`" in said


def test_status_and_doctor_look_at_the_hand_over_role_where_the_cell_has_one() -> None:
    fleet = tenancy.load(ROOT)
    cell, tenants = fleet.cells[CELL], fleet.tenants_of(CELL)
    own = {cell.names.tenant("globex").dedicated_role: "globex"}
    assert readers(cell, tenants) == {cell.names.runtime_role: None, cell.names.handover_role: None} | own
    without = cell.model_copy(update={"handover": None})
    assert readers(without, tenants) == {cell.names.runtime_role: None} | own


def make(bench: Bench, name: str, principal: str = "") -> None:
    trust = identity.runtime_trust([principal], identity.any_tenant()) if principal else identity.function_trust()
    user = "deployer" if principal else "administrator"
    bench.client(user, "iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))


@pytest.mark.cell
def test_the_roles_of_runtime_people_and_a_tenant_are_looked_at(bench: Bench) -> None:
    tenant, other = bench.tenant(), bench.tenant()
    names = bench.names
    own, admin = names.tenant(tenant.slug).dedicated_role, bench.client("administrator", "iam")
    make(bench, "app")
    make(bench, names.runtime_role, ARN)
    make(bench, own, ARN)
    make(bench, names.handover_role, ARN)
    assert bench.sweep(tenant.slug, other.slug, dry_run=True)["trust"] == [], "all are there"
    before = admin.get_role(RoleName="app")["Role"]["RoleId"]
    admin.delete_role(RoleName="app")
    make(bench, "app")
    found = [
        {"role": names.runtime_role, "tenant": None, "ids": [before]},
        {"role": names.handover_role, "tenant": None, "ids": [before]},
        {"role": own, "tenant": tenant.slug, "ids": [before]},
    ]
    assert bench.sweep(tenant.slug, other.slug)["trust"] == found
    assert bench.numbers("TrustedPrincipalGone") == [], "a sweep of some tenants says nothing of the cell"
    assert bench.sweep()["trust"] == found
    assert bench.numbers("TrustedPrincipalGone") == [3, 3]
    assert bench.numbers("TrustedPrincipalGone", Tenant=tenant.slug) == [1, 1]
    assert bench.numbers("TrustedPrincipalGone", Tenant=other.slug) == []
    assert before in bench.logged()
    for role in (names.runtime_role, names.handover_role, own):
        trust = json.dumps(identity.runtime_trust([ARN], identity.any_tenant()))
        bench.client("deployer", "iam").update_assume_role_policy(RoleName=role, PolicyDocument=trust)
    assert bench.sweep()["trust"] == []


@pytest.mark.cell
def test_a_sweep_that_may_not_look_says_so_and_goes_on(bench: Bench) -> None:
    """Without iam:GetRole, e.g. from a platform that was deployed before."""
    tenant, iam, name = bench.tenant(), bench.client("deployer", "iam"), bench.names.function(SWEEP)
    allowed = identity.function_permissions(SWEEP, bench.names)
    less = allowed | {"Statement": [one for one in allowed["Statement"] if one["Action"] != "iam:GetRole"]}
    iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=json.dumps(less))
    try:
        answer = bench.sweep(tenant.slug)
    finally:
        iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=json.dumps(allowed))
    assert set(answer["failed"]) == {bench.names.runtime_role, bench.names.handover_role, tenant.slug}
    assert "iam:GetRole" in answer["failed"][tenant.slug]
    assert [entry["found"] for entry in answer["plan"]] == ["kept"], "its keys are checked all the same"
