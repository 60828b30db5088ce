"""What a person who deploys a cell may do at most, and who may become that role.

One document is both the policy of the role and its permissions boundary, and the boundary of a pipeline's role, which
such a person makes: so nothing that a person makes can do more than the person. Leaves out the boundary of the roles
that read keys (`boundary`), which a person gives to them and cannot change. Why: docs/adr/0037-bootstrap.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from components.iam.statements import (
    Document,
    Statement,
    actions,
    allow,
    any_key,
    document,
)
from myflux_keys.aws_names import CellNames
from myflux_keys.names import TAG_CELL

TAG_PURPOSE: Final = "purpose"
STATE: Final = "pulumi-state"
"""The tag of the key that encrypts the state: nobody but who bootstraps the cell governs it."""

_LOOKS: Final = (
    "cloudtrail:LookupEvents",
    "cloudwatch:DescribeAlarms",
    "iam:GetAccountSummary",
    "iam:*OutboundWebIdentityFederation*",
    "iam:GetOpenIDConnectProvider",
    "iam:ListRoles",
    "kms:ListAliases",
    "lambda:GetAccountSettings",
    "logs:DescribeLogGroups",
    "secretsmanager:ListSecrets",
    "sns:GetSubscriptionAttributes",
    "sns:Unsubscribe",
)
"""Actions on no resource that could be named."""
_GOVERN_KEYS: Final = (
    "*ableKeyRotation DescribeKey GenerateMac GetKey* ListResourceTags PutKeyPolicy ScheduleKeyDeletion TagResource "
    "UntagResource UpdateKeyDescription"
)
"""GenerateMac signs links to the connect page, by the one key that can, whose policy names people alone."""
_BOUNDED: Final = "*tachRolePolicy CreateRole DeleteRolePolicy PutRole*"
"""What IAM compares a role's boundary for; each pattern stands for two actions:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html"""
_ROLES: Final = (
    "DeleteRole GetRole* ListAttachedRolePolicies ListInstanceProfilesForRole ListRole* TagRole UntagRole "
    "UpdateAssumeRolePolicy UpdateRole*"
)
_POLICIES: Final = "CreatePolicy* DeletePolicy* GetPolicy* ListPolicyTags ListPolicyVersions TagPolicy UntagPolicy"


def people_trust(principals: Sequence[str]) -> Document:
    """`principals` are ARNs of users and roles."""
    return document(
        {
            "Sid": "DeployersOfTheCell",
            "Effect": "Allow",
            "Principal": {"AWS": list(principals)},
            "Action": "sts:AssumeRole",
        }
    )


def people_limit(names: CellNames, project: str) -> Document:
    """Fits a managed policy, which holds 6,144 characters: hence names by patterns, and whole services on them. So is
    each ARN's partition: an account's id is of one, whose credentials no other takes.

    `project` is the Pulumi project of the cell's stacks. A person stores admin keys and customers' keys,
    and reads no value: that is denied, since a person changes policies that could allow it.
    """
    names = replace(names, partition="*")
    return document(
        allow("Looks", _LOOKS, ["*"]),
        allow("Parts", [f"{service}:*" for service in _SERVICES], _parts(names)),
        # The keys' own policies name the secrets.
        allow(
            "KeysThroughSecretsManager",
            actions("kms", "Decrypt GenerateDataKey"),
            [any_key(names)],
            {
                "StringEquals": {
                    "kms:ViaService": f"secretsmanager.{names.region}.amazonaws.com",
                    f"aws:ResourceTag/{TAG_CELL}": names.cell,
                }
            },
        ),
        *_keys(names),
        *_iam(names),
        *_state(names, project),
        {
            "Sid": "NeverAValue",
            "Effect": "Deny",
            "Action": ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue", "sts:*"],
            "Resource": "*",
        },
    )


_SERVICES: Final = ("cloudwatch", "events", "lambda", "logs", "s3", "secretsmanager", "sns", "sqs")


def _parts(names: CellNames) -> list[str]:
    """An action applies to resources of its own service alone."""
    named = f"myflux-{names.cell}-*"
    resources = {
        # Alarms, and dashboards, whose ARNs have no Region.
        "cloudwatch": f"*{named}",
        "events": f"rule/{named}",
        "lambda": f"function:{named}",
        "logs": f"log-group:/aws/lambda/{named}",
        "sns": named,
        "sqs": named,
    }
    parts = [f"arn:*:{service}:*:{names.account_id}:{resource}" for service, resource in resources.items()]
    buckets = [f"arn:*:s3:::{bucket}*" for bucket in (names.connect_bucket, names.health_bucket)]
    return [*parts, *buckets, *_secrets(names)]


