"""Each rule: what it lets pass, what it refuses, and what it says of what is not known yet."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from policies.guardrails.config import Config
from policies.guardrails.judge import RULES
from policies.guardrails.model import UNKNOWN, Resource
from tests.policies import intakes
from tests.policies.federated import boundarys
from tests.policies.rehearsed import STACKS, changed, document, edited, findings, judge, resource, stack, without

Stack = tuple[Resource, ...]
PLATFORM, ACME, FJORD, GLOBEX = "local", "acme.local", "fjord.local", "globex.local"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
INLINE = "aws:iam/userPolicy:UserPolicy"
TAG = "aws:secretsmanager/tag:Tag"
ALARM = "local-rotation-errors"
LOGS_SENT = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"


def user_policy(action: Any, on: Any = "*") -> Resource:
    statement = {"Effect": "Allow", "Action": action, "Resource": on}
    return resource(INLINE, user="intern", policy=document(statement))


def extra(made: Resource) -> Callable[[Stack], Stack]:
    return lambda stack: (*stack, made)


def sets(name: str, /, **properties: Any) -> Callable[[Stack], Stack]:
    return lambda stack: changed(stack, name, **properties)


def hides(name: str, /, **properties: Any) -> Callable[[Stack], Stack]:
    """Unknown, and from nowhere in this stack."""

    def hide(stack: Stack) -> Stack:
        return tuple(
            replace(one, property_dependencies=dict.fromkeys(one.properties, frozenset())) if one.name == name else one
            for one in changed(stack, name, **properties)
        )

    return hide


def outputs(name: str, /, **answered: Any) -> Callable[[Stack], Stack]:
    return lambda stack: tuple(
        replace(one, outputs={**one.outputs, **answered}) if one.name == name else one for one in stack
    )


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
CASES: list[tuple[str, str, Callable[[Stack], Stack], Callable[[Stack], Stack]]] = [
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
    ("secret-rotates", ACME, drops("acme-rotation"), hides("acme-rotation", secretId=UNKNOWN)),
    ("rotation-often-enough", ACME, sets("acme-rotation", rotationRules={"automaticallyAfterDays": 30}),
     sets("acme-rotation", rotationRules={"scheduleExpression": UNKNOWN})),
    ("first-rotation-at-once", ACME, sets("acme-rotation", rotateImmediately=False),
     sets("acme-rotation", rotateImmediately=UNKNOWN)),
    ("rotated-by-our-function", ACME, sets("acme-rotation", rotationLambdaArn="arn:aws:lambda:us-east-1:1:function:x"),
     sets("acme-rotation", rotationLambdaArn=UNKNOWN)),
    ("tenant-secrets-read-by-ours-alone", ACME, extra(user_policy("secretsmanager:Get*")), extra(FOREIGN_UNKNOWN)),
    ("admin-key-read-by-functions-alone", PLATFORM, extra(user_policy("SECRETSMANAGER:GETSECRETVALUE")), extra(FOREIGN_UNKNOWN)),
    ("secrets-changed-by-ours-alone", ACME, extra(user_policy("secretsmanager:TagResource")), extra(FOREIGN_UNKNOWN)),
    ("roles-and-functions-not-taken-over", ACME, extra(user_policy("lambda:UpdateFunctionCode")), extra(FOREIGN_UNKNOWN)),
    ("roles-passed-to-lambda-alone", ACME, extra(user_policy("iam:Pass*")), extra(FOREIGN_UNKNOWN)),
    ("own-documents-readable", PLATFORM, sets("local-boundary", policy="{"), sets("local-boundary", policy=UNKNOWN)),
    ("other-documents-readable", ACME, extra(resource(INLINE, user="intern", policy="{")), extra(FOREIGN_UNKNOWN)),
    ("own-roles-narrow", PLATFORM, edits("local-sweep-permissions", "policy", statement(0, Action="secretsmanager:*")),
     sets("local-sweep-permissions", policy=UNKNOWN)),
    ("runtime-reads-by-tag", PLATFORM, edits("local-runtime-read", "policy", lambda d: d["Statement"][0].pop("Condition")),
     sets("local-runtime-read", policy=UNKNOWN)),
    ("own-roles-bounded", PLATFORM, sets("local-sweep-role", permissionsBoundary=None),
     hides("local-sweep-role", permissionsBoundary=UNKNOWN)),
    ("policies-attached-where-they-belong", PLATFORM,
     sets("local-runtime-attachment", policyArn="arn:aws:iam::aws:policy/AdministratorAccess"),
     lambda s: tuple(o for o in changed(s, "local-runtime-attachment", policyArn=UNKNOWN) if o.name != "local-runtime-read")),
    ("trust-names-its-principals", PLATFORM,
     edits("local-runtime-role", "assumeRolePolicy", statement(0, Principal={"AWS": "*"})), sets("local-runtime-role", assumeRolePolicy=UNKNOWN)),
    ("trust-demands-the-tenant", PLATFORM,
     edits("local-runtime-role", "assumeRolePolicy", no_condition(0, "StringLike")), sets("local-runtime-role", assumeRolePolicy=UNKNOWN)),
    ("handover-by-a-second-factor", PLATFORM,
     edits("local-handover-role", "assumeRolePolicy", no_condition(0, "Bool")), sets("local-handover-role", assumeRolePolicy=UNKNOWN)),
    ("handover-in-ones-own-name", PLATFORM,
     edits("local-handover-role", "assumeRolePolicy", lambda d: d["Statement"].pop(1)), sets("local-handover-role", assumeRolePolicy=UNKNOWN)),
    ("handover-reads-current-pasted-keys", FJORD,
     edits("fjord-key-policy", "policy", lambda d: d["Statement"].pop(2)), sets("fjord-key-secret", tags=UNKNOWN)),
    ("handover-told", PLATFORM, sets("local-handover-used", state="ENABLED"), sets("local-handover-used", eventPattern=UNKNOWN)),
    ("tokens-for-ones-own-tenant", PLATFORM, boundarys(lambda one: one.pop("Condition")), sets("local-boundary", policy=UNKNOWN)),
    ("rules-match-the-runtime-alone", ACME, sets("acme-openai-invocation", input=json.dumps({"cell": "local", "federation": {}})),
     sets("acme-openai-invocation", input=UNKNOWN)),
    ("kms-key-used-through-secrets-manager", PLATFORM,
     edits("local-key-key", "policy", lambda d: d["Statement"][1]["Condition"]["StringEquals"].pop("kms:ViaService")),
     sets("local-key-key", policy=UNKNOWN)),
    ("kms-key-not-handed-on", PLATFORM, extra(resource("aws:kms/grant:Grant", keyId="alias/myflux/local")),
     extra(resource("aws:kms/grant:Grant", keyId=UNKNOWN))),
    ("kms-key-kept", PLATFORM, sets("local-key-key", enableKeyRotation=False), sets("local-key-key", enableKeyRotation=UNKNOWN)),
    ("functions-called-by-ours-alone", PLATFORM, sets("local-rotation-permission", sourceAccount=None),
     sets("local-rotation-permission", sourceAccount=UNKNOWN)),
    ("no-credential-in-state", ACME, extra(resource("aws:iam/accessKey:AccessKey", user="intern")),
     extra(resource("aws:iam/accessKey:AccessKey", user="intern", pgpKey=UNKNOWN))),
    ("logs-stay-in-the-account", PLATFORM,
     extra(resource(LOGS_SENT, logGroup="/aws/lambda/myflux-local-sweep", destinationArn="arn:aws:logs:us-east-1:999999999999:destination:x")),
     extra(resource(LOGS_SENT, logGroup=UNKNOWN, destinationArn="arn:aws:logs:us-east-1:999999999999:destination:x"))),
    ("calls-are-encrypted", PLATFORM, sets("local-aws", endpoints=[{"iam": "http://iam.amazonaws.com"}]),
     sets("local-aws", endpoints=UNKNOWN)),
    ("functions-runtime-is-supported", PLATFORM, sets("local-sweep-function", runtime="python3.8"),
     sets("local-sweep-function", runtime=UNKNOWN)),
    ("roles-run-our-functions-alone", PLATFORM,
     extra(resource("aws:lambda/function:Function", name="reports", role="arn:aws:iam::000000000000:role/myflux-local-sweep")),
     extra(resource("aws:lambda/function:Function", name="reports", role=UNKNOWN))),
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
    ("functions-look-by-the-clock", PLATFORM, drops("local-sweeping-target"), hides("local-sweeping-target", arn=UNKNOWN)),
    ("alarms-topic-closed", PLATFORM,
     edits("local-alarms-topic-policy", "policy", statement(0, Principal="*")), hides("local-alarms-topic-policy", policy=UNKNOWN)),
    ("declarations-closed", PLATFORM, drops("local-health-store-policy"), sets("local-health-store-policy", policy=UNKNOWN)),
    ("intake-closed", PLATFORM, intakes.without_policy(), intakes.with_policy(UNKNOWN)),
    ("functions-called-when-they-must", PLATFORM, drops("local-rotation-permission"),
     sets("local-sweeping-target", input=UNKNOWN)),
    ("functions-leave-a-trace", PLATFORM, edits("local-sweep-permissions", "policy", lambda d: [
        d["Statement"].remove(one) for one in list(d["Statement"]) if one["Sid"] == "WriteOwnLogs"]),
     sets("local-sweep-permissions", policy=UNKNOWN)),
    ("one-account-one-region", PLATFORM,
     sets("local-alarms-rotation-failed-target", arn="arn:aws:sns:us-east-1:999999999999:myflux-local-alarms"), hides("local-alarms-rotation-failed-target", arn=UNKNOWN)),
    ("secret-shuts-out-all-but-named", ACME, edits("acme-key-policy", "policy", lambda d: d["Statement"].pop(0)), sets("acme-key-policy", policy=UNKNOWN)),
    ("secret-denies-other-tenants", ACME, edits("acme-key-policy", "policy", lambda d: d["Statement"].pop(1)), sets("acme-key-policy", policy=UNKNOWN)),
    ("no-condition-that-passes-on-nothing", PLATFORM, edits("local-runtime-role", "assumeRolePolicy", lambda d: [
        d["Statement"][0]["Condition"].pop("Null"), d["Statement"][0]["Condition"].pop("StringLike")]), sets("local-runtime-role", assumeRolePolicy=UNKNOWN)),
    ("rotation-waits-for-the-lock", ACME,
     lambda s: tuple(replace(o, dependencies=frozenset(), property_dependencies={}) if o.name == "acme-rotation" else o for o in s),
     hides("acme-rotation", secretId=UNKNOWN)),
    ("no-key-in-outputs", ACME, outputs("acme-openai-invocation", result=json.dumps({"key": KEY})), outputs("acme", project_id=UNKNOWN)),
    ("ours-changed-by-its-own-resource", ACME,
     extra(resource(TAG, secretId="myflux/local/acme/openai", key="tenant", value="globex")), extra(resource(TAG, secretId=UNKNOWN))),
    ("tags-set-by-ours-alone", ACME, sets("local-aws", defaultTags=json.dumps({"tags": {"tenant": "globex"}})),
     sets("local-aws", defaultTags=UNKNOWN)),
    ("judged-properties-not-ignored", ACME,
     lambda s: tuple(replace(o, ignore_changes=("tags",)) if o.name == "acme-key-secret" else o for o in s),
     sets("acme-key-secret", name=UNKNOWN)),
    ("stack-of-one-tenant", ACME, sets("acme-key-secret", name="myflux/local/globex/openai"), sets("acme-key-secret", name=UNKNOWN)),
    ("dedicated-tenant-has-its-own", GLOBEX, sets("globex-key-secret", kmsKeyId="arn:aws:kms:us-east-1:000000000000:key/other"),
     hides("globex-key-secret", kmsKeyId=UNKNOWN)),
    # One that is protected shows that the others must be.
    ("production-is-protected", ACME, lambda s: tuple(replace(o, protect=o.name == "acme-key-secret") for o in s),
     hides("acme-key-secret", tags=UNKNOWN)),
]  # fmt: skip

TOLD_BY: Mapping[str, str] = {
    **dict.fromkeys(
        ("tenant-secrets-read-by-ours-alone", "admin-key-read-by-functions-alone", "secrets-changed-by-ours-alone",
         "roles-and-functions-not-taken-over", "roles-passed-to-lambda-alone"),
        "other-documents-readable",
    ),
    **dict.fromkeys(
        ("own-roles-narrow", "runtime-reads-by-tag", "trust-names-its-principals", "trust-demands-the-tenant",
         "handover-by-a-second-factor", "handover-in-ones-own-name", "tokens-for-ones-own-tenant",
         "no-condition-that-passes-on-nothing"),
        "own-documents-readable",
    ),
    "secret-shuts-out-all-but-named": "secret-has-its-policy",
    "secret-denies-other-tenants": "secret-has-its-policy",
    "rotation-waits-for-the-lock": "secret-rotates",
    "one-account-one-region": "failed-rotations-told",
    **dict.fromkeys(
        ("production-is-protected", "judged-properties-not-ignored", "stack-of-one-tenant"),
        "secret-name-and-tags-agree",
    ),
}  # fmt: skip
"""Rules about what something says, where it is for another rule to tell that nobody can read it: it is told once. The
first is the only advisory one: an unknown document of an identity that is not ours is judged at the update."""


THERE_AFTERWARDS = {"no-key-in-outputs"}
"""What does not exist before deployment is judged at the end of the update, when all of it is known."""


def ids(cases: list[Any]) -> list[str]:
    return [case[0] for case in cases]


@pytest.mark.parametrize(("rule", "name", "breaks", "_"), CASES, ids=ids(CASES))
def test_a_rule_passes_what_is_shipped_and_refuses_what_is_broken(rule: str, name: str, breaks: Any, _: Any) -> None:
    assert findings(rule, stack(name)) == []
    found = findings(rule, breaks(stack(name)))
    assert found, "what is broken must be found"
    assert all(one.kind == "violation" and one.urn and one.message for one in found), found


@pytest.mark.parametrize(("rule", "name", "_", "hidden"), CASES, ids=ids(CASES))
def test_a_rule_never_passes_what_it_cannot_see(rule: str, name: str, _: Any, hidden: Any) -> None:
    if rule in THERE_AFTERWARDS:
        assert findings(rule, hidden(stack(name))) == [], "otherwise no stack could ever be previewed"
        return
    found = findings(TOLD_BY.get(rule, rule), hidden(stack(name)))
    assert "unknown" in {one.kind for one in found}, found
    assert "cannot be judged before deployment" in {one.message for one in found}


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


def test_every_rule_has_a_pass_a_violation_and_an_unknown() -> None:
    # Untold, the first has nothing to compare with: test_what_the_files_say.py tells it, with the same three cases. The
    # second looks at types, which are always known: test_ways_around.py has its cases.
    elsewhere = {"tenant-gets-what-its-file-says", "resources-in-sight"}
    assert {case[0] for case in CASES} | elsewhere == {rule.name for rule in RULES}, "give each rule its row"
    levels = {rule.name: rule.level for rule in RULES}
    lax = {rule for rule, by in TOLD_BY.items() if levels[rule] == "mandatory" and levels[by] != "mandatory"}
    assert {TOLD_BY[rule] for rule in lax} == {"other-documents-readable"}, "what is ours is never only advised on"


LOCKS = [(ACME, "acme-key-policy"), ("globex.local", "globex-key-policy"), ("initech.local", "initech-key-policy"),
         (PLATFORM, "local-admin-key-policy")]  # fmt: skip


@pytest.mark.parametrize(("name", "lock"), LOCKS, ids=[lock for _, lock in LOCKS])
def test_a_secrets_policy_without_any_one_of_its_denials_is_refused(name: str, lock: str) -> None:
    (policy,) = [one for one in stack(name) if one.name == lock]
    sids = [one["Sid"] for one in json.loads(policy.text("policy"))["Statement"]]
    assert len(sids) > 2, "there were denials to take out"
    for sid in sids:

        def take_out(document: Any, sid: str = sid) -> None:
            document["Statement"] = [one for one in document["Statement"] if one["Sid"] != sid]

        found = judge(edited(stack(name), lock, "policy", take_out))
        assert policy.urn in {one.urn for one in found if one.kind == "violation"}, f"without {sid} nobody objects"


@pytest.mark.parametrize("deployed", [True, False], ids=["deployed", "first preview"])
@pytest.mark.parametrize("name", STACKS)
def test_the_shipped_program_passes_its_own_pack(name: str, deployed: bool) -> None:
    assert len(stack(name, deployed)) > 3, "there was something to judge"
    assert judge(stack(name, deployed)) == []


def test_an_arn_that_wraps_another_names_no_other_account() -> None:
    inner = "arn:aws:lambda:us-east-1:000000000000:function:myflux-local-sweep"
    outer = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{inner}/invocations"
    assert not findings("one-account-one-region", changed(stack(PLATFORM), "local-sweep-function", invokeArn=outer))
