"""What a person needs to bootstrap a cell, and to delete what that made. Nothing else is allowed.

The role that the person makes has a boundary, which the person makes once and can then neither change nor remove. Until
the two policies exist, the person decides what they say, and so is trusted as an administrator; afterwards not. Leaves
out what that role may do (`people`). A test runs `bootstrap` with exactly these documents, and without each of their
statements.
"""

from __future__ import annotations

from typing import Any, Final

from components.iam.deployer_buckets import READ_BUCKET
from components.iam.deployer_trust import provider_arn
from components.iam.people import STATE, TAG_PURPOSE
from components.iam.statements import Document, Statement, actions, allow, any_key, document
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
        allow("Policies", actions("iam", "CreatePolicy TagPolicy"), _policies(names)),
        allow("RoleWithItsBoundary", actions("iam", "CreateRole"), [people], _bounded(names)),
        allow("RolesTags", actions("iam", "TagRole"), [people]),
        # IAM compares no boundary for this action: a condition on it would never hold.
        allow("RolesTrust", actions("iam", "UpdateAssumeRolePolicy"), [people]),
        allow("RolesPolicy", actions("iam", "AttachRolePolicy"), [people], _bounded(names, attached=True)),
        allow("Bucket", actions("s3", _SET_BUCKET), [_bucket(names)]),
        # A key that is being made has no tag yet. One that has a cell's never becomes the state's by another tag.
        allow("KeyOfTheState", actions("kms", "CreateKey TagResource"), ["*"], asked | {"Null": {_CELLS: "true"}}),
        allow(
            "KeysUse",
            actions("kms", "CreateAlias Decrypt EnableKeyRotation Encrypt PutKeyPolicy TagResource"),
            [any_key(names)],
            ours,
        ),
        allow("KeysName", actions("kms", "CreateAlias"), [alias]),
        allow("OwnState", actions("s3", "DeleteObject GetObject PutObject"), _files(names, project)),
        *_reads(names, ours),
        *(_provider(names, issuer, "CreateOpenIDConnectProvider TagOpenIDConnectProvider") if issuer else []),
    )


def bootstrap_deletion(names: CellNames, issuer: str | None) -> Document:
    """To delete what `bootstrap` made. The bucket goes with all versions, and the key after its window."""
    ours = {"StringEquals": _state_key(names, "ResourceTag")}
    people, bucket = names.role_arn(names.people_role), _bucket(names)
    return document(
        allow("Policies", actions("iam", "DeletePolicy ListPolicyVersions"), _policies(names)),
        allow("Role", actions("iam", "DeleteRole DetachRolePolicy ListInstanceProfilesForRole"), [people]),
        allow(
            "Bucket",
            actions(
                "s3",
                "DeleteBucket DeleteBucketPolicy ListBucketVersions PutBucketPublicAccessBlock "
                "PutBucketVersioning PutEncryptionConfiguration PutLifecycleConfiguration",
            ),
            [bucket],
        ),
        allow("Versions", actions("s3", "DeleteObject DeleteObjectVersion GetObject PutObject"), [f"{bucket}/*"]),
        allow("KeysEnd", actions("kms", "Decrypt DeleteAlias Encrypt ScheduleKeyDeletion"), [any_key(names)], ours),
        allow("KeysName", actions("kms", "DeleteAlias"), [_alias(names)]),
        allow("WhatLivesBehind", actions("iam", "ListEntitiesForPolicy"), _policies(names)),
        allow("WhoTrustsTheProvider", actions("iam", "ListRoles"), ["*"]),
        allow("SecretsThatAreLeft", actions("secretsmanager", "ListSecrets"), ["*"]),
        *_reads(names, ours),
        *(_provider(names, issuer, "DeleteOpenIDConnectProvider") if issuer else []),
    )


def _reads(names: CellNames, ours: dict[str, Any]) -> list[Statement]:
    people = names.role_arn(names.people_role)
    return [
        allow("PoliciesRead", actions("iam", "GetPolicy GetPolicyVersion"), _policies(names)),
        # The official provider lists both kinds of a role's policies.
        allow("RoleRead", actions("iam", "GetRole ListAttachedRolePolicies ListRolePolicies"), [people]),
        allow("BucketRead", actions("s3", READ_BUCKET), [_bucket(names)]),
        allow(
            "KeyRead",
            actions("kms", "DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags"),
            [any_key(names)],
            ours,
        ),
        allow("NamesOfKeys", actions("kms", "ListAliases"), ["*"]),
    ]


def _provider(names: CellNames, issuer: str, calls: str) -> list[Statement]:
    return [allow("Provider", actions("iam", f"{calls} GetOpenIDConnectProvider"), [provider_arn(names, issuer)])]


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
