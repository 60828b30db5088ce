"""A policy's principal is an id: it must exist when the policy is stored, and a new one of its name is not it.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles ("when
you save the policy, AWS transforms the ARN to a unique principal ID"; "if you delete and recreate the role, you must
edit the role in the trust policy to replace the now incorrect principal ID") and
https://repost.aws/knowledge-center/iam-resource-policy-format
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.aws_iam.served import ACCOUNT, Cell, allow, deny, document, refusal, trust, unique, user_arn

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
BY_USER = {"AWS": user_arn("administrator")}
ADMINISTER = allow(["kms:*"], Principal=BY_USER)


def a_role(cell: Cell, name: str | None = None) -> str:
    """A role that the administrator may assume, and that may assume any role."""
    return cell.role([trust(BY_USER)], [allow(["sts:AssumeRole", "sqs:ListQueues"])], RoleName=name)


def end(cell: Cell, role: str) -> None:
    iam, name = cell.client("administrator", "iam"), role.rpartition("/")[2]
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def made_anew(cell: Cell, role: str) -> None:
    end(cell, role)
    assert a_role(cell, role.rpartition("/")[2]) == role


def role_id(cell: Cell, role: str) -> str:
    return cell.client("administrator", "iam").get_role(RoleName=role.rpartition("/")[2])["Role"]["RoleId"]


def trusted_by(cell: Cell, role: str) -> Any:
    """The first principal of the role's trust policy, read back."""
    held = cell.client("administrator", "iam").get_role(RoleName=role.rpartition("/")[2])["Role"]
    return held["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"]


NOBODY = f"arn:aws:iam::{ACCOUNT}:role/there-is-none"
WRONG = [NOBODY, user_arn("there-is-none"), "AROA" + "X" * 17, f"arn:aws:iam::{ACCOUNT}:role/x/*", "somebody"]


@pytest.mark.parametrize("name", WRONG)
def test_a_trust_policy_cannot_name_who_is_not_there(cell: Cell, name: str):
    """https://github.com/hashicorp/terraform-provider-aws/issues/8905 has the code and the text."""
    iam, role = cell.client("administrator", "iam"), unique("role")
    policy = document(trust({"AWS": [user_arn("administrator"), name]}))
    expected = ("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{name}"')
    assert refusal(lambda: iam.create_role(RoleName=role, AssumeRolePolicyDocument=policy)) == expected
    assert refusal(lambda: iam.get_role(RoleName=role))[0] == "NoSuchEntity"
    there = a_role(cell)
    update: dict[str, Any] = {"RoleName": there.rpartition("/")[2], "PolicyDocument": policy}
    assert refusal(lambda: iam.update_assume_role_policy(**update)) == expected
    assert trusted_by(cell, there) == user_arn("administrator"), "a refused policy changes nothing"


def test_a_trust_policy_names_who_is_there(cell: Cell):
    role = a_role(cell)
    names = [role, user_arn("runtime"), ROOT, "111122223333", "arn:aws:iam::111122223333:role/x", "*"]
    trusting = cell.role([trust({"AWS": names, "Service": "lambda.amazonaws.com"})], [])
    assert trusted_by(cell, trusting) == names
    iam = cell.client("administrator", "iam")
    details = iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
    held = next(one for one in details if one["Arn"] == trusting)
    assert held["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"] == names
    cell.role([trust({"AWS": role_id(cell, role)})], [])


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("{", "This policy contains invalid Json"),
        (document(allow("sts:AssumeRole", Principal=BY_USER)), "Has prohibited field Resource"),
        (document({"Effect": "Allow", "Action": "sts:AssumeRole"}), "Missing required field Principal"),
        (document(trust({"Service": "lambda"})), 'Invalid principal in policy: "SERVICE":"lambda"'),
    ],
)
def test_a_trust_policy_must_be_one(cell: Cell, policy: str, message: str):
    """Texts: https://github.com/hashicorp/terraform-provider-aws/issues?q=MalformedPolicyDocument"""
    iam = cell.client("administrator", "iam")
    found = refusal(lambda: iam.create_role(RoleName=unique("role"), AssumeRolePolicyDocument=policy))
    assert found == ("MalformedPolicyDocument", message)


def test_a_role_made_anew_is_not_the_one_that_is_trusted(cell: Cell):
    caller = a_role(cell)
    trusting, before = cell.role([trust({"AWS": caller})], []), role_id(cell, caller)
    assert cell.assume(cell.assume("administrator", caller), trusting)
    assert trusted_by(cell, trusting) == caller
    made_anew(cell, caller)
    assert refusal(lambda: cell.assume(cell.assume("administrator", caller), trusting))[0] == "AccessDenied"
    assert trusted_by(cell, trusting) == before, "the dead id shows"
    listed = cell.client("administrator", "iam").list_roles()["Roles"]
    shown = next(role["AssumeRolePolicyDocument"] for role in listed if role["Arn"] == trusting)
    assert shown["Statement"][0]["Principal"]["AWS"] == before
    iam, name = cell.client("administrator", "iam"), trusting.rpartition("/")[2]
    again = refusal(lambda: iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(shown)))
    assert again == ("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{before}"')
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=document(trust({"AWS": caller})))
    assert cell.assume(cell.assume("administrator", caller), trusting)
    assert trusted_by(cell, trusting) == caller


