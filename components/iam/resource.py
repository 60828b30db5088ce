"""Resource policies of secrets, KMS keys and topics, as pure functions that return dicts.

Owns who is denied, whatever their own policies allow. Leaves out what a role may do (`identity`). Secrets' policies
only deny, since a permissions boundary does not limit an Allow in a resource policy.
"""

from __future__ import annotations

from collections.abc import Sequence

from components.iam.statements import Document, Statement, document, key_administration, via_secrets_manager
from myflux_keys.aws_names import CellNames, TenantNames
from myflux_keys.cell_functions import ALL_FUNCTIONS, FUNCTIONS
from myflux_keys.names import TAG_TENANT
from myflux_keys.version_labels import CURRENT

READ = ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"]
WRITE = ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]
GOVERN = [
    "secretsmanager:CancelRotateSecret",
    "secretsmanager:DeleteResourcePolicy",
    "secretsmanager:DeleteSecret",
    "secretsmanager:PutResourcePolicy",
    "secretsmanager:RemoveRegionsFromReplication",
    "secretsmanager:ReplicateSecretToRegions",
    "secretsmanager:RestoreSecret",
    "secretsmanager:RotateSecret",
    "secretsmanager:StopReplicationToReplica",
    "secretsmanager:TagResource",
    "secretsmanager:UntagResource",
    "secretsmanager:UpdateSecret",
]
"""Whoever may tag a secret may grant access to it under ABAC, and UpdateSecret also moves it to another KMS key."""

DISABLED = "TenantDisabled"
"""The Sid of the statement that denies a disabled tenant's runtime."""

VALIDATION = "RequestToValidateKeyAccess"
"""The version in the encryption context when Secrets Manager only validates that its caller may use a key:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html"""


def tenant_secret(
    names: TenantNames,
    *,
    reader_role: str,
    writers: Sequence[str],
    deployers: Sequence[str],
    enabled: bool,
    handed_over: bool = False,
) -> Document:
    """A tenant's secret: only its runtime reads it, only `writers` write it, and only `deployers` govern it.

    `reader_role`, `writers` and `deployers` are ARNs. `enabled=False` denies only the runtime and people who hand the
    key over, so that rotation continues and the tenant can be enabled again with a valid key. `handed_over`: the cell
    has a hand-over role, and the tenant a consumer for whom a person pastes the key.
    """
    readers = [names.cell.function_role_arn(one) for one in FUNCTIONS if one.tenants != "none"]
    people = [names.cell.handover_role_arn] if handed_over else []
    statements = [
        _deny_all_but("OnlyRuntimeAndFunctionsRead", READ, [reader_role, *people, *readers]),
        {
            "Sid": "RuntimeReadsAsThisTenantOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": READ,
            "Resource": "*",
            "Condition": {
                "StringEquals": {"aws:PrincipalArn": _either(reader_role, *people)},
                # A negated operator holds for an absent tag too: an untagged session is denied.
                "StringNotEquals": {f"aws:PrincipalTag/{TAG_TENANT}": names.tenant},
            },
        },
        *map(_current_only, people),
        _deny_all_but("OnlyWritersFill", WRITE, writers),
        _deny_all_but("OnlyDeployersGovern", GOVERN, deployers),
    ]
    if not enabled:
        statements.append(reads_denied(reader_role, *people))
    return document(*statements)


def _current_only(role: str) -> Statement:
    """A negated operator holds for a request that names no stage too."""
    return {
        "Sid": "PeopleReadTheCurrentKeyOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": READ,
        "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:PrincipalArn": role},
            "StringNotEquals": {"secretsmanager:VersionStage": CURRENT},
        },
    }


def _either(arn: str, *others: str) -> str | list[str]:
    """One ARN stays a text: a cell without hand-overs keeps its policies as they are."""
    return [arn, *others] if others else arn


def reads_denied(reader_role: str, *people: str) -> Statement:
    """What `enabled: false` adds; `people` is the hand-over role, where it may read. In an emergency, `myflux-keys`
    adds the same statement at once."""
    return {
        "Sid": DISABLED,
        "Effect": "Deny",
        "Principal": "*",
        "Action": READ,
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalArn": _either(reader_role, *people)}},
    }


def admin_secret(names: CellNames, *, deployers: Sequence[str], governors: Sequence[str] | None = None) -> Document:
    """The cell's admin secret: the functions read it; the deployers, who cannot read it, and its rotation write it.

    `governors` set its policy, tags and rotation. Default: the deployers.
    """
    readers = [names.function_role_arn(one) for one in FUNCTIONS if one.admin != "none"]
    writers = [names.function_role_arn(one) for one in FUNCTIONS if one.admin == "rotate"]
    return document(
        _deny_all_but("OnlyFunctionsRead", READ, readers),
        _deny_all_but("OnlyDeployersAndRotationStore", WRITE, [*deployers, *writers]),
        _deny_all_but("OnlyDeployersGovern", GOVERN, deployers if governors is None else governors),
    )


