"""Who may become the hand-over role and what it reads, as pure functions that return dicts.

A person becomes it to paste one tenant's key into the dashboard of a consumer that has no API. Owns its trust and its
permissions. Leaves out the secrets' and keys' own policies (`resource`). Why like this: docs/adr/0042-handover.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from components.iam.identity import any_tenant
from components.iam.statements import Document, Statement, allow, decrypt_statement, document
from myflux_keys.aws_names import CellNames
from myflux_keys.consumers import PASTED
from myflux_keys.names import TAG_CELL, TAG_CONSUMERS, TAG_TENANT
from myflux_keys.version_labels import CURRENT


def handover_trust(principals: Sequence[str]) -> Document:
    """`principals` are ARNs of users and of people's roles. A session is for one tenant, as the runtime's is, and was
    begun with a second factor: without one aws:MultiFactorAuthPresent is absent for an access key, and Bool fails.

    A user's session has the user's name in AWS's records. Of whoever has a role's session already, AWS offers nothing
    to compare the name with: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
    """
    users = [arn for arn in principals if ":user/" in arn]
    own_name: Statement = {
        "Sid": "UsersBearTheirOwnName",
        "Effect": "Deny",
        "Principal": {"AWS": users},
        "Action": "sts:AssumeRole",
        "Condition": {"StringNotEquals": {"sts:RoleSessionName": "${aws:username}"}},
    }
    return document(
        {
            "Sid": "PeopleWithASecondFactor",
            "Effect": "Allow",
            "Principal": {"AWS": list(principals)},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {
                **any_tenant(),
                "Bool": {"aws:MultiFactorAuthPresent": "true"},
                # Null refuses a session without the tag, for which the set operator below is true.
                "Null": {f"aws:RequestTag/{TAG_TENANT}": "false"},
                "ForAllValues:StringEquals": {"aws:TagKeys": [TAG_TENANT]},
            },
        },
        *([own_name] if users else []),
    )


def handover_read(names: CellNames) -> Document:
    """ABAC, as the runtime's, and only the current key, and only where a person serves a consumer.

    A request that names no stage has no secretsmanager:VersionStage, though AWS answers it with the current version:
    who reads must name it. https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
    """
    own_secret = names.tenant("${aws:PrincipalTag/" + TAG_TENANT + "}").secret_arn_pattern
    return document(
        allow(
            "ReadCurrentKeyOfOwnTenant",
            "secretsmanager:GetSecretValue",
            [own_secret],
            {
                "StringEquals": {
                    f"secretsmanager:ResourceTag/{TAG_TENANT}": "${aws:PrincipalTag/" + TAG_TENANT + "}",
                    f"secretsmanager:ResourceTag/{TAG_CELL}": names.cell,
                    "secretsmanager:VersionStage": CURRENT,
                },
                "StringLike": {f"secretsmanager:ResourceTag/{TAG_CONSUMERS}": pasted_tags()},
            },
        ),
        decrypt_statement(names, [own_secret]),
    )


def pasted_tags() -> list[str]:
    """Patterns of the tag of a secret that has a consumer for whom a person pastes: its words are divided by blanks."""
    return [f"{before}{name}{after}" for name in PASTED for before in ("", "* ") for after in ("", " *")]
