"""A tenant's secret copied to another Region, under the documents that ship: who reads the copy, and who does not.

AWS: https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from components.iam import copies, identity, resource
from components.iam.boundary import permissions_boundary
from components.iam.copies import Replica
from functions.promoter.secret import TenantSecret
from functions.shared.customer_key import payload
from myflux_keys import cell_functions
from myflux_keys.aws_names import CellNames
from myflux_keys.payload import SecretText
from tests.aws_iam.served import ACCOUNT, REGION, Cell, as_tags, refusal, user_arn

AWAY = "us-west-2"
NAMES = CellNames("copied", ACCOUNT, REGION)
TENANTS = ("acme", "globex")
DEPLOYER = user_arn("deployer")
ROTATION = NAMES.role_arn(NAMES.rotation_function)
PROMOTER = NAMES.function_role_arn(cell_functions.PROMOTER)
CUSTOMER, LINK = "initech", "0123456789abcdef0123456789abcdef"
"""A tenant with a key of its own, and the id of the link by which it was handed in."""


@dataclass
class Copied:
    """`arns` are the copies', by tenant."""

    arns: dict[str, str]
    unnamed: str
    """The role of a runtime whose cell names no copy."""


@pytest.fixture(scope="module")
def copied(cell: Cell) -> Copied:
    deployer, away = cell.client("deployer", "secretsmanager"), cell.client("deployer", "kms", region_name=AWAY)
    key = away.create_key()["KeyMetadata"]["Arn"]
    replica = Replica(AWAY, key)
    policy = copies.copys_key(NAMES, replica, writers=[ROTATION, PROMOTER], makers=[DEPLOYER])
    away.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    home = resource.secrets_key(
        NAMES,
        users=[NAMES.runtime_role_arn, ROTATION, PROMOTER],
        deployers=[DEPLOYER],
        secrets=[NAMES.tenant_secrets_arn_pattern],
        admin_key=False,
    )
    kms = cell.client("deployer", "kms").create_key(Policy=json.dumps(home))["KeyMetadata"]["Arn"]
    boundary = cell.client("administrator", "iam").create_policy(
        PolicyName=NAMES.boundary_policy, PolicyDocument=json.dumps(permissions_boundary(NAMES, [replica]))
    )["Policy"]["Arn"]
    _runtime(cell, NAMES.runtime_role, identity.runtime_read(NAMES, [replica]), boundary)
    unnamed = _runtime(cell, f"{NAMES.runtime_role}-at-home", identity.runtime_read(NAMES), boundary)
    for function in (cell_functions.ROTATION, cell_functions.PROMOTER):
        name = NAMES.function(function)
        cell.role([_trusts("administrator", "sts:AssumeRole")], [], RoleName=name, PermissionsBoundary=boundary)
        cell.client("administrator", "iam").put_role_policy(
            RoleName=name,
            PolicyName="only",
            PolicyDocument=json.dumps(identity.function_permissions(function, NAMES, [replica])),
        )
    writer = cell.client(cell.assume("administrator", ROTATION), "secretsmanager")
    for tenant in (*TENANTS, CUSTOMER):
        names = NAMES.tenant(tenant)
        deployer.create_secret(
            Name=names.secret,
            KmsKeyId=kms,
            Tags=as_tags(names.tags),
            AddReplicaRegions=[{"Region": AWAY, "KmsKeyId": key}],
        )
        deployer.put_resource_policy(
            SecretId=names.secret,
            BlockPublicPolicy=True,
            ResourcePolicy=json.dumps(
                resource.tenant_secret(
                    names,
                    reader_role=NAMES.runtime_role_arn,
                    writers=[PROMOTER if tenant == CUSTOMER else ROTATION],
                    deployers=[DEPLOYER],
                    enabled=True,
                )
            ),
        )
        if tenant != CUSTOMER:
            writer.put_secret_value(SecretId=names.secret, SecretString=f"key of {tenant}")
    there = cell.client("deployer", "secretsmanager", region_name=AWAY)
    arns = {
        tenant: there.describe_secret(SecretId=NAMES.tenant(tenant).secret)["ARN"] for tenant in (*TENANTS, CUSTOMER)
    }
    return Copied(arns, unnamed)


