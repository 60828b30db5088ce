"""The cell's users are real, and no other key is known.

AWS: access keys are issued by IAM alone, and a request signed with any other is refused before any policy is looked at.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
"""

from __future__ import annotations

import configparser
import json
import stat
import urllib.error
import urllib.request

import pytest

from tests.aws_iam.served import ACCOUNT, Cell, deny, document, refusal

USERS = ["administrator", "ci", "deployer", "runtime", "stranger"]


def test_the_credentials_file_is_private_and_holds_a_profile_a_user(cell: Cell):
    path = cell.home / "credentials"
    profiles = configparser.ConfigParser()
    profiles.read(path)
    assert sorted(profiles.sections()) == USERS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600, "whoever can read the file is every one of these users"
    keys = [profiles[user]["aws_secret_access_key"] for user in USERS]
    assert len(set(keys)) == len(USERS)
    assert all(set(profiles[user]) == {"aws_access_key_id", "aws_secret_access_key"} for user in USERS)


@pytest.mark.parametrize("user", USERS)
def test_a_profile_is_the_user_of_its_name(cell: Cell, user: str):
    assert cell.client(user, "sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{user}"


@pytest.mark.parametrize("key", ["test", ACCOUNT, "123456789012", "AKIA" + "X" * 16, "ASIA" + "X" * 16])
@pytest.mark.parametrize("secret", ["test", "any"])
def test_no_key_is_magic(cell: Cell, key: str, secret: str):
    nobody = cell.keys(key, secret)
    assert refusal(lambda: cell.client(nobody, "sts").get_caller_identity())[0] == "InvalidClientTokenId"
    assert refusal(lambda: cell.client(nobody, "iam").list_users())[0] == "InvalidClientTokenId"
    code = refusal(lambda: cell.client(nobody, "secretsmanager").list_secrets())[0]
    assert code == "UnrecognizedClientException"


def test_a_right_key_with_a_wrong_secret_is_refused(cell: Cell):
    right = cell.session("administrator").get_credentials()
    assert right is not None
    assert right.access_key
    forged = cell.keys(right.access_key, "wrong")
    assert refusal(lambda: cell.client(forged, "iam").list_users())[0] == "SignatureDoesNotMatch"


def test_a_call_without_credentials_is_refused(cell: Cell):
    request = urllib.request.Request(
        cell.url,
        data=b"{}",
        headers={"X-Amz-Target": "secretsmanager.ListSecrets", "Content-Type": "application/x-amz-json-1.1"},
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    with caught.value as answer:
        assert answer.code == 400
        assert json.loads(answer.read())["__type"] == "UnrecognizedClientException"


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_ministack/config", "/_ministack/sqs/messages"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_emulators_back_doors_are_shut(cell: Cell, path: str, method: str):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(cell.url + path, method=method))
    with caught.value as answer:
        assert answer.code == 403, "AWS has no operation that empties an account for whoever asks"


@pytest.mark.parametrize("user", ["deployer", "ci"])
def test_who_builds_and_who_previews_reads_no_value(cell: Cell, user: str):
    arn = cell.client("administrator", "secretsmanager").create_secret(Name=f"myflux/local/{user}/openai")["ARN"]
    secrets = cell.client(user, "secretsmanager")
    assert secrets.describe_secret(SecretId=arn)["ARN"] == arn
    code, message = refusal(lambda: secrets.get_secret_value(SecretId=arn))
    assert code == "AccessDeniedException"
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_the_deployer_stores_the_admin_key_and_cannot_read_it_back(cell: Cell):
    secrets = cell.client("deployer", "secretsmanager")
    arn = secrets.create_secret(Name="myflux-admin/stored/openai")["ARN"]
    secrets.put_secret_value(SecretId=arn, SecretString="admin key")
    assert refusal(lambda: secrets.get_secret_value(SecretId=arn))[0] == "AccessDeniedException"


def test_the_deployer_fills_a_tenants_secret_only_where_the_secret_lets_it(cell: Cell):
    """A customer's own key is stored by a deployer; a managed tenant's secret shuts everybody but its rotation out."""
    secrets = cell.client("deployer", "secretsmanager")
    arn = secrets.create_secret(Name="myflux/local/filled/openai")["ARN"]
    secrets.put_secret_value(SecretId=arn, SecretString="a customer's")
    assert refusal(lambda: secrets.get_secret_value(SecretId=arn))[0] == "AccessDeniedException"
    shut = deny(
        "secretsmanager:PutSecretValue",
        Principal="*",
        Condition={"StringNotEquals": {"aws:PrincipalArn": "arn:aws:iam::000000000000:role/myflux-local-rotation"}},
    )
    secrets.put_resource_policy(SecretId=arn, ResourcePolicy=document(shut))
    code, message = refusal(lambda: secrets.put_secret_value(SecretId=arn, SecretString="x"))
    assert code == "AccessDeniedException"
    assert message.endswith("with an explicit deny in a resource-based policy")


def test_ci_changes_nothing(cell: Cell):
    assert refusal(lambda: cell.client("ci", "secretsmanager").create_secret(Name="myflux/local/ci2/openai"))[0] == (
        "AccessDeniedException"
    )
    assert refusal(lambda: cell.client("ci", "sqs").create_queue(QueueName="myflux-x"))[0] == "AccessDenied"
    assert refusal(lambda: cell.client("ci", "kms").create_key())[0] == "AccessDeniedException"


def test_the_runtime_user_does_nothing_but_become_its_role(cell: Cell):
    code, _ = refusal(lambda: cell.client("runtime", "secretsmanager").list_secrets())
    assert code == "AccessDeniedException", "the runtime user becomes its role and does nothing else"
