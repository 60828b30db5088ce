"""A cell's bootstrap from nothing to nothing, by a person with exactly the rights that the command prints.

Real calls to a cell that enforces IAM, the real engine, and a death after each step that it could have died after.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from components.iam.people import people_trust
from myflux_keys.aws_names import CellNames
from ops.actions import run_bootstrap
from tests.bootstrap.conftest import PASSPHRASE, Founding
from tests.program.gate import Asked
from tests.program.rig import CELL

pytestmark = [pytest.mark.engine, pytest.mark.cell]

DIES_BEFORE_THE_END = """
import os
from types import SimpleNamespace
from ops.actions import run_bootstrap
run_bootstrap.shutil = SimpleNamespace(rmtree=lambda *_: os._exit(9))
"""
DIES_BEFORE_THE_DESTROY = """
import os
from ops.stacks.engine import Engine
Engine.destroy = lambda *_, **__: os._exit(9)
"""
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
ANYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


@pytest.fixture(scope="module")
def names(founding: Founding) -> CellNames:
    return CellNames(CELL, founding.cell.account_id, founding.cell.region)


@pytest.fixture(scope="module")
def granted(founding: Founding) -> dict[str, Any]:
    """The person's policy, as the command prints it."""
    document = run_bootstrap.policy(founding.fleet, CELL, deletion=False)
    founding.may(document)
    return document


@pytest.fixture(scope="module")
def made(founding: Founding, granted: dict[str, Any]) -> dict[str, Any]:
    """What the command told when it was run again, after it died before its last step and a deployer was added."""
    founding.run(before=DIES_BEFORE_THE_END, code=9)
    founding.add_alice()
    told = founding.told()
    with founding.file.open("a", encoding="utf-8") as file:
        file.write(told["block"] + "\n")
    return told


def denied(call: Callable[[], Any]) -> None:
    with pytest.raises(ClientError) as caught:
        call()
    assert "AccessDenied" in caught.value.response.get("Error", {}).get("Code", ""), caught.value.response


def test_it_continues_where_it_died_and_then_says_unchanged(founding: Founding, made: dict[str, Any]) -> None:
    assert made["changes"] == {"same": 18, "update": 1}, "the role's trust alone, once the state was in the bucket"
    assert not made["in_file"]
    assert not [path for path in (founding.home / "records").rglob("*") if ".pulumi" in path.parts]
    assert PASSPHRASE not in "".join(founding.said)
    said = founding.run()
    assert "Unchanged." in said
    assert "has it already" in said


def test_the_bucket_keeps_versions_and_is_closed(founding: Founding, names: CellNames, made: dict[str, Any]) -> None:
    s3, bucket = founding.cell.client("administrator", "s3"), names.state_bucket
    assert made["bucket"] == bucket
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90, "NewerNoncurrentVersions": 20}
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert "OnlyThisAccount" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    held = json.loads(
        s3.get_object(Bucket=bucket, Key=f".pulumi/stacks/myflux-keys-bootstrap/{CELL}.json")["Body"].read()
    )
    assert held["checkpoint"]["latest"]["secrets_providers"]["type"] == "cloud", "the key encrypts it, no passphrase"
    kms = founding.cell.client("administrator", "kms")
    assert kms.describe_key(KeyId=names.state_kms_alias)["KeyMetadata"]["Arn"] == made["kms_key"]
    assert kms.get_key_rotation_status(KeyId=made["kms_key"])["KeyRotationEnabled"]


def test_each_statement_is_needed(founding: Founding, granted: dict[str, Any], made: dict[str, Any]) -> None:
    """Without a statement, AWS denies a request that the runs above made: each is sent again as it was."""
    assert made
    for statement in granted["Statement"]:
        others = [one for one in granted["Statement"] if one is not statement]
        founding.may(granted | {"Statement": others})
        requests = [asked for asked in list(founding.stream.asked) if _is_for(asked, statement)]
        assert any(_refused(founding, asked) for asked in requests), f"nothing needs {statement['Sid']}"
    founding.may(granted)


