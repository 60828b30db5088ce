"""What each user of the local cell may do: pure JSON documents, no wildcard where AWS offers something narrower.

Owns the five users' identity policies, as in a real account: the deployer can create everything but read no value,
except by the hand-over role with a second factor, CI can only read, the runtime can only assume its role, the stranger
has the broad permissions of another team, and the administrator is the account's emergency user. Leaves out what the
deployer's consist of (`user_statements`), and the tenants' secrets' own resource policies.
"""

from __future__ import annotations

import json

from local.aws.iam.user_statements import (
    BUILD,
    BUILD_HEALTH,
    CONNECT,
    LOOK,
    ROLES,
    Statement,
    actions,
    allow,
    arns,
)

PERSON = "deployer"
"""The user with a second factor, by which they become the hand-over role."""

_HANDOVER = arns("iam", "role/myflux-*-handover", region="")

_NO_VALUES: Statement = {
    "Sid": "NeverAValue",
    "Effect": "Deny",
    "Action": ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"],
    "Resource": "*",
}
_NO_ROLES: Statement = {"Sid": "NeverARole", "Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"}
_ONE_ROLE: Statement = {
    "Sid": "NeverAnotherRole",
    "Effect": "Deny",
    "Action": "sts:AssumeRole",
    "NotResource": _HANDOVER,
}
_WITH_A_SECOND_FACTOR: Statement = {
    "Sid": "NeverByTheAccessKeyAlone",
    "Effect": "Deny",
    "Action": "sts:AssumeRole",
    "Resource": "*",
    "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
}
"""A user who may write a trust policy could allow itself to assume the role: these prevent that. BoolIfExists holds for
a request without the key, which is what a call by an access key alone is."""

_BECOME_RUNTIME = [allow("BecomeRuntime", actions("sts", "AssumeRole TagSession"), ROLES)]

_HAND_OVER = [
    allow("HandOver", actions("sts", "AssumeRole TagSession"), _HANDOVER),
    allow("OwnDevices", actions("iam", "ListMFADevices"), arns("iam", "user/${aws:username}", region="")),
]

_UNRELATED_TEAM = [
    allow("Secrets", ["secretsmanager:*"], ["*"]),
    allow("Keys", actions("kms", "Decrypt DescribeKey Encrypt GenerateDataKey ListAliases ListKeys"), ["*"]),
    allow("Roles", actions("sts", "AssumeRole TagSession"), ["*"]),
    allow("Own", ["dynamodb:*", "s3:*", "sns:*", "sqs:*"], ["*"]),
    allow("Look", ["iam:Get*", "iam:List*", "lambda:Get*", "lambda:List*"], ["*"]),
]

_EVERYTHING = [allow("Everything", ["*"], ["*"])]


def _document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


POLICIES = {
    PERSON: (
        _document(_NO_VALUES, _ONE_ROLE, _WITH_A_SECOND_FACTOR, *_HAND_OVER, *LOOK),
        _document(*BUILD),
        _document(*BUILD_HEALTH),
        _document(*CONNECT),
    ),
    "ci": (_document(_NO_VALUES, _NO_ROLES, *LOOK),),
    "runtime": (_document(*_BECOME_RUNTIME),),
    "stranger": (_document(*_UNRELATED_TEAM),),
    "administrator": (_document(*_EVERYTHING),),
}
"""By user name: JSON texts, each of which fits a managed policy."""
