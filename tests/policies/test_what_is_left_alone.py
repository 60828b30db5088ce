"""What is not ours is left alone, whatever it is called.

MyFlux has other systems than MyFlux Keys, whose names begin with `myflux` too. Each case has its opposite beside it:
the same thing with a name or a tag of ours.
"""

# ruff: noqa: E501 - tables

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import FUNCTIONS
from policies.guardrails import ownership
from policies.guardrails.config import Config
from policies.guardrails.model import Resource
from tests.policies.rehearsed import document, findings, judge, resource, stack

LAMBDA_TRUST = document(
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
)
EVERYBODY = document({"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"})
TAGGED = {"managed-by": "myflux-keys"}
SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:"
QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:"
ASYNC = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"


def allows(action: Any, on: Any = "*") -> str:
    return document({"Effect": "Allow", "Action": action, "Resource": on})


FOREIGN: dict[str, Resource] = {
    "a role": resource("aws:iam/role:Role", name="myflux-dashboard", assumeRolePolicy=LAMBDA_TRUST),
    "a role by prefix": resource("aws:iam/role:Role", namePrefix="myflux-dashboard-", assumeRolePolicy=LAMBDA_TRUST),
    "a queue": resource("aws:sqs/queue:Queue", name="myflux-calls", sqsManagedSseEnabled=False, policy=EVERYBODY),
    "a queue's policy": resource(
        "aws:sqs/queuePolicy:QueuePolicy",
        queueUrl="https://sqs.us-east-1.amazonaws.com/000000000000/myflux-calls",
        policy=EVERYBODY,
    ),
    "a topic": resource("aws:sns/topic:Topic", name="myflux-calls"),
    "a secret": resource("aws:secretsmanager/secret:Secret", name="myflux/database", recoveryWindowInDays=0),
    "a secret's version": resource(
        "aws:secretsmanager/secretVersion:SecretVersion", secretId=f"{SECRET}myflux/database-AbCdEf", secretString="x"
    ),
    "a secret's policy": resource(
        "aws:secretsmanager/secretPolicy:SecretPolicy",
        secretArn=f"{SECRET}myflux/database-AbCdEf",
        policy=document({"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*"}),
    ),
    "a rotation": resource(
        "aws:secretsmanager/secretRotation:SecretRotation",
        secretId=f"{SECRET}myflux/database-AbCdEf",
        rotationLambdaArn="arn:aws:lambda:us-east-1:000000000000:function:myflux-database",
        rotationRules={"automaticallyAfterDays": 30},
    ),
    "a KMS key": resource(
        "aws:kms/key:Key",
        description="the database's",
        policy=document(
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
                "Action": "kms:*",
                "Resource": "*",
                "Condition": {"StringLike": {"kms:EncryptionContext:SecretARN": f"{SECRET}myflux/database-*"}},
            }
        ),
    ),
    "a KMS grant": resource("aws:kms/grant:Grant", keyId="alias/myflux-database", granteePrincipal="x"),
    "an alias": resource("aws:kms/alias:Alias", name="alias/myflux-database", targetKeyId="x"),
    "a function": resource(
        "aws:lambda/function:Function", name="myflux-dashboard", role="arn:aws:iam::000000000000:role/myflux-dashboard"
    ),
    "a function's URL": resource("aws:lambda/functionUrl:FunctionUrl", functionName="myflux-dashboard"),
    "a function's call": resource(
        "aws:lambda/invocation:Invocation", functionName="myflux-dashboard", input='{"queue": "myflux-calls"}'
    ),
    "a function's destination": resource(
        ASYNC,
        functionName="myflux-dashboard",
        destinationConfig={"onSuccess": {"destination": f"{QUEUE_ARN}myflux-calls"}},
    ),
    "a target in another account": resource(
        "aws:cloudwatch/eventTarget:EventTarget",
        rule="myflux-calls",
        arn="arn:aws:sqs:eu-west-1:999999999999:myflux-calls",
    ),
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN.keys())
def test_what_only_sounds_like_ours_is_left_alone(foreign: Resource) -> None:
    for name in ("local", "acme.local"):
        assert judge((*stack(name), foreign)) == []