def _is_for(asked: Asked, statement: Mapping[str, Any]) -> bool:
    """Whether the request is to one of the services that the statement is about: others cannot need it."""
    signed = dict(asked.headers).get("Authorization", "")
    return any(f"/{action.partition(':')[0]}/aws4_request" in signed for action in statement["Action"])


def _refused(founding: Founding, asked: Asked) -> bool:
    answer, content = founding.stream.send(asked)
    return answer.status in (400, 403) and (b"AccessDenied" in content or asked.method == "HEAD")


def test_the_person_is_no_administrator(
    founding: Founding, names: CellNames, granted: dict[str, Any], made: dict[str, Any]
) -> None:
    assert made
    founding.may(granted)
    iam, trust = founding.client("iam"), json.dumps(people_trust([f"arn:aws:iam::{names.account_id}:user/founder"]))
    limit = names.policy_arn(names.people_role)
    denied(lambda: iam.create_role(RoleName=names.runtime_role, AssumeRolePolicyDocument=trust))
    denied(lambda: iam.create_role(RoleName=names.people_role, AssumeRolePolicyDocument=trust))
    denied(
        lambda: iam.create_role(
            RoleName=names.people_role, AssumeRolePolicyDocument=trust, PermissionsBoundary=ADMINISTRATOR
        )
    )
    denied(lambda: iam.delete_role_permissions_boundary(RoleName=names.people_role))
    denied(lambda: iam.put_role_permissions_boundary(RoleName=names.people_role, PermissionsBoundary=ADMINISTRATOR))
    for policy in (limit, names.policy_arn(names.boundary_policy), founding.policy_arn):
        denied(lambda p=policy: iam.create_policy_version(PolicyArn=p, PolicyDocument=ANYTHING, SetAsDefault=True))
    denied(lambda: iam.delete_policy(PolicyArn=limit))
    denied(lambda: iam.attach_user_policy(UserName="founder", PolicyArn=ADMINISTRATOR))
    denied(lambda: iam.attach_role_policy(RoleName=names.people_role, PolicyArn=ADMINISTRATOR))
    denied(lambda: iam.put_role_policy(RoleName=names.people_role, PolicyName="more", PolicyDocument=ANYTHING))
    founding.cell.client("administrator", "secretsmanager").create_secret(
        Name=names.tenant("acme").secret, SecretString="{}"
    )
    secrets = founding.client("secretsmanager")
    denied(lambda: secrets.get_secret_value(SecretId=names.tenant("acme").secret))


def test_the_role_of_people_stays_within_its_limit(founding: Founding, names: CellNames, made: dict[str, Any]) -> None:
    role = _as_alice(founding, made["people_role"])
    iam, trust = role("iam"), json.dumps(people_trust([f"arn:aws:iam::{names.account_id}:user/alice"]))
    boundary, limit = names.policy_arn(names.boundary_policy), names.policy_arn(names.people_role)
    new = {"RoleName": names.runtime_role, "AssumeRolePolicyDocument": trust}
    denied(lambda: iam.create_role(**new))
    denied(lambda: iam.create_role(**new, PermissionsBoundary=ADMINISTRATOR))
    iam.create_role(**new, PermissionsBoundary=boundary)
    denied(lambda: iam.delete_role_permissions_boundary(RoleName=names.runtime_role))
    iam.delete_role(RoleName=names.runtime_role)
    for policy in (boundary, limit):
        denied(lambda p=policy: iam.create_policy_version(PolicyArn=p, PolicyDocument=ANYTHING, SetAsDefault=True))
    denied(lambda: iam.update_assume_role_policy(RoleName=names.people_role, PolicyDocument=trust))
    denied(lambda: iam.attach_role_policy(RoleName=names.people_role, PolicyArn=ADMINISTRATOR))
    denied(lambda: role("secretsmanager").get_secret_value(SecretId=names.tenant("acme").secret))
    kms, s3 = role("kms"), role("s3")
    denied(lambda: kms.schedule_key_deletion(KeyId=made["kms_key"]))
    denied(lambda: kms.put_key_policy(KeyId=made["kms_key"], Policy=ANYTHING))
    denied(lambda: s3.delete_bucket(Bucket=made["bucket"]))
    own = f".pulumi/stacks/myflux-keys-bootstrap/{CELL}.json"
    denied(lambda: s3.put_object(Bucket=made["bucket"], Key=own, Body=b"{}"))
    s3.put_object(Bucket=made["bucket"], Key=f".pulumi/stacks/myflux-keys/acme.{CELL}.json", Body=b"{}")


