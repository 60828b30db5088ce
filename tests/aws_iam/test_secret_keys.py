"""Every condition key that the service authorization reference lists for Secrets Manager is filled, for the actions
that it is listed for and for no other. Left out: the keys of managed external secrets (Type, resource/Type and
ExternalSecretRotationRoleArn), which the embedded AWS does not make.

AWS: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.aws_iam.served import ACCOUNT, Cell, allow, deny, document, refusal, trust, unique
from tests.aws_iam.test_functions import create

REGION = "us-east-1"
POLICY = document(deny("secretsmanager:DeleteSecret", Principal="*"))


@dataclass(frozen=True)
class Key:
    """Which values the key takes in two calls of the action: the policy asks for the first."""

    action: str
    key: str
    operator: str
    asked: str
    right: dict[str, Any]
    wrong: dict[str, Any] = field(default_factory=dict[str, Any])
    also: tuple[str, ...] = ()


KEYS = [
    Key("CreateSecret", "Name", "StringLike", "own/*", {"Name": "own/{}"}, {"Name": "other/{}"}),
    Key("CreateSecret", "Description", "StringEquals", "d", {"Name": "{}", "Description": "d"}, {"Name": "{}"}),
    Key(
        "CreateSecret",
        "AddReplicaRegions",
        "ForAnyValue:StringEquals",
        "eu-west-1",
        {"Name": "{}", "AddReplicaRegions": [{"Region": "eu-west-1"}]},
        {"Name": "{}", "AddReplicaRegions": [{"Region": "us-west-2"}]},
        also=("secretsmanager:ReplicateSecretToRegions",),
    ),
    Key(
        "CreateSecret",
        "ForceOverwriteReplicaSecret",
        "Bool",
        "true",
        {"Name": "{}", "ForceOverwriteReplicaSecret": True},
        {"Name": "{}", "ForceOverwriteReplicaSecret": False},
    ),
    Key("UpdateSecret", "Description", "StringEquals", "d", {"Description": "d"}, {"Description": "e"}),
    Key(
        "DeleteSecret",
        "RecoveryWindowInDays",
        "NumericEquals",
        "7",
        {"RecoveryWindowInDays": 7},
        {"RecoveryWindowInDays": 8},
    ),
    Key(
        "DeleteSecret",
        "ForceDeleteWithoutRecovery",
        "Bool",
        "true",
        {"ForceDeleteWithoutRecovery": True},
        {"RecoveryWindowInDays": 7},
    ),
    Key("GetSecretValue", "VersionStage", "StringEquals", "AWSCURRENT", {"VersionStage": "AWSCURRENT"}),
    Key(
        "PutResourcePolicy",
        "BlockPublicPolicy",
        "Bool",
        "true",
        {"ResourcePolicy": POLICY, "BlockPublicPolicy": True},
        {"ResourcePolicy": POLICY, "BlockPublicPolicy": False},
    ),
    Key(
        "ReplicateSecretToRegions",
        "AddReplicaRegions",
        "ForAnyValue:StringEquals",
        "eu-west-1",
        {"AddReplicaRegions": [{"Region": "eu-west-1"}]},
        {"AddReplicaRegions": [{"Region": "us-west-2"}]},
    ),
    Key(
        "ReplicateSecretToRegions",
        "ForceOverwriteReplicaSecret",
        "Bool",
        "true",
        {"AddReplicaRegions": [{"Region": "eu-west-1"}], "ForceOverwriteReplicaSecret": True},
        {"AddReplicaRegions": [{"Region": "eu-west-1"}], "ForceOverwriteReplicaSecret": False},
    ),
]


def method(client: Any, action: str) -> Callable[..., Any]:
    return getattr(client, "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in action)[1:])


def only_if(cell: Cell, action: str, key: str, operator: str, value: str, also: tuple[str, ...] = ()) -> Any:
    condition = {operator: {f"secretsmanager:{key}": value}}
    rights = allow(f"secretsmanager:{action}", Condition=condition)
    _, session = cell.user([rights, *([allow(list(also))] if also else [])])
    return cell.client(session, "secretsmanager")


def arguments(cell: Cell, action: str, given: dict[str, Any]) -> dict[str, Any]:
    """With a secret of its own; a new name for a new one."""
    if action == "CreateSecret":
        return given | {"Name": given["Name"].format(unique("s")), "SecretString": "v"}
    return {"SecretId": cell.secret()} | given


@pytest.mark.parametrize("one", KEYS, ids=lambda one: f"{one.action}-{one.key}")
def test_a_key_of_the_request(cell: Cell, one: Key):
    secrets = only_if(cell, one.action, one.key, one.operator, one.asked, one.also)
    assert method(secrets, one.action)(**arguments(cell, one.action, one.right))
    denied = refusal(lambda: method(secrets, one.action)(**arguments(cell, one.action, one.wrong)))
    assert denied[0] == "AccessDeniedException"
    assert f"secretsmanager:{one.action}" in denied[1]


def test_the_kms_key_of_the_request_by_its_arn_and_as_it_is_written(cell: Cell):
    kms, alias = cell.client("administrator", "kms"), f"alias/{unique('k')}"
    key, other = (kms.create_key()["KeyMetadata"] for _ in range(2))
    kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    uses = ("kms:Decrypt", "kms:GenerateDataKey", "kms:Encrypt")
    for action, name in (("CreateSecret", {"Name": "{}"}), ("UpdateSecret", {})):
        by_arn = only_if(cell, action, "KmsKeyArn", "ArnEquals", key["Arn"], uses)
        written = only_if(cell, action, "KmsKeyId", "StringEquals", alias, uses)
        for form in (alias, key["KeyId"], key["Arn"]):
            assert method(by_arn, action)(**arguments(cell, action, name | {"KmsKeyId": form}))
        assert method(written, action)(**arguments(cell, action, name | {"KmsKeyId": alias}))
        for client, form in ((by_arn, other["Arn"]), (written, key["Arn"])):
            given = arguments(cell, action, name | {"KmsKeyId": form})
            assert refusal(lambda c=client, a=action, g=given: method(c, a)(**g))[0] == "AccessDeniedException"


def test_the_version_of_the_request(cell: Cell):
    arn = cell.secret()
    version = cell.client("administrator", "secretsmanager").get_secret_value(SecretId=arn)["VersionId"]
    secrets = only_if(cell, "GetSecretValue", "VersionId", "StringEquals", version)
    assert secrets.get_secret_value(SecretId=arn, VersionId=version)["SecretString"] == "a value"
    assert refusal(lambda: secrets.get_secret_value(SecretId=arn))[0] == "AccessDeniedException"


def test_the_label_that_moves_is_a_key_and_that_of_a_new_value_is_not(cell: Cell):
    """The reference lists VersionStage for UpdateSecretVersionStage, and not for PutSecretValue."""
    admin, arn = cell.client("administrator", "secretsmanager"), cell.secret()
    before = admin.get_secret_value(SecretId=arn)["VersionId"]
    after = admin.put_secret_value(SecretId=arn, SecretString="b", VersionStages=["MINE"])["VersionId"]
    moves = only_if(cell, "UpdateSecretVersionStage", "VersionStage", "StringEquals", "MINE")
    denied = {"VersionStage": "AWSCURRENT", "MoveToVersionId": after, "RemoveFromVersionId": before}
    assert refusal(lambda: moves.update_secret_version_stage(SecretId=arn, **denied))[0] == "AccessDeniedException"
    assert moves.update_secret_version_stage(
        SecretId=arn, VersionStage="MINE", MoveToVersionId=before, RemoveFromVersionId=after
    )
    writes = only_if(cell, "PutSecretValue", "VersionStage", "StringEquals", "MINE")
    code, _ = refusal(lambda: writes.put_secret_value(SecretId=arn, SecretString="c", VersionStages=["MINE"]))
    assert code == "AccessDeniedException", "no policy can hold a writer to one label"


@pytest.fixture(scope="module")
def rotated(cell: Cell) -> tuple[str, str]:
    """A secret with a schedule, and the ARN of its function, which is not called."""
    role = cell.role([trust({"Service": "lambda.amazonaws.com"})], [])
    functions, secret = cell.client("administrator", "lambda"), cell.secret()
    function = create(functions, role)
    functions.add_permission(
        FunctionName=function,
        StatementId="rotation",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
    )
    cell.client("administrator", "secretsmanager").rotate_secret(
        SecretId=secret,
        RotationLambdaARN=function,
        RotationRules={"AutomaticallyAfterDays": 30},
        RotateImmediately=False,
    )
    return secret, function


def test_the_function_that_rotates_the_secret(cell: Cell, rotated: tuple[str, str]):
    secret, function = rotated
    key, other = "resource/AllowRotationLambdaArn", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:other"
    for action in ("DescribeSecret", "GetSecretValue"):
        right, wrong = (only_if(cell, action, key, "ArnEquals", arn) for arn in (function, other))
        assert method(right, action)(SecretId=secret)
        assert refusal(lambda a=action, c=wrong: method(c, a)(SecretId=secret))[0] == "AccessDeniedException"
        bare = cell.secret()
        assert refusal(lambda a=action, c=right, b=bare: method(c, a)(SecretId=b))[0] == "AccessDeniedException"


@pytest.mark.parametrize(
    ("key", "operator", "asked", "right", "wrong"),
    [
        ("ModifyRotationRules", "Bool", "false", {}, {"RotationRules": {"AutomaticallyAfterDays": 9}}),
        ("ModifyRotationRules", "Bool", "true", {"RotationRules": {"AutomaticallyAfterDays": 30}}, {}),
        ("RotateImmediately", "Bool", "false", {}, {"RotateImmediately": True}),
        ("RotationLambdaARN", "ArnLike", "arn:aws:lambda:*:*:function:function-*", {"RotationLambdaARN": ""}, {}),
    ],
)
def test_what_a_rotation_changes(
    cell: Cell,
    rotated: tuple[str, str],
    key: str,
    operator: str,
    asked: str,
    right: dict[str, Any],
    wrong: dict[str, Any],
):
    secret, function = rotated
    secrets = only_if(cell, "RotateSecret", key, operator, asked, ("lambda:InvokeFunction",))
    calm = {"SecretId": secret, "RotateImmediately": False}
    given = {name: value or function for name, value in right.items()}
    with suppress(secrets.exceptions.InvalidRequestException):
        # Authorized, and then told that the rotation of the case before still runs.
        secrets.rotate_secret(**calm, **given)
    code, message = refusal(lambda: secrets.rotate_secret(**(calm | wrong)))
    assert (code, "secretsmanager:RotateSecret" in message) == ("AccessDeniedException", True)


def test_the_primary_region_of_a_secret_with_copies(cell: Cell):
    with_copies, alone = cell.secret(AddReplicaRegions=[{"Region": "eu-west-1"}]), cell.secret()
    right, wrong = (
        only_if(cell, "DescribeSecret", "SecretPrimaryRegion", "StringEquals", region)
        for region in (REGION, "eu-west-1")
    )
    assert right.describe_secret(SecretId=with_copies)["ARN"] == with_copies
    for client, secret in ((wrong, with_copies), (right, alone)):
        assert refusal(lambda c=client, s=secret: c.describe_secret(SecretId=s))[0] == "AccessDeniedException"


def test_a_copys_primary_region_is_not_its_own(cell: Cell):
    secret = cell.secret(AddReplicaRegions=[{"Region": "eu-west-1"}])
    _, session = cell.user(
        [
            allow(
                "secretsmanager:DescribeSecret",
                Condition={"StringEquals": {"secretsmanager:SecretPrimaryRegion": REGION}},
            )
        ]
    )
    abroad = session.client("secretsmanager", region_name="eu-west-1", endpoint_url=cell.url)
    assert abroad.describe_secret(SecretId=secret.replace(REGION, "eu-west-1"))["PrimaryRegion"] == REGION
