"""Resource policies of secrets.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ValidateResourcePolicy.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.aws.secrets import public_access

ACCOUNT = "000000000000"
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


def statement(**parts: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": ROOT, "Action": "secretsmanager:GetSecretValue", "Resource": "*", **parts}


def document(*statements: dict[str, Any], **parts: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **parts})


MALFORMED = {
    "not JSON": "{",
    "not an object": "[]",
    "a repeated key": '{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}',
    "no statement": document(),
    "another version": document(statement(), Version="2020-01-01"),
    "an unknown element": document(statement(), Statements=[]),
    "an unknown part of a statement": document(statement(Actions="*")),
    "an effect that is none": document(statement(Effect="Permit")),
    "no resource": json.dumps({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*"}]}),
    "a principal and its opposite": document(statement(NotPrincipal=ROOT)),
    "an action without a service": document(statement(Action="GetSecretValue")),
    "a resource that is no ARN": document(statement(Resource="mine")),
    "an unknown operator": document(statement(Condition={"StringIs": {"aws:PrincipalTag/a": "b"}})),
    "a condition without a key": document(statement(Condition={"StringEquals": {}})),
    "a condition key without a service": document(statement(Condition={"StringEquals": {"a": "b"}})),
}

UNSUPPORTED: list[Any] = [
    {"AWS": f"arn:aws:iam::{ACCOUNT}:role/there-is-none"},
    {"AWS": f"arn:aws:iam::{ACCOUNT}:user/there-is-none"},
    {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/there-is-none/session"},
    {"AWS": "arn:aws:iam::*:role/any"},
    {"AWS": "somebody"},
    {"Service": "lambda"},
    {"CanonicalUser": "a" * 64},
    {},
    "somebody",
]


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_policy_is_refused_and_the_old_one_stays(secrets: Any, name: str, refused: Any, text: str) -> None:
    secrets.create_secret(Name=name, SecretString="a")
    secrets.put_resource_policy(SecretId=name, ResourcePolicy=document(statement()))
    found = refused(secrets.put_resource_policy, SecretId=name, ResourcePolicy=text)
    assert found.code == "MalformedPolicyDocumentException"
    assert secrets.get_resource_policy(SecretId=name)["ResourcePolicy"] == document(statement())


@pytest.mark.parametrize("principal", UNSUPPORTED, ids=str)
def test_a_principal_must_exist(secrets: Any, name: str, refused: Any, principal: Any) -> None:
    secrets.create_secret(Name=name, SecretString="a")
    policy = document(statement(Principal=principal))
    found = refused(secrets.put_resource_policy, SecretId=name, ResourcePolicy=policy)
    assert (found.code, found.message) == (
        "MalformedPolicyDocumentException",
        "This resource policy contains an unsupported principal.",
    )


def test_principals_that_exist_are_taken(secrets: Any, cell: Any, rotator: Any, name: str) -> None:
    secrets.create_secret(Name=name, SecretString="a")
    role = cell.client("lambda").get_function_configuration(FunctionName=rotator.arn)["Role"]
    session = role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/session"
    users = [
        role,
        session,
        ACCOUNT,
        "111122223333",
        f"arn:aws:iam::{ACCOUNT}:user/deployer",
        "arn:aws:iam::111122223333:role/x",
    ]
    for principal in ({"AWS": users}, {"Service": "rds.amazonaws.com"}):
        secrets.put_resource_policy(SecretId=name, ResourcePolicy=document(statement(Principal=principal)))


def test_a_policy_has_at_most_20480_characters(secrets: Any, name: str, refused: Any) -> None:
    secrets.create_secret(Name=name, SecretString="a")
    policy = document(statement())
    secrets.put_resource_policy(SecretId=name, ResourcePolicy=policy.ljust(20480))
    found = refused(secrets.put_resource_policy, SecretId=name, ResourcePolicy=policy.ljust(20481))
    assert found.code == "ValidationException"
    assert "less than or equal to 20480" in found.message


def test_a_public_policy_is_refused_only_where_it_is_blocked(secrets: Any, name: str, refused: Any) -> None:
    """ "By default, public policies aren't blocked." """
    secrets.create_secret(Name=name, SecretString="a")
    policy = document(statement(Principal="*"))
    found = refused(secrets.put_resource_policy, SecretId=name, ResourcePolicy=policy, BlockPublicPolicy=True)
    assert found.code == "PublicPolicyException"
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId=name)
    secrets.put_resource_policy(SecretId=name, ResourcePolicy=policy)
    secrets.delete_resource_policy(SecretId=name)
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId=name)


EVERYBODY: list[Any] = ["*", {"AWS": "*"}, {"AWS": [ACCOUNT, "*"]}]


@pytest.mark.parametrize("principal", EVERYBODY, ids=str)
@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"StringLike": {"aws:PrincipalAccount": "*"}},
        {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}},
        {"StringEqualsIfExists": {"aws:PrincipalAccount": ACCOUNT}},
        {"ForAllValues:StringEquals": {"aws:PrincipalOrgPaths": "o-a/r-b/"}},
        {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}},
        {"StringEquals": {"aws:PrincipalTag/tenant": "acme"}},
        {"StringEquals": {"aws:SourceAccount": [ACCOUNT, "${aws:PrincipalAccount}"]}},
        {"StringEquals": {"aws:PrincipalAccount": []}},
        {"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}},
        {"IpAddress": {"aws:SourceIp": "2001::/16"}},
        {"Bool": {"aws:SecureTransport": "true"}},
        {"Null": {"aws:PrincipalArn": "false"}},
    ],
    ids=str,
)
def test_an_allow_for_everybody_is_public_unless_fixed_values_bind_it(
    principal: Any, condition: dict[str, Any]
) -> None:
    """ "fixed values (values that don't contain a wildcard)" of the caller's marks; a tag may be of its own choice.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    """
    assert public_access.is_public([statement(), statement(Principal=principal, Condition=condition)])


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"Effect": "Deny", "Principal": "*"},
        {"Effect": "Deny", "NotPrincipal": ROOT},
        {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}},
        {"Principal": "*", "Condition": {"StringEquals": {"AWS:SourceAccount": [ACCOUNT, "111122223333"]}}},
        {"Principal": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/myflux-*"}}},
        {"Principal": "*", "Condition": {"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": "o-a/r-b/"}}},
        {"Principal": "*", "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}, "Bool": {"aws:x": "true"}}},
        {"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "2001:db8::/32"]}}},
        {"Principal": {"Service": "rds.amazonaws.com"}},
    ],
    ids=str,
)
def test_a_named_principal_a_deny_or_a_bound_allow_is_not_public(parts: dict[str, Any]) -> None:
    found = statement(**parts)
    if "NotPrincipal" in parts:
        del found["Principal"]
    assert not public_access.is_public([found])