def _as_alice(founding: Founding, arn: str) -> Callable[[str], Any]:
    key = founding.cell.client("administrator", "iam").create_access_key(UserName="alice")["AccessKey"]
    where: dict[str, Any] = {"region_name": founding.cell.region, "endpoint_url": founding.cell.aws_url}
    sts: Any = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"]).client("sts", **where)
    session = sts.assume_role(RoleArn=arn, RoleSessionName="alice")["Credentials"]
    known: Any = boto3.Session(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
    return lambda service: known.client(service, **where)


def test_a_cell_ends_once_nothing_lives_behind_it_and_leaves_nothing(
    founding: Founding, names: CellNames, made: dict[str, Any]
) -> None:
    needed = run_bootstrap.policy(founding.fleet, CELL, deletion=True)
    founding.may(needed)
    s3, iam = founding.cell.client("administrator", "s3"), founding.cell.client("administrator", "iam")
    assert "`myflux-keys destroy acme` ends one" in founding.run("--delete", "--confirm", CELL, code=1)
    s3.delete_object(Bucket=made["bucket"], Key=f".pulumi/stacks/myflux-keys/acme.{CELL}.json")
    founding.cell.client("administrator", "secretsmanager").delete_secret(
        SecretId=names.tenant("acme").secret, RecoveryWindowInDays=7
    )
    provider = _another_team_uses_the_provider(founding)

    before = len(founding.stream.asked)
    founding.run("--delete", "--confirm", CELL, before=DIES_BEFORE_THE_DESTROY, code=9)
    ended = founding.told("--delete", "--confirm", CELL)

    assert ended["deleted"]
    assert ended["kept"] == [provider], "others' pipelines hang on it"
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider)["Url"]
    assert names.state_bucket not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    ours = f"myflux-{CELL}-"
    assert not [role for role in iam.list_roles()["Roles"] if role["RoleName"].startswith(ours)]
    assert not [one for one in iam.list_policies(Scope="Local")["Policies"] if one["PolicyName"].startswith(ours)]
    kms = founding.cell.client("administrator", "kms")
    assert kms.describe_key(KeyId=made["kms_key"])["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert not [path for path in (founding.home / "records").rglob("*") if ".pulumi" in path.parts]

    asked = founding.stream.asked[before:]
    for statement in needed["Statement"]:
        founding.may(needed | {"Statement": [one for one in needed["Statement"] if one is not statement]})
        requests = [one for one in asked if _is_for(one, statement)]
        assert any(_refused(founding, one) for one in requests), f"nothing needs {statement['Sid']}"


def _another_team_uses_the_provider(founding: Founding) -> str:
    """The ARN of the provider that the bootstrap made, which a role of others now trusts."""
    iam = founding.cell.client("administrator", "iam")
    ((arn),) = [one["Arn"] for one in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    trust = {"Effect": "Allow", "Principal": {"Federated": arn}, "Action": "sts:AssumeRoleWithWebIdentity"}
    iam.create_role(
        RoleName="another-teams-pipeline",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    return arn