def test_a_user_made_anew_is_not_the_one_that_is_trusted(cell: Cell):
    iam = cell.client("administrator", "iam")
    name, session = cell.user([allow("sqs:ListQueues")])
    role, before = cell.role([trust({"AWS": user_arn(name)})], []), iam.get_user(UserName=name)["User"]["UserId"]
    assert cell.assume(session, role)
    (key,) = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=name, PolicyName="only")
    iam.delete_user(UserName=name)
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    anew = cell.keys(key["AccessKeyId"], key["SecretAccessKey"])
    assert refusal(lambda: cell.assume(anew, role))[0] == "AccessDenied"
    assert trusted_by(cell, role) == before


def test_a_session_of_a_role_made_anew_has_none_of_its_rights(cell: Cell):
    """A session is of the role's id: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html"""
    role = a_role(cell)
    session = cell.assume("administrator", role)
    cell.client(session, "sqs").list_queues()
    made_anew(cell, role)
    assert refusal(cell.client(session, "sqs").list_queues)[0] == "AccessDenied"
    cell.client(cell.assume("administrator", role), "sqs").list_queues()


def test_a_condition_on_the_arn_means_the_role_made_anew_too(cell: Cell):
    """ "Permissions are still granted if you delete and recreate the role": the condition compares names."""
    caller = a_role(cell)
    condition = {"ArnEquals": {"aws:PrincipalArn": caller}}
    trusting = cell.role([trust({"AWS": ROOT}, Condition=condition)], [])
    made_anew(cell, caller)
    assert cell.assume(cell.assume("administrator", caller), trusting)


def test_a_deny_of_all_but_a_role_denies_the_role_made_anew(cell: Cell):
    role = a_role(cell)
    secret = cell.secret()
    secrets = cell.client("administrator", "secretsmanager")
    cell.client("administrator", "iam").put_role_policy(
        RoleName=role.rpartition("/")[2], PolicyName="read", PolicyDocument=document(allow("secretsmanager:*"))
    )
    session = cell.assume("administrator", role)
    spared = {"AWS": [role, ROOT, role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/work"]}
    policy = document(deny("secretsmanager:GetSecretValue", NotPrincipal=spared))
    secrets.put_resource_policy(SecretId=secret, ResourcePolicy=policy)
    assert cell.client(session, "secretsmanager").get_secret_value(SecretId=secret)
    before = role_id(cell, role)
    made_anew(cell, role)
    cell.client("administrator", "iam").put_role_policy(
        RoleName=role.rpartition("/")[2], PolicyName="read", PolicyDocument=document(allow("secretsmanager:*"))
    )
    anew = cell.client(cell.assume("administrator", role), "secretsmanager")
    assert refusal(lambda: anew.get_secret_value(SecretId=secret))[0] == "AccessDeniedException"
    shown = json.loads(secrets.get_resource_policy(SecretId=secret)["ResourcePolicy"])
    assert shown["Statement"][0]["NotPrincipal"]["AWS"][0] == before


def a_key(kms: Any, *statements: dict[str, Any]) -> str:
    return kms.create_key(Policy=document(ADMINISTER, *statements))["KeyMetadata"]["Arn"]


@pytest.mark.parametrize("name", WRONG)
def test_a_key_policy_cannot_name_who_is_not_there(cell: Cell, name: str):
    """Code and text: https://github.com/awslabs/minimum-viable-dataspace-on-aws/issues/6"""
    kms = cell.client("administrator", "kms")
    policy = document(ADMINISTER, allow("kms:Encrypt", Principal={"AWS": name}))
    expected = (
        "MalformedPolicyDocumentException",
        "Policy contains a statement with one or more invalid principals.",
    )
    assert refusal(lambda: kms.create_key(Policy=policy)) == expected
    key = a_key(kms)
    assert refusal(lambda: kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)) == expected
    bypass: dict[str, Any] = {"KeyId": key, "Policy": policy, "BypassPolicyLockoutSafetyCheck": True}
    assert refusal(lambda: kms.put_key_policy(**bypass)) == expected, "the bypass is of the lockout check alone"


def test_a_key_policy_means_the_role_of_its_day(cell: Cell):
    kms, role = cell.client("administrator", "kms"), a_role(cell)
    key, before = a_key(kms, allow("kms:Encrypt", Principal={"AWS": role})), role_id(cell, role)

    def encrypts() -> Callable[[], Any]:
        client = cell.client(cell.assume("administrator", role), "kms")
        return lambda: client.encrypt(KeyId=key, Plaintext=b"x")

    def named() -> str:
        policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        return policy["Statement"][1]["Principal"]["AWS"]

    assert encrypts()()
    assert named() == role
    made_anew(cell, role)
    assert refusal(encrypts())[0] == "AccessDeniedException"
    assert named() == before
    policy = document(ADMINISTER, allow("kms:Encrypt", Principal={"AWS": role}))
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
    assert encrypts()()