def _trusts(user: str, *actions: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": user_arn(user)}, "Action": list(actions)}


def _runtime(cell: Cell, name: str, read: dict[str, Any], boundary: str) -> str:
    trust = identity.runtime_trust([user_arn("runtime")], identity.any_tenant())
    return cell.role(trust["Statement"], read["Statement"], RoleName=name, PermissionsBoundary=boundary)


def reads(cell: Cell, role: str, tenant: str, arn: str) -> Any:
    session = cell.assume("runtime", role, Tags=as_tags({"tenant": tenant}))
    return cell.client(session, "secretsmanager", region_name=AWAY).get_secret_value(SecretId=arn)["SecretString"]


@pytest.mark.parametrize("tenant", TENANTS)
def test_the_runtime_reads_its_own_tenants_copy_in_the_other_region(cell: Cell, copied: Copied, tenant: str) -> None:
    assert copied.arns[tenant].split(":")[3] == AWAY
    assert reads(cell, NAMES.runtime_role_arn, tenant, copied.arns[tenant]) == f"key of {tenant}"


@pytest.mark.parametrize(("tenant", "other"), [TENANTS, TENANTS[::-1]])
def test_it_reads_no_other_tenants_copy(cell: Cell, copied: Copied, tenant: str, other: str) -> None:
    code, message = refusal(lambda: reads(cell, NAMES.runtime_role_arn, tenant, copied.arns[other]))
    assert (code, "explicit deny in a resource-based policy" in message) == ("AccessDeniedException", True), message


@pytest.mark.parametrize("user", ["administrator", "deployer", "ci", "stranger"])
def test_nobody_else_reads_a_copy(cell: Cell, copied: Copied, user: str) -> None:
    there = cell.client(user, "secretsmanager", region_name=AWAY)
    code, _ = refusal(lambda: there.get_secret_value(SecretId=copied.arns["acme"]))
    assert code == "AccessDeniedException"


def test_the_rotation_writes_at_home_and_reads_no_copy(cell: Cell, copied: Copied) -> None:
    there = cell.client(cell.assume("administrator", ROTATION), "secretsmanager", region_name=AWAY)
    assert refusal(lambda: there.get_secret_value(SecretId=copied.arns["acme"]))[0] == "AccessDeniedException"


def test_a_key_that_the_promoter_writes_arrives_in_the_copy_and_twice_is_once(cell: Cell, copied: Copied) -> None:
    session = cell.assume("administrator", PROMOTER)
    secrets = cell.client(session, "secretsmanager")
    secret = TenantSecret(secrets, NAMES.tenant(CUSTOMER).secret)
    key = SecretText("sk-" + "svcacct-" + "x" * 40)
    value = payload(
        CUSTOMER, key, base_url="https://api.openai.com/v1", models=["gpt-6-luna"], stored_at="2026-11-30T00:00:00Z"
    )
    for _ in range(2):
        secret.put(LINK, value, "service_account")
    assert secret.facts(LINK).stored
    held = reads(cell, NAMES.runtime_role_arn, CUSTOMER, copied.arns[CUSTOMER])
    assert json.loads(held)["api_key"] == key.reveal()
    there = cell.client(session, "secretsmanager", region_name=AWAY)
    for client, where in ((there, copied.arns[CUSTOMER]), (secrets, NAMES.tenant(CUSTOMER).secret)):
        code, _ = refusal(lambda client=client, where=where: client.get_secret_value(SecretId=where))
        assert code == "AccessDeniedException", "it writes and reads nothing, here and there"


def test_a_runtime_whose_cell_names_no_copy_reads_none(cell: Cell, copied: Copied) -> None:
    assert refusal(lambda: reads(cell, copied.unnamed, "acme", copied.arns["acme"]))[0] == "AccessDeniedException"


def test_a_copys_key_decrypts_for_nobody_outside_secrets_manager(cell: Cell, copied: Copied) -> None:
    there = cell.client("deployer", "secretsmanager", region_name=AWAY).describe_secret(SecretId=copied.arns["acme"])
    session = cell.assume("runtime", NAMES.runtime_role_arn, Tags=as_tags({"tenant": "acme"}))
    kms = cell.client(session, "kms", region_name=AWAY)
    context = {"SecretARN": copied.arns["acme"], "SecretVersionId": "1"}
    with_it = {"KeyId": there["KmsKeyId"], "EncryptionContext": context}
    code, _ = refusal(lambda: kms.decrypt(CiphertextBlob=b"x", **with_it))
    assert code == "AccessDeniedException", "the permission holds through Secrets Manager alone"
