"""KMS's condition keys: what a request asks for, and what its key is. A policy that asks for the key lets in exactly
what it should.

AWS: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html and
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.aws_iam.served import ACCOUNT, Cell, allow, document, refusal, trust, unique, user_arn

MAC = {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}


def key(cell: Cell, **given: Any) -> str:
    return cell.client("administrator", "kms").create_key(**given)["KeyMetadata"]["Arn"]


def only_if(cell: Cell, action: str, condition: dict[str, Any], *more: dict[str, Any]) -> Any:
    _, session = cell.user([allow(f"kms:{action}", Condition=condition), *more])
    return cell.client(session, "kms")


def denied(call: Any, **given: Any) -> bool:
    return refusal(lambda: call(**given))[0] == "AccessDeniedException"


@pytest.fixture(scope="module")
def plain(cell: Cell) -> str:
    return key(cell)


@pytest.fixture(scope="module")
def grantee(cell: Cell) -> str:
    return cell.role([trust({"AWS": user_arn("administrator")})], [])


@pytest.mark.parametrize(
    ("condition", "right", "wrong"),
    [
        (
            {"ForAllValues:StringEquals": {"kms:GrantOperations": ["Decrypt", "DescribeKey"]}},
            {"Operations": ["Decrypt"]},
            {"Operations": ["Decrypt", "Encrypt"]},
        ),
        (
            {"StringEquals": {"kms:GrantConstraintType": "EncryptionContextEquals"}},
            {"Constraints": {"EncryptionContextEquals": {"Tenant": "acme"}}},
            {"Constraints": {"EncryptionContextSubset": {"Tenant": "acme"}}},
        ),
        (
            {"StringEquals": {"kms:EncryptionContext:Tenant": "acme"}},
            {"Constraints": {"EncryptionContextEquals": {"Tenant": "acme"}}},
            {"Constraints": {"EncryptionContextEquals": {"Tenant": "globex"}}},
        ),
        (
            {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["Tenant"]}},
            {"Constraints": {"EncryptionContextSubset": {"Tenant": "acme"}}},
            {"Constraints": {"EncryptionContextSubset": {"Tenant": "acme", "More": "1"}}},
        ),
        (
            {"ArnEquals": {"kms:RetiringPrincipal": f"arn:aws:iam::{ACCOUNT}:root"}},
            {"RetiringPrincipal": f"arn:aws:iam::{ACCOUNT}:root"},
            {},
        ),
        ({"Bool": {"kms:GrantIsForAWSResource": "false"}}, {}, None),
        ({"Bool": {"kms:GrantIsForAWSResource": "true"}}, None, {}),
    ],
)
def test_a_grant(
    cell: Cell,
    plain: str,
    grantee: str,
    condition: dict[str, Any],
    right: dict[str, Any] | None,
    wrong: dict[str, Any] | None,
):
    kms = only_if(cell, "CreateGrant", condition)
    usual: dict[str, Any] = {"KeyId": plain, "GranteePrincipal": grantee, "Operations": ["Decrypt"]}
    if right is not None:
        assert kms.create_grant(**usual | right)["GrantId"]
    if wrong is not None:
        assert denied(kms.create_grant, **usual | wrong)


def test_the_one_that_a_grant_is_for(cell: Cell, plain: str, grantee: str):
    other = cell.role([trust({"AWS": user_arn("administrator")})], [])
    kms = only_if(cell, "CreateGrant", {"ArnEquals": {"kms:GranteePrincipal": grantee}})
    assert kms.create_grant(KeyId=plain, GranteePrincipal=grantee, Operations=["Decrypt"])["GrantId"]
    assert denied(kms.create_grant, KeyId=plain, GranteePrincipal=other, Operations=["Decrypt"])


@pytest.mark.parametrize("action", ["ListGrants", "RevokeGrant"])
def test_grants_of_a_service_are_not_a_persons_to_list_or_revoke(cell: Cell, plain: str, grantee: str, action: str):
    """kms:GrantIsForAWSResource is true only where a service of AWS makes the call for its caller."""
    made = cell.client("administrator", "kms").create_grant(
        KeyId=plain, GranteePrincipal=grantee, Operations=["Decrypt"]
    )["GrantId"]
    given = {"KeyId": plain} | ({"GrantId": made} if action == "RevokeGrant" else {})
    service, person = (
        only_if(cell, action, {"Bool": {"kms:GrantIsForAWSResource": asked}}) for asked in ("true", "false")
    )
    name = "list_grants" if action == "ListGrants" else "revoke_grant"
    assert denied(getattr(service, name), **given)
    getattr(person, name)(**given)


def test_the_constraint_of_a_grant_that_is_retired(cell: Cell, plain: str, grantee: str):
    admin = cell.client("administrator", "kms")
    condition = {"StringEquals": {"kms:EncryptionContext:Tenant": "acme"}}
    name, session = cell.user([allow("kms:RetireGrant", Condition=condition)])
    for tenant, may in (("globex", False), ("acme", True)):
        made = admin.create_grant(
            KeyId=plain,
            GranteePrincipal=grantee,
            RetiringPrincipal=user_arn(name),
            Operations=["Decrypt"],
            Constraints={"EncryptionContextEquals": {"Tenant": tenant}},
        )["GrantId"]
        retire = cell.client(session, "kms").retire_grant
        if may:
            retire(KeyId=plain, GrantId=made)
        else:
            assert denied(retire, KeyId=plain, GrantId=made)


@pytest.mark.parametrize(
    ("condition", "right", "wrong"),
    [
        ({"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}}, {}, MAC),
        ({"StringEquals": {"kms:KeyUsage": "ENCRYPT_DECRYPT"}}, {}, MAC),
        ({"StringEquals": {"kms:CustomerMasterKeySpec": "SYMMETRIC_DEFAULT"}}, {}, MAC),
        ({"StringEquals": {"kms:CustomerMasterKeyUsage": "ENCRYPT_DECRYPT"}}, {}, MAC),
        ({"StringEquals": {"kms:KeyOrigin": "AWS_KMS"}}, {}, {"Origin": "EXTERNAL"}),
        ({"Bool": {"kms:MultiRegion": "false"}}, {}, {"MultiRegion": True}),
        ({"StringEquals": {"kms:MultiRegionKeyType": "PRIMARY"}}, {"MultiRegion": True}, {}),
    ],
)
def test_what_a_key_is_when_it_is_created_and_when_it_is_used(
    cell: Cell, condition: dict[str, Any], right: dict[str, Any], wrong: dict[str, Any]
):
    kms = only_if(cell, "CreateKey", condition, allow("iam:CreateServiceLinkedRole"))
    assert kms.create_key(**right)["KeyMetadata"]
    assert denied(kms.create_key, **wrong)
    reads = only_if(cell, "DescribeKey", condition)
    assert reads.describe_key(KeyId=key(cell, **right))["KeyMetadata"]
    assert denied(reads.describe_key, KeyId=key(cell, **wrong))


def test_the_aliases_of_the_key(cell: Cell):
    """kms:ResourceAliases holds all of them, however the request names the key; kms:RequestAlias only the one named."""
    named, bare, alias = key(cell), key(cell), f"alias/{unique('k')}"
    cell.client("administrator", "kms").create_alias(AliasName=alias, TargetKeyId=named)
    has = only_if(cell, "DescribeKey", {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}})
    assert has.describe_key(KeyId=named)["KeyMetadata"]["Arn"] == named
    assert denied(has.describe_key, KeyId=bare)
    asked = only_if(cell, "Encrypt", {"StringEquals": {"kms:RequestAlias": alias}})
    for form in (alias, f"arn:aws:kms:us-east-1:{ACCOUNT}:{alias}"):
        assert asked.encrypt(KeyId=form, Plaintext=b"x")["KeyId"] == named
    assert denied(asked.encrypt, KeyId=named, Plaintext=b"x")


@pytest.mark.parametrize(
    ("action", "made", "condition", "right", "wrong"),
    [
        (
            "ScheduleKeyDeletion",
            {},
            {"NumericGreaterThanEquals": {"kms:ScheduleKeyDeletionPendingWindowInDays": "20"}},
            {"PendingWindowInDays": 20},
            {"PendingWindowInDays": 7},
        ),
        (
            "EnableKeyRotation",
            {},
            {"NumericLessThanEquals": {"kms:RotationPeriodInDays": "180"}},
            {"RotationPeriodInDays": 180},
            {"RotationPeriodInDays": 365},
        ),
        (
            "Encrypt",
            {},
            {"StringEquals": {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}},
            {"Plaintext": b"x"},
            {"Plaintext": b"x", "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"},
        ),
        (
            "GenerateDataKeyPair",
            {},
            {"StringEquals": {"kms:DataKeyPairSpec": "ECC_NIST_P256"}},
            {"KeyPairSpec": "ECC_NIST_P256"},
            {"KeyPairSpec": "RSA_2048"},
        ),
        (
            "GenerateMac",
            MAC,
            {"StringEquals": {"kms:MacAlgorithm": "HMAC_SHA_256"}},
            {"Message": b"x", "MacAlgorithm": "HMAC_SHA_256"},
            {"Message": b"x", "MacAlgorithm": "HMAC_SHA_512"},
        ),
        (
            "Sign",
            {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
            {"StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_256", "kms:MessageType": "RAW"}},
            {"Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"},
            {"Message": b"x" * 32, "SigningAlgorithm": "ECDSA_SHA_256", "MessageType": "DIGEST"},
        ),
        (
            "GetParametersForImport",
            {"Origin": "EXTERNAL"},
            {"StringEquals": {"kms:WrappingAlgorithm": "RSAES_OAEP_SHA_256", "kms:WrappingKeySpec": "RSA_4096"}},
            {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_4096"},
            {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"},
        ),
        (
            "PutKeyPolicy",
            {},
            {"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "true"}},
            {"Policy": document(allow("kms:*", Principal="*")), "BypassPolicyLockoutSafetyCheck": True},
            {"Policy": document(allow("kms:*", Principal="*")), "BypassPolicyLockoutSafetyCheck": False},
        ),
    ],
)
def test_a_key_of_the_request(
    cell: Cell, action: str, made: dict[str, Any], condition: dict[str, Any], right: Any, wrong: Any
):
    kms, used = only_if(cell, action, condition), key(cell, **made)
    call = getattr(kms, "".join(f"_{c.lower()}" if c.isupper() else c for c in action)[1:])
    assert denied(call, KeyId=used, **wrong)
    call(KeyId=used, **right)


def test_the_region_that_a_key_is_replicated_to(cell: Cell):
    source = key(cell, MultiRegion=True)
    kms = only_if(
        cell,
        "ReplicateKey",
        {"StringEquals": {"kms:ReplicaRegion": "eu-west-1"}},
        allow(["kms:CreateKey", "iam:CreateServiceLinkedRole"]),
    )
    assert denied(kms.replicate_key, KeyId=source, ReplicaRegion="us-west-2")
    assert kms.replicate_key(KeyId=source, ReplicaRegion="eu-west-1")["ReplicaKeyMetadata"]


def test_what_a_key_is_counts_where_a_service_uses_it_too(cell: Cell, plain: str):
    """With its caller's rights: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html"""
    secret = cell.secret(KmsKeyId=plain)
    asked = {"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}}
    for condition, may in ((asked, True), ({"StringEquals": {"kms:KeySpec": "RSA_2048"}}, False)):
        _, session = cell.user([allow("secretsmanager:GetSecretValue"), allow("kms:Decrypt", Condition=condition)])
        read = cell.client(session, "secretsmanager").get_secret_value
        if may:
            assert read(SecretId=secret)["SecretString"] == "a value"
        else:
            assert denied(read, SecretId=secret)
