"""A tenant's stack: what is made, in which order, and what is never made."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.iam.copies import Replica
from components.tenant_key import Keyless, Managed, TenantKey, TenantKeyArgs
from myflux_keys.aws_names import CellNames, TenantNames
from myflux_keys.cell_functions import FUNCTIONS
from myflux_keys.identity import TenantIdentity

Build = Callable[[Callable[[], Any]], Any]
SECRET = "aws:secretsmanager/secret:Secret"
POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
INVOCATION = "aws:lambda/invocation:Invocation"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
DEPLOYER = "arn:aws:iam::111122223333:role/deployer"


def arguments(names: TenantNames, **changes: Any) -> TenantKeyArgs:
    values: dict[str, Any] = {
        "names": names,
        "kms_key_arn": "arn:aws:kms:eu-central-1:111122223333:key/cell",
        "deployer_principals": [DEPLOYER],
        "runtime_principals": ["arn:aws:iam::111122223333:role/app"],
        "health_bucket": names.cell.health_bucket,
        "declaration": "{}",
        "enabled": True,
        "dedicated": False,
        "recovery_window_days": 30,
        "managed": Managed(
            specification={"schema": 1, "tenant": names.tenant},
            rotation_tags={"myflux:permission": "restricted"},
            schedule="cron(0 3 7 * ? *)",
            window="4h",
            rotation_function_arn=names.cell.rotation_function_arn,
            provisioner_function=names.cell.provisioner_function,
        ),
    }
    return TenantKeyArgs(**(values | changes))


def customer(names: TenantNames) -> TenantKeyArgs:
    return arguments(names, managed=None)


def statements(recorded: Any, sid: str) -> list[dict[str, Any]]:
    policy = json.loads(recorded.one(POLICY).inputs["policy"])
    return [s for s in policy["Statement"] if s["Sid"] == sid]


def test_no_value_is_an_input_of_anything(build: Build, cell: CellNames) -> None:
    recorded = build(lambda: TenantKey("acme", arguments(cell.tenant("acme"))))
    types = {r.type for r in recorded.resources}
    assert not [t for t in types if "SecretVersion" in t], "a SecretVersion would put the key into the state"
    for resource in recorded.resources:
        assert "secretString" not in resource.inputs, f"{resource.name} would carry a value through the state"


def test_a_tenant_leaves_its_declaration_in_the_platforms_bucket(build: Build, cell: CellNames) -> None:
    recorded = build(lambda: TenantKey("acme", arguments(cell.tenant("acme"), declaration='{"tenant":"acme"}')))
    left = recorded.one("aws:s3/bucketObjectv2:BucketObjectv2").inputs
    assert (left["bucket"], left["key"]) == (cell.health_bucket, "declarations/acme.json")
    assert left["content"] == '{"tenant":"acme"}'


def test_the_lock_is_on_before_the_first_rotation_can_start(build: Build, cell: CellNames) -> None:
    recorded = build(lambda: TenantKey("acme", arguments(cell.tenant("acme"))))
    assert recorded.reaches(recorded.one(ROTATION), recorded.one(POLICY)), (
        "a key minted before the policy is attached can be read by every identity policy in the account"
    )
    assert recorded.one(ROTATION).inputs["rotateImmediately"] is True, "the first key is minted by the first rotation"


def test_a_tenant_rotates_in_its_own_slot_by_the_cells_function(build: Build, cell: CellNames) -> None:
    rotation = build(lambda: TenantKey("acme", arguments(cell.tenant("acme")))).one(ROTATION).inputs
    assert rotation["rotationRules"] == {"scheduleExpression": "cron(0 3 7 * ? *)", "duration": "4h"}
    assert rotation["rotationLambdaArn"] == cell.rotation_function_arn


def test_a_customers_admin_key_has_its_place_before_anything_is_made_with_it(build: Build, cell: CellNames) -> None:
    names = cell.tenant("acme")
    recorded = build(lambda: TenantKey("acme", arguments(names, own_organization=True)))
    (place,) = (r for r in recorded.resources if r.type == SECRET and r.inputs["name"] == names.admin_secret)
    (lock,) = (r for r in recorded.resources if r.type == POLICY and "acme-admin-key" in r.name)
    assert recorded.reaches(recorded.one(INVOCATION), lock), "or the project could not be archived at the end"
    assert names.admin_secret == "myflux-admin/prod-eu1/acme/openai", "out of reach of the runtime's pattern"
    sids = {s["Sid"]: s for s in json.loads(lock.inputs["policy"])["Statement"]}
    assert sids["OnlyFunctionsRead"]["Condition"]["StringNotEquals"]["aws:PrincipalArn"] == [
        cell.function_role_arn(one) for one in FUNCTIONS if one.kind != "admin_rotation"
    ]
    assert sids["OnlyDeployersStore"]["Condition"]["StringNotEquals"]["aws:PrincipalArn"] == [DEPLOYER]
    assert "kmsKeyId" in place.inputs


def test_a_customer_who_has_not_been_minted_for_has_the_place_alone(build: Build, cell: CellNames) -> None:
    recorded = build(lambda: TenantKey("acme", arguments(cell.tenant("acme"), managed=None, own_organization=True)))
    assert len([r for r in recorded.resources if r.type == SECRET]) == 2
    assert not [r for r in recorded.resources if r.type in (INVOCATION, ROTATION)]


def test_the_project_exists_before_the_secret_and_dies_after_it(build: Build, cell: CellNames) -> None:
    recorded = build(lambda: TenantKey("acme", arguments(cell.tenant("acme"))))
    assert recorded.reaches(recorded.one(SECRET), recorded.one(INVOCATION)), (
        "the rotation function finds the project by the secret's tags, and archiving must come last"
    )
    assert recorded.one(SECRET).inputs["tags"]["myflux:project-id"] == "proj_1"


def test_the_lock_stays_on_while_the_secret_is_being_deleted(build: Build, cell: CellNames) -> None:
    recorded = build(lambda: TenantKey("acme", arguments(cell.tenant("acme"))))
    assert recorded.one(POLICY).retain_on_delete, "taking the policy off first would leave the key open for a moment"
    assert recorded.one(POLICY).inputs["blockPublicPolicy"] is True


@pytest.mark.parametrize("dedicated", [False, True])
def test_disabling_denies_the_runtime_and_nobody_else(build: Build, cell: CellNames, dedicated: bool) -> None:
    names = cell.tenant("acme")
    recorded = build(lambda: TenantKey("acme", arguments(names, enabled=False, dedicated=dedicated)))
    (disabled,) = statements(recorded, "TenantDisabled")
    assert (disabled["Effect"], "secretsmanager:GetSecretValue" in disabled["Action"]) == ("Deny", True)
    reads = names.dedicated_role_arn if dedicated else cell.runtime_role_arn
    assert disabled["Condition"] == {"StringEquals": {"aws:PrincipalArn": reads}}, (
        "rotation must go on, or enabling the tenant again would bring back a dead key"
    )


def test_an_enabled_tenant_carries_no_such_denial(build: Build, cell: CellNames) -> None:
    assert not statements(build(lambda: TenantKey("acme", arguments(cell.tenant("acme")))), "TenantDisabled")


def test_a_customers_tenant_has_a_locked_empty_place_and_claims_no_rotation(build: Build, cell: CellNames) -> None:
    recorded = build(lambda: TenantKey("globex", customer(cell.tenant("globex"))))
    assert recorded.one(SECRET)
    assert recorded.one(POLICY)
    assert not recorded.of(ROTATION), "nothing of ours can mint in the customer's account"
    assert not recorded.of(INVOCATION), "the project is the customer's own"


def test_a_dedicated_tenant_shares_neither_key_nor_role(build: Build, cell: CellNames) -> None:
    names = cell.tenant("bank")
    recorded = build(lambda: TenantKey("bank", arguments(names, dedicated=True)))
    key = recorded.one("aws:kms/key:Key")
    assert recorded.one(SECRET).inputs["kmsKeyId"].endswith(key.name), "the secret must use the tenant's own key"
    role = recorded.one("aws:iam/role:Role")
    trust = json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]
    assert trust["Condition"]["StringEquals"] == {"aws:RequestTag/tenant": "bank"}
    (readers,) = statements(recorded, "OnlyRuntimeAndFunctionsRead")
    allowed = readers["Condition"]["StringNotEquals"]["aws:PrincipalArn"]
    assert names.dedicated_role_arn in allowed
    assert cell.runtime_role_arn not in allowed, "the shared runtime must be shut out"


def test_a_dedicated_customers_key_can_be_stored_by_deployers_and_decrypted_by_none_of_them(
    build: Build, cell: CellNames
) -> None:
    names = cell.tenant("globex")
    recorded = build(lambda: TenantKey("globex", arguments(names, managed=None, dedicated=True)))
    policy = json.loads(recorded.one("aws:kms/key:Key").inputs["policy"])
    (stored,) = [s for s in policy["Statement"] if s["Sid"] == "CustomersKeysStored"]
    assert stored["Action"] == ["kms:GenerateDataKey"]
    managed = build(lambda: TenantKey("bank", arguments(cell.tenant("bank"), dedicated=True)))
    policy = json.loads(managed.one("aws:kms/key:Key").inputs["policy"])
    assert not [s for s in policy["Statement"] if s["Sid"] == "CustomersKeysStored"], "only its rotation writes there"


def test_two_tenants_in_one_program_never_collide(build: Build, cell: CellNames) -> None:
    def both() -> None:
        # Each slug is the other's with a child's suffix: the worst case for names made by appending.
        for slug in ("acme", "acme-key", "acme-dedicated", "acme-key-secret"):
            TenantKey(slug, arguments(cell.tenant(slug), dedicated=True))

    recorded = build(both)
    urns = [r.urn for r in recorded.resources]
    assert len(set(urns)) == len(urns), "two resources share a URN"
    for type_ in (SECRET, "aws:iam/role:Role", "aws:kms/alias:Alias"):
        names = [r.inputs["name"] for r in recorded.of(type_)]
        assert len(set(names)) == len(names) == 4, f"two tenants share the name of a {type_}: {names}"


def test_production_protects_what_cannot_be_made_again(build: Build, cell: CellNames) -> None:
    recorded = build(lambda: TenantKey("acme", arguments(cell.tenant("acme"), dedicated=True, protect=True)))
    protected = {r.type for r in recorded.resources if r.protect}
    assert protected == {SECRET, INVOCATION, "aws:kms/key:Key"}


def test_a_copy_is_encrypted_with_the_key_of_its_region(build: Build, cell: CellNames) -> None:
    key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    tenant = arguments(cell.tenant("acme"), replicas=[Replica("eu-west-1", key)], own_organization=True)
    recorded = build(lambda: TenantKey("acme", tenant))
    copied = {r.name: r.inputs.get("replicas") for r in recorded.resources if r.type == SECRET}
    assert copied["acme-key-secret"] == [{"region": "eu-west-1", "kmsKeyId": key}]
    assert copied["acme-admin-key-secret"] is None, "an admin key is copied nowhere"


def federated(names: TenantNames, **changes: Any) -> TenantKeyArgs:
    """With an identity: on its way to no key, unless `has_key` is false."""
    args = arguments(names, keyless=Keyless("org-1", ("gpt-5.4-mini", "gpt-6-luna")), **changes)
    assert args.managed
    args.managed.specification["federation"] = {"issuer": "https://issuer.example"}
    return args


def test_a_tenant_without_a_key_has_an_identity_and_no_secret(build: Build, cell: CellNames) -> None:
    names = cell.tenant("acme")
    recorded = build(lambda: TenantKey("acme", federated(names, has_key=False)))
    assert not [r for r in recorded.resources if r.type in (SECRET, POLICY, ROTATION)], "nothing to rotate or leak"
    left = recorded.one(OBJECT, "-identity").inputs
    assert (left["bucket"], left["key"]) == (cell.health_bucket, "declarations/identities/acme.json")
    assert TenantIdentity.from_json(left["content"]) == TenantIdentity(
        "acme", cell.cell, "idp_1", "svc_1", "proj_1", "org-1", "https://api.openai.com/v1",
        ("gpt-5.4-mini", "gpt-6-luna"),
    )  # fmt: skip
    assert recorded.one(OBJECT, "-declaration"), "the health function watches it like any other"


def test_the_runtime_is_denied_the_key_only_once_the_identity_is_there(build: Build, cell: CellNames) -> None:
    """At any moment it has one of the two: a reader that is refused the secret finds the identity."""
    recorded = build(lambda: TenantKey("acme", federated(cell.tenant("acme"))))
    (denied,) = statements(recorded, "TenantDisabled")
    assert denied["Condition"] == {"StringEquals": {"aws:PrincipalArn": cell.runtime_role_arn}}
    assert recorded.reaches(recorded.one(POLICY), recorded.one(OBJECT, "-identity"))
    assert recorded.one(ROTATION), "the key lives on until the switch is complete"


def test_on_the_way_back_the_restored_secret_is_imported_and_its_rotation_made(build: Build, cell: CellNames) -> None:
    """AWS cancelled the rotation with the secret's deletion; the new one mints a key at once."""
    names = cell.tenant("acme")
    arn = names.secret_arn_pattern.replace("??????", "abcdef")
    recorded = build(lambda: TenantKey("acme", arguments(names, adopt=arn, restored=True)))
    assert (recorded.one(SECRET).imported, recorded.one(ROTATION).imported) == (arn, "")
    assert recorded.one(ROTATION).inputs["rotateImmediately"] is True
    adopted = build(lambda: TenantKey("acme", arguments(names, adopt=arn)))
    assert (adopted.one(SECRET).imported, adopted.one(ROTATION).imported) == (arn, arn)


def test_a_provisioner_that_knows_no_federation_is_told_of(build: Build, cell: CellNames) -> None:
    args = federated(cell.tenant("acme"), has_key=False)
    assert args.managed
    del args.managed.specification["federation"]
    with pytest.raises(pulumi.RunError, match="Deploy the platform first: `pulumi up --stack prod-eu1`"):
        build(lambda: TenantKey("acme", args))