def customer_admin_secret(
    names: CellNames, *, deployers: Sequence[str], governors: Sequence[str] | None = None
) -> Document:
    """An admin key of a customer's own organization: read by the functions that work there, stored by the deployers,
    who cannot read it. No function replaces it: the customer does."""
    readers = [names.function_role_arn(one) for one in FUNCTIONS if one.customer_admins != "none"]
    return document(
        _deny_all_but("OnlyFunctionsRead", READ, readers),
        _deny_all_but("OnlyDeployersStore", WRITE, deployers),
        _deny_all_but("OnlyDeployersGovern", GOVERN, deployers if governors is None else governors),
    )


def cell_key(
    names: CellNames,
    *,
    deployers: Sequence[str],
    governors: Sequence[str],
    connect: bool = False,
    handover: bool = False,
) -> Document:
    """The KMS key of a cell's admin keys and of its tenants' secrets. `connect`: customers hand in keys; `handover`:
    the cell has a hand-over role."""
    functions = ALL_FUNCTIONS if connect else FUNCTIONS
    users = [names.function_role_arn(one) for one in functions if one.uses_secrets_key]
    return secrets_key(
        names,
        users=[names.runtime_role_arn, *users],
        deployers=deployers,
        secrets=names.secrets_arn_patterns,
        admin_key=True,
        governors=governors,
        customers=[names.tenant_secrets_arn_pattern],
        handed_over=[names.tenant_secrets_arn_pattern] if handover else (),
    )


def secrets_key(
    names: CellNames,
    *,
    users: Sequence[str],
    deployers: Sequence[str],
    secrets: Sequence[str],
    admin_key: bool,
    customers: Sequence[str] = (),
    governors: Sequence[str] | None = None,
    handed_over: Sequence[str] = (),
) -> Document:
    """A KMS key for secrets: the account administers it, `users` use it, and only through Secrets Manager.

    `users` may decrypt and encrypt `secrets` (ARN patterns). For `governors`, by default the deployers, Secrets Manager
    may validate the key when they create a secret, which decrypts nothing. With `admin_key`, the deployers may store
    admin keys, for which PutSecretValue needs the key. They may encrypt, but not decrypt, the secrets of `customers`
    (ARN patterns). The hand-over role may decrypt those of `handed_over` (ARN patterns). Principals are conditions, not
    Principal elements: KMS refuses a policy with a role that does not exist yet.
    """
    account = {"AWS": f"arn:{names.partition}:iam::{names.account_id}:root"}
    makers = deployers if governors is None else governors
    validated = _use_key("ValidatedByDeployers", names, account, makers, secrets)
    validated["Condition"]["StringEquals"]["kms:EncryptionContext:SecretVersionId"] = VALIDATION
    statements: list[Statement] = [
        key_administration(account),
        _use_key("UsedThroughSecretsManager", names, account, users, secrets),
        validated,
    ]
    if admin_key:
        stored = [names.admin_secret_arn_pattern, names.customer_admin_secrets_arn_pattern]
        statements.append(_use_key("AdminKeyStored", names, account, deployers, stored))
    if customers:
        stored = _use_key("CustomersKeysStored", names, account, deployers, customers)
        statements.append(stored | {"Action": ["kms:GenerateDataKey"]})
    if handed_over:
        read = _use_key("DecryptedForHandover", names, account, [names.handover_role_arn], handed_over)
        statements.append(read | {"Action": ["kms:Decrypt"]})
    return document(*statements)


def alarm_topic(names: CellNames, topic_arn: str) -> Document:
    return document(
        {
            "Sid": "AlarmsAndRules",
            "Effect": "Allow",
            "Principal": {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]},
            "Action": "sns:Publish",
            "Resource": topic_arn,
            "Condition": {"StringEquals": {"aws:SourceAccount": names.account_id}},
        }
    )


def _deny_all_but(sid: str, actions: Sequence[str], principals: Sequence[str]) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(actions),
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:PrincipalArn": list(principals)}},
    }


def _use_key(
    sid: str, names: CellNames, account: dict[str, str], principals: Sequence[str], secrets: Sequence[str]
) -> Statement:
    conditions = via_secrets_manager(names, secrets)
    conditions["StringEquals"]["aws:PrincipalArn"] = list(principals)
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": account,
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": conditions,
    }
