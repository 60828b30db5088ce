"""Each rule: what it lets pass, what it refuses, and what it says of what is not known yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from policies.guardrails.config import Config
from policies.guardrails.judge import RULES
from policies.guardrails.model import UNKNOWN, Resource
from tests.policies.rehearsed import STACKS, changed, document, edited, findings, judge, resource, stack, without

Stack = tuple[Resource, ...]
PLATFORM, ACME, GLOBEX = "local", "acme.local", "globex.local"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
INLINE = "aws:iam/userPolicy:UserPolicy"
ALARM = "local-rotation-errors"


def user_policy(action: Any, on: Any = "*") -> Resource:
    statement = {"Effect": "Allow", "Action": action, "Resource": on}
    return resource(INLINE, user="intern", policy=document(statement))


def extra(made: Resource) -> Callable[[Stack], Stack]:
    return lambda stack: (*stack, made)


def sets(name: str, **properties: Any) -> Callable[[Stack], Stack]:
    return lambda stack: changed(stack, name, **properties)


def hides(name: str, **properties: Any) -> Callable[[Stack], Stack]:
    """Unknown, and from nowhere in this stack."""

    def hide(stack: Stack) -> Stack:
        return tuple(
            replace(one, property_dependencies={}) if one.name == name else one
            for one in changed(stack, name, **properties)
        )

    return hide


def edits(name: str, path: str, edit: Callable[[Any], Any]) -> Callable[[Stack], Stack]:
    return lambda stack: edited(stack, name, path, edit)


def drops(*names: str) -> Callable[[Stack], Stack]:
    return lambda stack: without(stack, *names)


def statement(place: int, **elements: Any) -> Callable[[Any], None]:
    def edit(document: Any) -> None:
        document["Statement"][place].update(elements)

    return edit


def no_condition(place: int, operator: str) -> Callable[[Any], None]:
    return lambda document: document["Statement"][place]["Condition"].pop(operator)


FOREIGN_UNKNOWN = resource(INLINE, user="intern", policy=UNKNOWN)
KEY = "sk-" + "proj-" + "a1B2" * 8

# The columns are what the rule is called, the stack, what breaks it, and what hides what it looks at.
# ruff: noqa: E501 - a table
CASES: list[tuple[str, str, Callable[[Stack], Stack], Callable[[Stack], Stack] | None]] = [
    ("no-secret-version", ACME, extra(resource(VERSION, secretId="myflux/local/acme/openai", secretString="x")),
     extra(resource(VERSION, secretId=UNKNOWN, secretString="x"))),
    ("no-key-in-properties", PLATFORM, sets("local-sweep-function", description=KEY),
     sets("local-sweep-function", environment=UNKNOWN)),
    ("secret-has-its-own-kms-key", ACME, sets("acme-key-secret", kmsKeyId=None), sets("acme-key-secret", kmsKeyId=UNKNOWN)),
    ("secret-can-be-restored", ACME, sets("acme-key-secret", recoveryWindowInDays=0),
     sets("acme-key-secret", recoveryWindowInDays=UNKNOWN)),
    ("secret-name-and-tags-agree", ACME,
     sets("acme-key-secret", tags={"tenant": "globex", "cell": "local", "managed-by": "myflux-keys"}),
     sets("acme-key-secret", tags=UNKNOWN)),
    ("role-tags-agree", PLATFORM, sets("local-runtime-role", tags={"tenant": "acme"}),
     sets("local-runtime-role", tags={"tenant": UNKNOWN})),
    ("secret-has-its-policy", ACME, drops("acme-key-policy"), sets("acme-key-policy", policy=UNKNOWN)),
    ("secret-rotates", ACME, drops("acme-rotation"), None),
    ("rotation-often-enough", ACME, sets("acme-rotation", rotationRules={"automaticallyAfterDays": 30}),
     sets("acme-rotation", rotationRules={"scheduleExpression": UNKNOWN})),
    ("first-rotation-at-once", ACME, sets("acme-rotation", rotateImmediately=False),
     sets("acme-rotation", rotateImmediately=UNKNOWN)),
    ("rotated-by-our-function", ACME, sets("acme-rotation", rotationLambdaArn="arn:aws:lambda:us-east-1:1:function:x"),
     sets("acme-rotation", rotationLambdaArn=UNKNOWN)),
    ("tenant-secrets-read-by-ours-alone", ACME, extra(user_policy("secretsmanager:Get*")), None),
    ("admin-key-read-by-functions-alone", PLATFORM, extra(user_policy("SECRETSMANAGER:GETSECRETVALUE")), None),
    ("secrets-changed-by-ours-alone", ACME, extra(user_policy("secretsmanager:TagResource")), None),
    ("roles-and-functions-not-taken-over", ACME, extra(user_policy("lambda:UpdateFunctionCode")), None),
    ("roles-passed-to-lambda-alone", ACME, extra(user_policy("iam:Pass*")), None),
    ("own-documents-readable", PLATFORM, sets("local-boundary", policy="{"), sets("local-boundary", policy=UNKNOWN)),
    ("other-documents-readable", ACME, extra(resource(INLINE, user="intern", policy="{")), extra(FOREIGN_UNKNOWN)),
    ("own-roles-narrow", PLATFORM, edits("local-sweep-permissions", "policy", statement(0, Action="secretsmanager:*")),
     None),
    ("runtime-reads-by-tag", PLATFORM, edits("local-runtime-read", "policy", lambda d: d["Statement"][0].pop("Condition")),
     None),
    ("own-roles-bounded", PLATFORM, sets("local-sweep-role", permissionsBoundary=None),
     hides("local-sweep-role", permissionsBoundary=UNKNOWN)),
    ("policies-attached-where-they-belong", PLATFORM,
     sets("local-runtime-attachment", policyArn="arn:aws:iam::aws:policy/AdministratorAccess"),
     lambda s: tuple(o for o in changed(s, "local-runtime-attachment", policyArn=UNKNOWN) if o.name != "local-runtime-read")),
    ("trust-names-its-principals", PLATFORM,
     edits("local-runtime-role", "assumeRolePolicy", statement(0, Principal={"AWS": "*"})), None),
    ("trust-demands-the-tenant", PLATFORM,
     edits("local-runtime-role", "assumeRolePolicy", no_condition(0, "StringLike")), None),
    ("kms-key-used-through-secrets-manager", PLATFORM,
     edits("local-key-key", "policy", lambda d: d["Statement"][1]["Condition"]["StringEquals"].pop("kms:ViaService")),
     sets("local-key-key", policy=UNKNOWN)),
    ("kms-key-not-handed-on", PLATFORM, extra(resource("aws:kms/grant:Grant", keyId="alias/myflux/local")),
     extra(resource("aws:kms/grant:Grant", keyId=UNKNOWN))),
    ("kms-key-kept", PLATFORM, sets("local-key-key", enableKeyRotation=False), sets("local-key-key", enableKeyRotation=UNKNOWN)),
    ("functions-called-by-ours-alone", PLATFORM, sets("local-rotation-permission", sourceAccount=None),
     sets("local-rotation-permission", sourceAccount=UNKNOWN)),
    ("functions-run-our-code", PLATFORM, sets("local-rotation-function", layers=["arn:aws:lambda:us-east-1:1:layer:x:1"]),
     sets("local-rotation-function", layers=UNKNOWN)),
    ("functions-environment-is-plain", PLATFORM,
     sets("local-rotation-function", environment={"variables": {"OPENAI_BASE_URL": "https://api.openai.com.evil.example/v1"}}),
     sets("local-rotation-function", environment={"variables": UNKNOWN})),
    ("functions-keep-their-logs", PLATFORM, sets("local-sweep-logs", retentionInDays=None),
     sets("local-sweep-logs", retentionInDays=UNKNOWN)),
    ("functions-are-bridled", PLATFORM, sets("local-sweep-function", deadLetterConfig=None),
     sets("local-sweep-function", reservedConcurrentExecutions=UNKNOWN)),
    ("projects-made-by-the-provisioner", ACME, sets("acme-openai-invocation", functionName="myflux-local-rotation"),
     sets("acme-openai-invocation", functionName=UNKNOWN)),
    ("alarms-ring", PLATFORM, drops(ALARM), sets(ALARM, threshold=UNKNOWN)),
    ("failed-rotations-told", PLATFORM, drops("local-alarms-rotation-failed-target"),
     hides("local-alarms-rotation-failed-target", arn=UNKNOWN)),
    ("functions-look-by-the-clock", PLATFORM, drops("local-sweeping-target"), None),
    ("alarms-topic-closed", PLATFORM,
     edits("local-alarms-topic-policy", "policy", statement(0, Principal="*")), None),
    ("functions-called-when-they-must", PLATFORM, drops("local-rotation-permission"),
     sets("local-sweeping-target", input=UNKNOWN)),
    ("functions-leave-a-trace", PLATFORM, edits("local-sweep-permissions", "policy", lambda d: [
        d["Statement"].remove(one) for one in list(d["Statement"]) if one["Sid"] == "WriteOwnLogs"]),
     sets("local-sweep-permissions", policy=UNKNOWN)),
    ("one-account-one-region", PLATFORM,
     sets("local-alarms-rotation-failed-target", arn="arn:aws:sns:us-east-1:999999999999:myflux-local-alarms"), None),
    ("secret-shuts-out-all-but-named", ACME, edits("acme-key-policy", "policy", lambda d: d["Statement"].pop(0)), None),
    ("secret-denies-other-tenants", ACME, edits("acme-key-policy", "policy", lambda d: d["Statement"].pop(1)), None),
    ("no-condition-that-passes-on-nothing", PLATFORM, edits("local-runtime-role", "assumeRolePolicy", lambda d: [
        d["Statement"][0]["Condition"].pop("Null"), d["Statement"][0]["Condition"].pop("StringLike")]), None),
]  # fmt: skip


def ids(cases: list[Any]) -> list[str]:
    return [case[0] for case in cases]


@pytest.mark.parametrize(("rule", "name", "breaks", "_"), CASES, ids=ids(CASES))
def test_a_rule_passes_what_is_shipped_and_refuses_what_is_broken(rule: str, name: str, breaks: Any, _: Any) -> None:
    assert findings(rule, stack(name)) == []
    found = findings(rule, breaks(stack(name)))
    assert found, "what is broken must be found"
    assert all(one.kind == "violation" and one.urn and one.message for one in found), found


UNKNOWNS = [case for case in CASES if case[3]]


@pytest.mark.parametrize(("rule", "name", "_", "hidden"), UNKNOWNS, ids=ids(UNKNOWNS))
def test_a_rule_never_passes_what_it_cannot_see(rule: str, name: str, _: Any, hidden: Any) -> None:
    found = findings(rule, hidden(stack(name)))
    assert "unknown" in {one.kind for one in found}, found
    assert "cannot be judged before deployment" in {one.message for one in found}


def test_a_rotation_that_does_not_wait_for_the_lock_is_found() -> None:
    alone = tuple(
        replace(one, dependencies=frozenset(), property_dependencies={}) if one.name == "acme-rotation" else one
        for one in stack(ACME)
    )
    assert findings("rotation-waits-for-the-lock", alone)
    assert not findings("rotation-waits-for-the-lock", stack(ACME))


def test_production_is_protected_by_configuration_and_by_example() -> None:
    production = Config(production_cells=("local",))
    assert len(findings("production-is-protected", stack(PLATFORM), production)) == 2, "the KMS key and the secret"
    assert not findings("production-is-protected", stack(PLATFORM)), "the local cell is none"
    half = tuple(replace(one, protect=one.name == "acme-key-secret") for one in stack(ACME))
    assert [one.urn.rpartition("::")[2] for one in findings("production-is-protected", half)] == [
        "acme-openai-invocation"
    ], "one that is protected shows that the others must be"


def test_a_session_is_short_and_the_alarms_topic_takes_events() -> None:
    assert findings("own-roles-bounded", changed(stack(PLATFORM), "local-runtime-role", maxSessionDuration=43_200))
    assert findings("alarms-topic-closed", without(stack(PLATFORM), "local-alarms-topic-policy"))


def test_every_rule_has_its_case() -> None:
    told = {case[0] for case in CASES} | {"rotation-waits-for-the-lock", "production-is-protected"}
    told |= {"tenant-gets-what-its-file-says"}
    assert {rule.name for rule in RULES} == told


@pytest.mark.parametrize("deployed", [True, False], ids=["deployed", "first preview"])
@pytest.mark.parametrize("name", STACKS)
def test_the_shipped_program_passes_its_own_pack(name: str, deployed: bool) -> None:
    assert len(stack(name, deployed)) > 3, "there was something to judge"
    assert judge(stack(name, deployed)) == []


def test_an_arn_that_wraps_another_names_no_other_account() -> None:
    inner = "arn:aws:lambda:us-east-1:000000000000:function:myflux-local-sweep"
    outer = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{inner}/invocations"
    assert not findings("one-account-one-region", changed(stack(PLATFORM), "local-sweep-function", invokeArn=outer))