OURS: dict[str, Resource] = {
    "a role": resource("aws:iam/role:Role", name="myflux-local-runtime", assumeRolePolicy=LAMBDA_TRUST),
    "a role by its tag": resource("aws:iam/role:Role", name="x", tags=TAGGED, assumeRolePolicy=LAMBDA_TRUST),
    "a dedicated role by prefix": resource(
        "aws:iam/role:Role", namePrefix="myflux-local_a", assumeRolePolicy=LAMBDA_TRUST
    ),
    "a queue": resource("aws:sqs/queue:Queue", name="myflux-prod-eu1-dead-letters"),
    "a queue by its tag": resource("aws:sqs/queue:Queue", name="calls", tags=TAGGED),
    "a queue's policy": replace(
        FOREIGN["a queue's policy"],
        properties={
            "queueUrl": "https://sqs.us-east-1.amazonaws.com/000000000000/myflux-local-dead-letters",
            "policy": EVERYBODY,
        },
    ),
    "a secret": resource("aws:secretsmanager/secret:Secret", name="myflux/local/globex/openai"),
    "a customer's admin secret": resource("aws:secretsmanager/secret:Secret", name="myflux-admin/local/acme/openai"),
    "a secret's version": resource(
        "aws:secretsmanager/secretVersion:SecretVersion",
        secretId=f"{SECRET}myflux/local/acme/openai-AbCdEf",
        secretString="x",
    ),
    "a KMS grant": resource("aws:kms/grant:Grant", keyId="alias/myflux/local", granteePrincipal="x"),
    "a function": resource("aws:lambda/function:Function", name="myflux-prod-eu1-sweep"),
    "a function's URL": resource("aws:lambda/functionUrl:FunctionUrl", functionName="myflux-local-admin-rotator"),
    "a target in another account": resource(
        "aws:cloudwatch/eventTarget:EventTarget",
        rule="x",
        arn="arn:aws:sns:us-east-1:999999999999:myflux-local-alarms",
    ),
}


@pytest.mark.parametrize("ours", OURS.values(), ids=OURS.keys())
def test_what_has_a_name_or_a_tag_of_ours_is_judged(ours: Resource) -> None:
    assert ours.urn in {one.urn for one in judge((*stack("local"), ours))}


def test_each_name_of_the_program_is_a_name_of_ours() -> None:
    for cell, tenant in (("local", "acme"), ("prod-eu1", "a-b-3"), ("abcdefghij0123456789", "x" * 32)):
        names = CellNames(cell, "111122223333", "eu-central-1")
        of_tenant = names.tenant(tenant)
        given = {
            names.admin_secret, names.kms_alias, names.runtime_role, names.deployer_role, names.deployer_looks_policy,
            names.boundary_policy, names.read_policy, names.dead_letter_queue, names.alarm_topic, *names.rules,
            *(names.function(one) for one in FUNCTIONS), *(names.log_group(names.function(one)) for one in FUNCTIONS),
            of_tenant.secret, of_tenant.admin_secret, of_tenant.dedicated_role, of_tenant.dedicated_kms_alias,
        }  # fmt: skip
        assert {name for name in given if not ownership.named_like_ours(name)} == set()
        arns = {
            names.runtime_role_arn, names.rotation_function_arn, names.policy_arn(names.read_policy),
            *names.secrets_arn_patterns, of_tenant.secret_arn_pattern, of_tenant.dedicated_role_arn,
        }  # fmt: skip
        assert {arn for arn in arns if not ownership.names_ours(arn)} == set()


