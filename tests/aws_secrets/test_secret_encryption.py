"""KMS behind a secret's value.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

ACCOUNT = "000000000000"
VIA = {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}
NOT_ALLOWED = ("AccessDeniedException", "Access to KMS is not allowed")


def allow(*actions: str, **condition: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": "*",
        **({"Condition": condition} if condition else {}),
    }


@pytest.fixture
def user(cell: Any, name: str) -> Callable[..., Any]:
    """``user(*statements)`` is Secrets Manager for a user who may do everything there, and these things besides."""
    iam, count = cell.client("iam"), iter(range(100))

    def make(*statements: dict[str, Any]) -> Any:
        who = f"{name.rpartition('/')[2]}-{next(count)}"
        iam.create_user(UserName=who)
        everything = [allow("secretsmanager:*"), *statements]
        document = json.dumps({"Version": "2012-10-17", "Statement": everything})
        iam.put_user_policy(UserName=who, PolicyName="p", PolicyDocument=document)
        return cell.client_with("secretsmanager", iam.create_access_key(UserName=who)["AccessKey"])

    return make


@pytest.fixture
def key(cell: Any) -> str:
    """The ARN of a key whose policy leaves the decision to IAM."""
    return cell.client("kms").create_key()["KeyMetadata"]["Arn"]


def test_a_value_under_a_key_needs_decrypt_to_be_read(
    secrets: Any, user: Any, key: str, name: str, refused: Any
) -> None:
    secrets.create_secret(Name=name, SecretString="a", KmsKeyId=key)
    assert secrets.describe_secret(SecretId=name)["KmsKeyId"] == key
    found = refused(user().get_secret_value, SecretId=name)
    assert (found.code, found.message) == NOT_ALLOWED
    found = refused(user(allow("kms:GenerateDataKey")).get_secret_value, SecretId=name)
    assert (found.code, found.message) == NOT_ALLOWED
    assert user(allow("kms:Decrypt")).get_secret_value(SecretId=name)["SecretString"] == "a"


def test_a_batch_reads_only_what_the_caller_may_decrypt(secrets: Any, user: Any, key: str, name: str) -> None:
    secrets.create_secret(Name=name, SecretString="a", KmsKeyId=key)
    secrets.create_secret(Name=f"{name}-2", SecretString="b")
    found = user().batch_get_secret_value(SecretIdList=[name, f"{name}-2"])
    assert [value["SecretString"] for value in found["SecretValues"]] == ["b"]
    assert [(error["SecretId"], error["ErrorCode"]) for error in found["Errors"]] == [(name, "AccessDeniedException")]


def test_a_value_under_a_key_needs_generate_data_key_to_be_written(
    secrets: Any, user: Any, key: str, name: str, refused: Any
) -> None:
    """ "Most PutSecretValue … requests do not trigger a Decrypt operation"; one that repeats a version does."""
    secrets.create_secret(Name=name, SecretString="a", KmsKeyId=key)
    token = "1" * 32
    found = refused(user(allow("kms:Decrypt")).put_secret_value, SecretId=name, SecretString="b")
    assert (found.code, found.message) == NOT_ALLOWED
    writer = user(allow("kms:GenerateDataKey"))
    writer.put_secret_value(SecretId=name, SecretString="b", ClientRequestToken=token)
    found = refused(writer.put_secret_value, SecretId=name, SecretString="b", ClientRequestToken=token)
    assert (found.code, found.message) == NOT_ALLOWED
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "b"


def test_choosing_a_key_is_tried_first_with_a_validation_context(user: Any, key: str, name: str, refused: Any) -> None:
    """ "the value of the SecretARN is the actual ARN of the secret, but the SecretVersionId value is
    RequestToValidateKeyAccess" — also for a secret without a value."""
    for missing in (allow("kms:GenerateDataKey"), allow("kms:Decrypt")):
        found = refused(user(missing).create_secret, Name=name, KmsKeyId=key)
        assert (found.code, found.message) == NOT_ALLOWED
    validation = {**VIA, "kms:EncryptionContext:SecretVersionId": "RequestToValidateKeyAccess"}
    arn = {"kms:EncryptionContext:SecretARN": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:{name}-??????"}
    chooser = user(allow("kms:GenerateDataKey", "kms:Decrypt", StringEquals=validation, StringLike=arn))
    chooser.create_secret(Name=name, KmsKeyId=key)
    found = refused(chooser.put_secret_value, SecretId=name, SecretString="a")
    assert (found.code, found.message) == NOT_ALLOWED, "a value has its own version's context"


def test_the_call_comes_through_the_service_with_the_secrets_context(
    secrets: Any, user: Any, key: str, name: str, refused: Any
) -> None:
    """kms:ViaService, and an encryption context of SecretARN and SecretVersionId."""
    created = secrets.create_secret(Name=name, SecretString="a", KmsKeyId=key)

    def read(**context: str) -> Any:
        keys = {f"kms:EncryptionContext:{part}": value for part, value in context.items()}
        return user(allow("kms:Decrypt", StringEquals={**VIA, **keys})).get_secret_value

    right = {"SecretARN": created["ARN"], "SecretVersionId": created["VersionId"]}
    assert read(**right)(SecretId=name)["SecretString"] == "a"
    assert read(SecretARN=created["ARN"])(SecretId=name)["SecretString"] == "a"
    for wrong in ({"SecretARN": f"{created['ARN']}x"}, {"SecretVersionId": "1" * 32}, {"Other": "a"}):
        found = refused(read(**{**right, **wrong}), SecretId=name)
        assert (found.code, found.message) == NOT_ALLOWED, wrong
    elsewhere = user(allow("kms:Decrypt", StringEquals={"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}))
    assert refused(elsewhere.get_secret_value, SecretId=name).message == NOT_ALLOWED[1]


def test_the_key_policy_decides_too(secrets: Any, user: Any, cell: Any, key: str, name: str, refused: Any) -> None:
    """A key policy that doesn't delegate to IAM keeps everybody out whom it doesn't name."""
    secrets.create_secret(Name=name, SecretString="a", KmsKeyId=key)
    reader = user(allow("kms:Decrypt"))
    manage = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/administrator"},
        "Action": ["kms:Put*", "kms:Get*"],
        "Resource": "*",
    }
    cell.client("kms").put_key_policy(KeyId=key, Policy=json.dumps({"Version": "2012-10-17", "Statement": [manage]}))
    found = refused(reader.get_secret_value, SecretId=name)
    assert (found.code, found.message) == NOT_ALLOWED


@pytest.mark.parametrize("state", ["disabled", "pending deletion"])
def test_an_unusable_key_neither_reads_nor_writes(
    secrets: Any, cell: Any, key: str, name: str, refused: Any, state: str
) -> None:
    """DecryptionFailure and EncryptionFailure, also for whoever may do everything."""
    secrets.create_secret(Name=name, SecretString="a", KmsKeyId=key)
    kms = cell.client("kms")
    if state == "disabled":
        kms.disable_key(KeyId=key)
    else:
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert refused(secrets.get_secret_value, SecretId=name).code == "DecryptionFailure"
    assert refused(secrets.put_secret_value, SecretId=name, SecretString="b").code == "EncryptionFailure"
    assert refused(secrets.create_secret, Name=f"{name}-2", KmsKeyId=key).code == "EncryptionFailure"
    if state == "pending deletion":
        kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "a"


def test_a_missing_key_and_one_that_is_not_symmetric_are_refused(
    secrets: Any, name: str, refused: Any, cell: Any
) -> None:
    """ "Secrets Manager supports only symmetric encryption KMS keys." """
    gone = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
    assert refused(secrets.create_secret, Name=name, SecretString="a", KmsKeyId=gone).code == "EncryptionFailure"
    signing = cell.client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["Arn"]
    found = refused(secrets.create_secret, Name=name, SecretString="a", KmsKeyId=signing)
    assert found.code == "InvalidParameterException"


@pytest.mark.parametrize("managed", [None, "alias/aws/secretsmanager"])
def test_the_managed_key_needs_no_permission_of_the_caller(user: Any, name: str, managed: str | None) -> None:
    """ "All users and roles in the … account automatically have access to use aws/secretsmanager." """
    mine = user()
    mine.create_secret(Name=name, SecretString="a", **({"KmsKeyId": managed} if managed else {}))
    assert mine.get_secret_value(SecretId=name)["SecretString"] == "a"
    assert "KmsKeyId" not in mine.describe_secret(SecretId=name)


def test_a_version_stays_under_the_key_it_was_written_with(secrets: Any, cell: Any, key: str, name: str) -> None:
    """An alias that points elsewhere later does not re-encrypt what is there."""
    kms, alias = cell.client("kms"), f"alias/{name}"
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    secrets.create_secret(Name=name, SecretString="a", KmsKeyId=alias)
    other = kms.create_key()["KeyMetadata"]["Arn"]
    kms.update_alias(AliasName=alias, TargetKeyId=other)
    secrets.put_secret_value(SecretId=name, SecretString="b")
    found = secrets.list_secret_version_ids(SecretId=name)["Versions"]
    assert {version["VersionStages"][0]: version["KmsKeyIds"] for version in found} == {
        "AWSPREVIOUS": [key],
        "AWSCURRENT": [other],
    }


def test_changing_the_key_re_encrypts_labelled_versions_if_the_caller_may(
    secrets: Any, user: Any, cell: Any, key: str, name: str, refused: Any
) -> None:
    """ "If you don't have kms:Encrypt permission to the new key, Secrets Manager does not re-encrypt existing secret
    versions with the new key." https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html
    """
    secrets.create_secret(Name=name, SecretString="a")
    mine = user(allow("kms:GenerateDataKey", "kms:Decrypt"))
    mine.update_secret(SecretId=name, KmsKeyId=key)
    assert user().get_secret_value(SecretId=name)["SecretString"] == "a", "still under the managed key"
    secrets.update_secret(SecretId=name, KmsKeyId=key)
    assert refused(user().get_secret_value, SecretId=name).message == NOT_ALLOWED[1]
    assert mine.get_secret_value(SecretId=name)["SecretString"] == "a"


def test_a_rotation_writes_with_the_functions_own_rights(
    secrets: Any, rotator: Any, key: str, name: str, cell: Any
) -> None:
    """RotateSecret itself makes no KMS call; the function's PutSecretValue does, as the function's role."""
    arn = secrets.create_secret(Name=name, SecretString="a", KmsKeyId=key)["ARN"]
    token = rotator.rotate(name)
    rotator.wait(arn, "RotationSucceeded")
    assert secrets.get_secret_value(SecretId=name)["VersionId"] == token
    cell.client("kms").disable_key(KeyId=key)
    secrets.rotate_secret(SecretId=name)
    rotator.wait(arn, "RotationFailed")