def test_an_allow_for_all_but_some_is_public() -> None:
    found = statement(NotPrincipal=ROOT)
    del found["Principal"]
    assert public_access.is_public([found])


def test_validation_reports_syntax_breadth_and_lock_out(secrets: Any, name: str) -> None:
    """ "Checks for correct syntax in a policy", broad access, and "the policy does not lock out a caller"."""
    secrets.create_secret(Name=name, SecretString="a")

    def failed(text: str) -> list[str]:
        found = secrets.validate_resource_policy(SecretId=name, ResourcePolicy=text)
        assert found["PolicyValidationPassed"] is not bool(found["ValidationErrors"])
        return [entry["CheckName"] for entry in found["ValidationErrors"]]

    assert failed(document(statement())) == []
    assert failed("{") == ["PolicySyntax"]
    assert failed(document(statement(Principal="*"))) == ["PublicAccess"]
    lock_out = statement(Effect="Deny", Principal="*", Action="secretsmanager:*")
    assert failed(document(lock_out)) == ["CallerLockout"]
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId=name), "validating attaches nothing"


def test_a_deny_in_the_resource_policy_holds_for_an_administrator(secrets: Any, name: str, refused: Any) -> None:
    arn = secrets.create_secret(Name=name, SecretString="a")["ARN"]
    secrets.put_resource_policy(SecretId=name, ResourcePolicy=document(statement(Effect="Deny", Principal="*")))
    for secret_id in (name, arn, arn[:-7]):
        assert refused(secrets.get_secret_value, SecretId=secret_id).code == "AccessDeniedException", secret_id
    secrets.delete_resource_policy(SecretId=name)
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "a"


def test_a_policy_means_the_role_of_its_day(secrets: Any, cell: Any, name: str, refused: Any) -> None:
    """Stored, a principal is its unique id: https://repost.aws/knowledge-center/iam-resource-policy-format"""
    iam, role = cell.client("iam"), f"reader-{name.rpartition('/')[2]}"
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"},
        }
    )

    def made() -> str:
        return iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["RoleId"]

    def read() -> Any:
        arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
        held = cell.client("sts").assume_role(RoleArn=arn, RoleSessionName="work")["Credentials"]
        return cell.client_with("secretsmanager", held).get_secret_value

    def named() -> str:
        held = json.loads(secrets.get_resource_policy(SecretId=name)["ResourcePolicy"])
        return held["Statement"][0]["Principal"]["AWS"]

    before = made()
    secrets.create_secret(Name=name, SecretString="a")
    policy = document(statement(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/{role}"}))
    secrets.put_resource_policy(SecretId=name, ResourcePolicy=policy)
    assert read()(SecretId=name)["SecretString"] == "a"
    assert secrets.get_resource_policy(SecretId=name)["ResourcePolicy"] == policy
    iam.delete_role(RoleName=role)
    made()
    assert refused(read(), SecretId=name).code == "AccessDeniedException"
    assert named() == before
    stale = secrets.get_resource_policy(SecretId=name)["ResourcePolicy"]
    found = refused(secrets.put_resource_policy, SecretId=name, ResourcePolicy=stale)
    assert found.code == "MalformedPolicyDocumentException"
    checked = secrets.validate_resource_policy(SecretId=name, ResourcePolicy=stale)
    assert [error["CheckName"] for error in checked["ValidationErrors"]] == ["PolicySyntax"]
    secrets.put_resource_policy(SecretId=name, ResourcePolicy=policy)
    assert read()(SecretId=name)["SecretString"] == "a"