def _secrets(names: CellNames) -> list[str]:
    """A secret's ARN has no random suffix before it is created."""
    folders = ("myflux", "myflux-admin")
    return [f"arn:*:secretsmanager:*:{names.account_id}:secret:{folder}/{names.cell}/*" for folder in folders]


def _keys(names: CellNames) -> list[Statement]:
    """The cell's keys by their tag, without that of the state: who deploys cannot end what holds the state, and no
    tenant's key becomes one that is used without Secrets Manager."""
    of_a_key = f"aws:ResourceTag/{TAG_CELL}"
    not_the_states = {"StringNotEquals": {f"aws:ResourceTag/{TAG_PURPOSE}": STATE}}
    never_the_states = {f"aws:{tags}/{TAG_PURPOSE}": STATE for tags in ("RequestTag", "ResourceTag")}
    asked = {"StringEquals": {f"aws:RequestTag/{TAG_CELL}": names.cell}}
    held = {"StringEquals": {of_a_key: names.cell}}
    # The last is what connect needs. The state's key has such a name too, which nobody moves without right to the key.
    aliases = [names.kms_alias, f"{names.kms_alias}/*", f"alias/myflux-*/{names.cell}"]
    return [
        allow("NewKeys", ["kms:CreateKey"], ["*"], asked),
        # A key that is being made has no tag yet. One of another cell never becomes this one's by its tag.
        allow(
            "TaggedKeys",
            ["kms:TagResource"],
            [any_key(names)],
            asked | {"Null": {of_a_key: "true"}, "StringNotEquals": never_the_states},
        ),
        allow("Keys", actions("kms", _GOVERN_KEYS), [any_key(names)], held | {"StringNotEquals": never_the_states}),
        allow(
            "NamesOfKeys",
            ["kms:*Alias"],
            [any_key(names), *(_alias_arn(names, one) for one in aliases)],
            not_the_states,
        ),
    ]


def _iam(names: CellNames) -> list[Statement]:
    """Roles only with one of two boundaries, neither of which the person can change.

    Names of a cell `prod-eu1` begin as those of a cell `prod` do. A person who could change the limits of `prod-eu1`
    would be an administrator by them.
    """
    roles = [names.role_arn(f"myflux-{names.cell}{end}") for end in ("-*", "_*")]
    limits = [names.policy_arn(one) for one in (names.boundary_policy, names.people_role)]
    all_of_them = f"myflux-{names.cell}-*"
    return [
        allow(
            "RolesWithABoundary", actions("iam", _BOUNDED), roles, {"StringLike": {"iam:PermissionsBoundary": limits}}
        ),
        allow("Roles", actions("iam", _ROLES), roles),
        allow(
            "RolesForFunctions",
            ["iam:PassRole"],
            roles[:1],
            {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
        ),
        allow("Policies", actions("iam", _POLICIES), [names.policy_arn(f"myflux-{names.cell}-*")]),
        {
            "Sid": "NeverTheLimits",
            "Effect": "Deny",
            "NotAction": ["iam:Get*", "iam:List*"],
            "Resource": [
                names.policy_arn(f"{all_of_them}boundary"),
                names.policy_arn(f"{all_of_them}people"),
                names.role_arn(f"{all_of_them}people"),
            ],
        },
    ]


def _state(names: CellNames, project: str) -> list[Statement]:
    """The bucket is the cell's own. What `bootstrap` keeps there is another project's."""
    bucket = f"arn:{names.partition}:s3:::{names.state_bucket}"
    files = [
        f"{bucket}/.pulumi/{folder}{project}/*" for folder in ("stacks/", "locks/organization/", "history/", "backups/")
    ]
    held = {f"aws:ResourceTag/{TAG_CELL}": names.cell, f"aws:ResourceTag/{TAG_PURPOSE}": STATE}
    return [
        allow("StateBucket", actions("s3", "GetBucket* GetEncryptionConfiguration ListBucket"), [bucket]),
        allow("State", actions("s3", "DeleteObject GetObject PutObject"), [*files, f"{bucket}/.pulumi/meta.yaml"]),
        allow(
            "SecretsInState", actions("kms", "Decrypt DescribeKey Encrypt"), [any_key(names)], {"StringEquals": held}
        ),
    ]


def _alias_arn(names: CellNames, alias: str) -> str:
    return f"arn:{names.partition}:kms:{names.region}:{names.account_id}:{alias}"