# The other team's own things, by what AWS's pages recommend: "-??????" ends a secret's ARN exactly.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html
ANOTHER_TEAMS: dict[str, tuple[str, str]] = {
    "reads its secret": ("tenant-secrets-read-by-ours-alone", allows("secretsmanager:GetSecretValue", f"{SECRET}myflux/database-??????")),
    "looks at everything": ("own-roles-narrow", allows(["secretsmanager:ListSecrets", "secretsmanager:DescribeSecret", "lambda:GetFunction", "iam:GetRole", "kms:DescribeKey"])),
    "reads in a batch": ("tenant-secrets-read-by-ours-alone", document(
        {"Effect": "Allow", "Action": ["secretsmanager:BatchGetSecretValue", "secretsmanager:ListSecrets"], "Resource": "*"},
        {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": f"{SECRET}prod/db-??????"})),
    "changes its secret": ("secrets-changed-by-ours-alone", allows("secretsmanager:*", f"{SECRET}myflux/database-??????")),
    "changes its role": ("roles-and-functions-not-taken-over", allows("iam:PutRolePolicy", "arn:aws:iam::000000000000:role/myflux-dashboard")),
    "changes its function": ("roles-and-functions-not-taken-over", allows("lambda:UpdateFunctionCode", "arn:aws:lambda:us-east-1:000000000000:function:myflux-dashboard")),
    "calls its function": ("roles-and-functions-not-taken-over", allows("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:000000000000:function:myflux-dashboard:*")),
    "sets its rule": ("roles-and-functions-not-taken-over", allows("events:Put*", "arn:aws:events:us-east-1:000000000000:rule/myflux-dashboard")),
    "governs its KMS key": ("roles-and-functions-not-taken-over", allows("kms:*", "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab")),
    "governs KMS keys with its tag": ("roles-and-functions-not-taken-over", document(
        {"Effect": "Allow", "Action": "kms:PutKeyPolicy", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/team": "dashboard"}}})),
    "looks at KMS keys": ("roles-and-functions-not-taken-over", allows(["kms:DescribeKey", "kms:Get*", "kms:List*"])),
    "looks at functions": ("roles-and-functions-not-taken-over", allows(["lambda:Get*", "lambda:List*"])),
    "passes its role": ("roles-passed-to-lambda-alone", allows("iam:PassRole", "arn:aws:iam::000000000000:role/myflux-dashboard")),
}  # fmt: skip
WIDER: dict[str, tuple[str, str]] = {
    "reads every secret of myflux": ("tenant-secrets-read-by-ours-alone", allows("secretsmanager:GetSecretValue", f"{SECRET}myflux/*")),
    "reads a cell's": ("tenant-secrets-read-by-ours-alone", allows("secretsmanager:GetSecretValue", f"{SECRET}myflux/local/*")),
    "reads one": ("tenant-secrets-read-by-ours-alone", allows("secretsmanager:GetSecretValue", f"{SECRET}myflux/local/acme/openai-??????")),
    "reads in a batch": ("tenant-secrets-read-by-ours-alone", allows(["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"])),
    "reads a customer's admin key": ("admin-key-read-by-functions-alone", allows("secretsmanager:GetSecretValue", f"{SECRET}myflux-admin/local/acme/*")),
    "changes secrets": ("secrets-changed-by-ours-alone", allows("secretsmanager:Tag*", f"{SECRET}myflux*")),
    "changes roles": ("roles-and-functions-not-taken-over", allows("iam:Put*", "arn:aws:iam::*:role/myflux-*")),
    "changes a dedicated role": ("roles-and-functions-not-taken-over", allows("iam:PutRolePolicy", "arn:aws:iam::*:role/myflux-local_acme")),
    "changes a version of a function": ("roles-and-functions-not-taken-over", allows("lambda:AddPermission", "arn:aws:lambda:*:*:function:myflux-local-sweep:1")),
    "changes our policy": ("roles-and-functions-not-taken-over", allows("iam:CreatePolicyVersion", "arn:aws:iam::000000000000:policy/myflux-local-boundary")),
    "deletes a role": ("roles-and-functions-not-taken-over", allows("iam:DeleteRole", "arn:aws:iam::000000000000:role/myflux-local-runtime")),
    "calls a function": ("roles-and-functions-not-taken-over", allows("lambda:Invoke*", "arn:aws:lambda:*:*:function:myflux-*")),
    "sets a rule's input": ("roles-and-functions-not-taken-over", allows("events:PutTargets", "arn:aws:events:us-east-1:000000000000:rule/myflux-local-admin-tidy")),
    "governs every KMS key": ("roles-and-functions-not-taken-over", allows("kms:ScheduleKeyDeletion", "arn:aws:kms:*:000000000000:key/*")),
    "passes a role": ("roles-passed-to-lambda-alone", allows("iam:PassRole", "arn:aws:iam::000000000000:role/myflux-local-sweep")),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "policy"), ANOTHER_TEAMS.values(), ids=ANOTHER_TEAMS.keys())
def test_another_teams_role_may_do_what_reaches_nothing_of_ours(rule: str, policy: str) -> None:
    held = resource("aws:iam/rolePolicy:RolePolicy", role="myflux-dashboard", policy=policy)
    assert findings(rule, [held]) == []
    assert judge([held]) == []


@pytest.mark.parametrize(("rule", "policy"), WIDER.values(), ids=WIDER.keys())
def test_another_teams_role_may_not_reach_ours(rule: str, policy: str) -> None:
    held = resource("aws:iam/rolePolicy:RolePolicy", role="myflux-dashboard", policy=policy)
    assert [one.kind for one in findings(rule, [held])] == ["violation"]


@pytest.mark.parametrize(
    "name", ["myflux-x_y-read", "myflux-X-boundary", "myflux--read", "myflux-dashboard.1-boundary"]
)
def test_a_policy_that_only_begins_and_ends_like_ours_is_judged_as_anybodys(name: str) -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: a name may have _, ., +, =, @, capitals.
    reads = allows("secretsmanager:GetSecretValue")
    (found,) = findings(
        "tenant-secrets-read-by-ours-alone", [resource("aws:iam/policy:Policy", name=name, policy=reads)]
    )
    assert found.kind == "violation"


def test_only_the_deployer_itself_has_a_deployers_rights() -> None:
    config = Config(deployers=("arn:aws:iam::000000000000:user/deployer", "arn:aws:iam::000000000000:role/ci/build"))
    governs = allows("secretsmanager:TagResource")
    held = {
        "aws:iam/userPolicy:UserPolicy": {"user": "deployer"},
        "aws:iam/rolePolicy:RolePolicy": {"role": "build"},
    }
    others = {
        "aws:iam/userPolicy:UserPolicy": {"user": "build"},
        "aws:iam/rolePolicy:RolePolicy": {"role": "deployer"},
        "aws:iam/groupPolicy:GroupPolicy": {"group": "deployer"},
    }
    for type_, of in held.items():
        assert judge([resource(type_, policy=governs, **of)], config) == [], type_
    for type_, of in others.items():
        assert findings("secrets-changed-by-ours-alone", [resource(type_, policy=governs, **of)], config), type_
