"""The whole of it: a runtime role, session tags, ABAC, and resource policies that shut everybody else out.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/introduction_attribute-based-access-control.html and
https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access-abac.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from tests.aws_iam.served import ACCOUNT, Cell, allow, deny, document, refusal, trust, unique, user_arn

TENANTS = ["acme", "globex", "initech"]
VARIABLE = "${aws:PrincipalTag/tenant}"


@dataclass
class Runtime:
    role: str
    secrets: dict[str, str]


@pytest.fixture(scope="module")
def runtime(cell: Cell) -> Runtime:
    prefix = unique("myflux/abac")
    condition = {
        "StringLike": {"aws:RequestTag/tenant": "?*"},
        "Null": {"aws:RequestTag/tenant": "false"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["tenant"]},
    }
    role = cell.role(
        [trust({"AWS": user_arn("runtime")}, ["sts:AssumeRole", "sts:TagSession"], Condition=condition)],
        [
            allow(
                "secretsmanager:GetSecretValue",
                f"arn:aws:secretsmanager:*:*:secret:{prefix}/{VARIABLE}-??????",
                Condition={"StringEquals": {"secretsmanager:ResourceTag/tenant": VARIABLE}},
            )
        ],
        RoleName=unique("myflux-runtime"),
    )
    admin = cell.client("administrator", "secretsmanager")
    held: dict[str, str] = {}
    for tenant in TENANTS:
        tags = [{"Key": "tenant", "Value": tenant}]
        made = admin.create_secret(Name=f"{prefix}/{tenant}", SecretString=f"key of {tenant}", Tags=tags)
        but_the_role = {"ArnNotEquals": {"aws:PrincipalArn": [role]}}
        but_the_tag = {"StringNotEquals": {"aws:PrincipalTag/tenant": tenant}}
        admin.put_resource_policy(
            SecretId=made["ARN"],
            ResourcePolicy=document(
                deny("secretsmanager:GetSecretValue", Principal="*", Condition=but_the_role),
                deny("secretsmanager:GetSecretValue", Principal="*", Condition=but_the_tag),
                deny(
                    ["secretsmanager:TagResource", "secretsmanager:UntagResource", "secretsmanager:PutResourcePolicy"],
                    Principal="*",
                    Condition={"ArnNotEquals": {"aws:PrincipalArn": [user_arn("administrator")]}},
                ),
            ),
        )
        held[tenant] = made["ARN"]
    return Runtime(role, held)


def tags(**values: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_session_reads_its_own_tenants_secret(cell: Cell, runtime: Runtime, tenant: str):
    session = cell.assume("runtime", runtime.role, Tags=tags(tenant=tenant))
    value = cell.client(session, "secretsmanager").get_secret_value(SecretId=runtime.secrets[tenant])
    assert value["SecretString"] == f"key of {tenant}"


@pytest.mark.parametrize(("tenant", "other"), [(t, o) for t in TENANTS for o in TENANTS if t != o])
def test_a_session_reads_no_other_tenants_secret(cell: Cell, runtime: Runtime, tenant: str, other: str):
    session = cell.assume("runtime", runtime.role, Tags=tags(tenant=tenant))
    secrets = cell.client(session, "secretsmanager")
    code, message = refusal(lambda: secrets.get_secret_value(SecretId=runtime.secrets[other]))
    assert code == "AccessDeniedException"
    assert message.startswith(f"User: arn:aws:sts::{ACCOUNT}:assumed-role/")
    assert message.endswith("with an explicit deny in a resource-based policy")


def test_retagging_ones_own_way_in_is_denied(cell: Cell, runtime: Runtime):
    stranger = cell.client("stranger", "secretsmanager")
    for call in (
        lambda: stranger.tag_resource(SecretId=runtime.secrets["acme"], Tags=tags(tenant="globex")),
        lambda: stranger.untag_resource(SecretId=runtime.secrets["acme"], TagKeys=["tenant"]),
        lambda: stranger.put_resource_policy(
            SecretId=runtime.secrets["acme"],
            ResourcePolicy=document(
                allow("secretsmanager:GetSecretValue", Principal={"AWS": user_arn("stranger")}),
            ),
        ),
    ):
        assert refusal(call)[0] == "AccessDeniedException"


@pytest.mark.parametrize("user", ["stranger", "administrator", "deployer", "ci", "runtime"])
@pytest.mark.parametrize("tenant", TENANTS)
def test_a_user_with_any_right_of_their_own_reads_nothing(cell: Cell, runtime: Runtime, user: str, tenant: str):
    secrets = cell.client(user, "secretsmanager")
    code, message = refusal(lambda: secrets.get_secret_value(SecretId=runtime.secrets[tenant]))
    assert code == "AccessDeniedException"
    assert user_arn(user) in message
    if user in ("stranger", "administrator"):
        assert "with an explicit deny in a resource-based policy" in message, (
            "the identity policy allows it: ours denies"
        )


def test_a_batch_is_no_way_round(cell: Cell, runtime: Runtime):
    answer = cell.client("stranger", "secretsmanager").batch_get_secret_value(SecretIdList=[*runtime.secrets.values()])
    assert not answer["SecretValues"]
    assert {error["ErrorCode"] for error in answer["Errors"]} == {"AccessDeniedException"}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"Tags": tags(Tenant2="acme")},
        {"Tags": tags(team="acme")},
        {"Tags": tags(tenant="")},
        {"Tags": tags(tenant="acme", team="x")},
    ],
    ids=["no tag", "another tag", "a wrong key", "an empty value", "one tag too many"],
)
def test_the_role_is_assumed_with_the_tenants_tag_alone(cell: Cell, runtime: Runtime, options: dict[str, object]):
    code, message = refusal(lambda: cell.assume("runtime", runtime.role, **options))
    assert code == "AccessDenied"
    assert f"is not authorized to perform: sts:AssumeRole on resource: {runtime.role}" in message


@pytest.mark.parametrize("user", ["stranger", "deployer", "ci", "administrator"])
def test_nobody_whom_the_trust_policy_does_not_name_becomes_the_runtime(cell: Cell, runtime: Runtime, user: str):
    assert refusal(lambda: cell.assume(user, runtime.role, Tags=tags(tenant="acme")))[0] == "AccessDenied"


def test_adding_a_look_alike_tag_does_not_open_the_secret(cell: Cell, runtime: Runtime):
    arn = cell.secret(tags={"tenant": "acme", "Tenant": "globex"})
    condition = {"StringEquals": {"secretsmanager:ResourceTag/tenant": VARIABLE}}
    _, session = cell.user([allow("secretsmanager:GetSecretValue", Condition=condition)], tags={"tenant": "globex"})
    assert refusal(lambda: cell.client(session, "secretsmanager").get_secret_value(SecretId=arn))[0] == (
        "AccessDeniedException"
    )


def test_the_policy_as_stored_is_the_policy_that_was_put(cell: Cell, runtime: Runtime):
    held = cell.client("administrator", "secretsmanager").get_resource_policy(SecretId=runtime.secrets["acme"])
    assert len(json.loads(held["ResourcePolicy"])["Statement"]) == 3, "else the denials above prove nothing"
