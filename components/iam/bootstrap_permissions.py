"""What a person needs to bootstrap a cell, and to delete what that made. Nothing else is allowed.

The role that the person makes has a boundary, which the person makes once and can then neither change nor remove. What
it says is the person's word until then: whoever gets these rights in an account without the two policies is trusted as
an administrator, and later is none. Leaves out what that role may do (`people`). A test runs `bootstrap` with exactly
these documents, and without each of their statements.
"""

from __future__ import annotations

from typing import Any, Final

from components.iam.deployer_buckets import READ_BUCKET
from components.iam.deployer_trust import provider_arn
from components.iam.people import STATE, TAG_PURPOSE
from components.iam.statements import Document, Statement, any_key, document
from myflux_keys.aws_names import CellNames
from myflux_keys.names import TAG_CELL

_SET_BUCKET: Final = (
    "CreateBucket PutBucketPolicy PutBucketPublicAccessBlock PutBucketTagging PutBucketVersioning "
    "PutEncryptionConfiguration PutLifecycleConfiguration TagResource"
)

_CELLS: Final = f"aws:ResourceTag/{TAG_CELL}"


def bootstrap_permissions(names: CellNames, project: str, issuer: str | None) -> Document:
    """`project` is the Pulumi project of `bootstrap`; `issuer` is the pipeline's, if the cell has one."""
    ours = {"StringEquals": _state_key(names, "ResourceTag")}
    asked = {"StringEquals": _state_key(names, "RequestTag")}
    people, alias = names.role_arn(names.people_role), _alias(names)
    return document(
        _allow("Policies", "iam", "CreatePolicy TagPolicy", _policies(names)),
        _allow("RoleWithItsBoundary", "iam", "CreateRole", [people], _bounded(names)),
        _allow("RolesTags", "iam", "TagRole", [people]),
        # IAM compares no boundary for this action: a condition on it would never hold.
        _allow("RolesTrust", "iam", "UpdateAssumeRolePolicy", [people]),
        _allow("RolesPolicy", "iam", "AttachRolePolicy", [people], _bounded(names, attached=True)),
        _allow("Bucket", "s3", _SET_BUCKET, [_bucket(names)]),
        # A key that is being made has no tag yet. One that has a cell's never becomes the state's by another tag.
        _allow("KeyOfTheState", "kms", "CreateKey TagResource", ["*"], asked | {"Null": {_CELLS: "true"}}),
        _allow(
            "KeysUse",
            "kms",
            "CreateAlias Decrypt EnableKeyRotation Encrypt PutKeyPolicy TagResource",
            [any_key(names)],
            ours,
        ),
        _allow("KeysName", "kms", "CreateAlias", [alias]),
        _allow("OwnState", "s3", "DeleteObject GetObject PutObject", _files(names, project)),
        *_reads(names, ours),
        *(_provider(names, issuer, "CreateOpenIDConnectProvider TagOpenIDConnectProvider") if issuer else []),
    )


def bootstrap_deletion(names: CellNames, issuer: str | None) -> Document:
    """To delete what `bootstrap` made. The bucket goes with all versions, and the key after its window."""
    ours = {"StringEquals": _state_key(names, "ResourceTag")}
    people, bucket = names.role_arn(names.people_role), _bucket(names)
    return document(
        _allow("Policies", "iam", "DeletePolicy ListPolicyVersions", _policies(names)),
        _allow("Role", "iam", "DeleteRole DetachRolePolicy ListInstanceProfilesForRole", [people]),
        _allow(
            "Bucket",
            "s3",
            "DeleteBucket DeleteBucketPolicy ListBucketVersions PutBucketPublicAccessBlock "
            "PutBucketVersioning PutEncryptionConfiguration PutLifecycleConfiguration",
            [bucket],
        ),
        _allow("Versions", "s3", "DeleteObject DeleteObjectVersion GetObject PutObject", [f"{bucket}/*"]),
        _allow("KeysEnd", "kms", "Decrypt DeleteAlias Encrypt ScheduleKeyDeletion", [any_key(names)], ours),
        _allow("KeysName", "kms", "DeleteAlias", [_alias(names)]),
        _allow("WhatLivesBehind", "iam", "ListEntitiesForPolicy", _policies(names)),
        _allow("WhoTrustsTheProvider", "iam", "ListRoles", ["*"]),
        _allow("SecretsThatAreLeft", "secretsmanager", "ListSecrets", ["*"]),
        *_reads(names, ours),
        *(_provider(names, issuer, "DeleteOpenIDConnectProvider") if issuer else []),
    )


def _reads(names: CellNames, ours: dict[str, Any]) -> list[Statement]:
    people = names.role_arn(names.people_role)
    return [
        _allow("PoliciesRead", "iam", "GetPolicy GetPolicyVersion", _policies(names)),
        # The official provider lists both kinds of a role's policies.
        _allow("RoleRead", "iam", "GetRole ListAttachedRolePolicies ListRolePolicies", [people]),
        _allow("BucketRead", "s3", READ_BUCKET, [_bucket(names)]),
        _allow(
            "KeyRead",
            "kms",
            "DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags",
            [any_key(names)],
            ours,
        ),
        _allow("NamesOfKeys", "kms", "ListAliases", ["*"]),
    ]


def _provider(names: CellNames, issuer: str, actions: str) -> list[Statement]:
    return [_allow("Provider", "iam", f"{actions} GetOpenIDConnectProvider", [provider_arn(names, issuer)])]


def _policies(names: CellNames) -> list[str]:
    return [names.policy_arn(names.boundary_policy), names.policy_arn(names.people_role)]


def _bounded(names: CellNames, *, attached: bool = False) -> dict[str, Any]:
    limit = names.policy_arn(names.people_role)
    return {"StringEquals": {"iam:PermissionsBoundary": limit} | ({"iam:PolicyARN": limit} if attached else {})}


def _bucket(names: CellNames) -> str:
    return f"arn:{names.partition}:s3:::{names.state_bucket}"


def _files(names: CellNames, project: str) -> list[str]:
    folders = ("stacks/", "locks/organization/", "history/", "backups/")
    return [
        *(f"{_bucket(names)}/.pulumi/{folder}{project}/*" for folder in folders),
        f"{_bucket(names)}/.pulumi/meta.yaml",
    ]


def _alias(names: CellNames) -> str:
    return f"arn:{names.partition}:kms:{names.region}:{names.account_id}:{names.state_kms_alias}"


def _state_key(names: CellNames, tags: str) -> dict[str, str]:
    """Conditions on the tags of the key, `tags` being ``RequestTag`` or ``ResourceTag``."""
    return {f"aws:{tags}/{TAG_CELL}": names.cell, f"aws:{tags}/{TAG_PURPOSE}": STATE}


def _allow(
    sid: str, service: str, actions: str, resources: list[str], condition: dict[str, Any] | None = None
) -> Statement:
    names = [f"{service}:{name}" for name in actions.split()]
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": names, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})
