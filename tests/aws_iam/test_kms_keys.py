"""KMS keys: the key's own policy must let the caller in, by name or by handing the decision to identity policies.

AWS: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html and
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
"""

from __future__ import annotations

from typing import Any

from tests.aws_iam.served import ACCOUNT, Cell, allow, deny, document, refusal, trust, unique, user_arn

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ADMINISTER = ["kms:Create*", "kms:Describe*", "kms:Enable*", "kms:Get*", "kms:List*", "kms:Put*", "kms:Update*"]


def a_key(cell: Cell, *statements: dict[str, Any]) -> str:
    """A key that the administrator governs and that lets in whom the statements say."""
    governed = allow([*ADMINISTER, "kms:Delete*"], Principal={"AWS": user_arn("administrator")})
    made = cell.client("administrator", "kms").create_key(Policy=document(governed, *statements))
    return made["KeyMetadata"]["Arn"]


def a_user(cell: Cell, *statements: dict[str, Any]) -> tuple[str, Any]:
    name, session = cell.user([*statements] or [allow("sts:GetCallerIdentity")])
    return name, cell.client(session, "kms")


def test_an_identity_policy_alone_is_not_enough(cell: Cell):
    key = a_key(cell)
    _, kms = a_user(cell, allow("kms:*"))
    code, message = refusal(lambda: kms.encrypt(KeyId=key, Plaintext=b"x"))
    assert code == "AccessDeniedException"
    assert message.endswith("because no resource-based policy allows the kms:Encrypt action")


def test_a_key_policy_that_names_the_account_delegates_to_identity_policies(cell: Cell):
    key = a_key(cell, allow("kms:*", Principal={"AWS": ROOT}))
    _, may = a_user(cell, allow("kms:Encrypt", key))
    _, may_not = a_user(cell)
    assert may.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    code, message = refusal(lambda: may_not.encrypt(KeyId=key, Plaintext=b"x"))
    assert code == "AccessDeniedException"
    assert message.endswith("because no identity-based policy allows the kms:Encrypt action")


def test_a_key_policy_that_names_the_user_needs_no_identity_policy(cell: Cell):
    name, kms = a_user(cell)
    key = a_key(cell, allow(["kms:Encrypt", "kms:Decrypt"], Principal={"AWS": user_arn(name)}))
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"


def test_a_deny_in_the_key_policy_wins_over_everybody(cell: Cell):
    key = a_key(cell, allow("kms:*", Principal={"AWS": ROOT}), deny("kms:Decrypt", Principal="*"))
    admin = cell.client("administrator", "kms")
    sealed = admin.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    code, message = refusal(lambda: admin.decrypt(CiphertextBlob=sealed))
    assert code == "AccessDeniedException"
    assert message.endswith("with an explicit deny in a resource-based policy")


def test_the_encryption_context_is_a_condition(cell: Cell):
    name, kms = a_user(cell)
    condition = {
        "StringEquals": {"kms:EncryptionContext:Tenant": "acme"},
        "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["Tenant"]},
    }
    key = a_key(cell, allow(["kms:Encrypt"], Principal={"AWS": user_arn(name)}, Condition=condition))
    assert kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"Tenant": "acme"})["CiphertextBlob"]
    for context in ({}, {"Tenant": "globex"}, {"Tenant": "acme", "More": "1"}):
        code, _ = refusal(lambda given=context: kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=given))
        assert code == "AccessDeniedException"


def test_a_key_for_one_service_is_useless_outside_it(cell: Cell):
    condition = {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}
    key = a_key(cell, allow(["kms:Decrypt", "kms:GenerateDataKey"], Principal={"AWS": ROOT}, Condition=condition))
    _, kms = a_user(cell, allow("kms:*"))
    assert refusal(lambda: kms.generate_data_key(KeyId=key, KeySpec="AES_256"))[0] == "AccessDeniedException"


def test_a_read_through_secrets_manager_asks_the_key_with_the_secrets_context(cell: Cell):
    """https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html"""
    prefix = unique("sealed")
    condition = {
        "StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com", "kms:CallerAccount": ACCOUNT},
        "ArnLike": {"kms:EncryptionContext:SecretARN": f"arn:aws:secretsmanager:*:*:secret:{prefix}/a*"},
    }
    key = a_key(cell, allow(["kms:Decrypt", "kms:GenerateDataKey"], Principal={"AWS": ROOT}, Condition=condition))
    admin = cell.client("administrator", "secretsmanager")
    inside = admin.create_secret(Name=f"{prefix}/a", SecretString="v", KmsKeyId=key)["ARN"]
    outside = refusal(lambda: admin.create_secret(Name=f"{prefix}/b", SecretString="v", KmsKeyId=key))
    assert outside == ("AccessDeniedException", "Access to KMS is not allowed")
    _, with_kms = cell.user([allow(["secretsmanager:GetSecretValue", "kms:Decrypt"])])
    _, without = cell.user([allow("secretsmanager:GetSecretValue")])
    assert cell.client(with_kms, "secretsmanager").get_secret_value(SecretId=inside)["SecretString"] == "v"
    code, _ = refusal(lambda: cell.client(without, "secretsmanager").get_secret_value(SecretId=inside))
    assert code == "AccessDeniedException", "the reader's own right to decrypt is asked for, not the service's"


def test_an_alias_stands_for_its_key(cell: Cell):
    """https://docs.aws.amazon.com/kms/latest/developerguide/alias-access.html"""
    key, alias = a_key(cell, allow("kms:*", Principal={"AWS": ROOT})), f"alias/{unique('x')}"
    cell.client("administrator", "kms").create_alias(AliasName=alias, TargetKeyId=key)
    _, by_key = a_user(cell, allow("kms:Encrypt", key))
    _, by_alias = a_user(cell, allow("kms:Encrypt", f"arn:aws:kms:*:*:{alias}"))
    assert by_key.encrypt(KeyId=alias, Plaintext=b"x")["KeyId"] == key
    assert refusal(lambda: by_alias.encrypt(KeyId=alias, Plaintext=b"x"))[0] == "AccessDeniedException"


def test_naming_a_key_needs_both_the_alias_and_the_key(cell: Cell):
    key = a_key(cell, allow("kms:*", Principal={"AWS": ROOT}))
    _, both = a_user(cell, allow("kms:CreateAlias", [key, "arn:aws:kms:*:*:alias/mine-*"]))
    _, half = a_user(cell, allow("kms:CreateAlias", "arn:aws:kms:*:*:alias/mine-*"))
    code, _ = refusal(lambda: half.create_alias(AliasName=f"alias/{unique('mine')}", TargetKeyId=key))
    assert code == "AccessDeniedException"
    both.create_alias(AliasName=f"alias/{unique('mine')}", TargetKeyId=key)


def test_a_role_of_the_key_policy_is_its_sessions_too(cell: Cell):
    role = cell.role([trust({"AWS": user_arn("administrator")})], [])
    key = a_key(cell, allow("kms:Encrypt", Principal={"AWS": role}))
    session = cell.assume("administrator", role)
    assert cell.client(session, "kms").encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
