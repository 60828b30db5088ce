"""The pack and a cell whose file names a pipeline: its role passes as it is made, and nothing wider does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from components.iam.deployer_permissions import NEVER
from ops.review.judging import config
from policies.guardrails import own_deployer
from policies.guardrails.config import Config
from policies.guardrails.model import UNKNOWN, Resource
from tests.policies.pipelines import MODES, Mode, cell_with_a_pipeline, with_a_pipeline
from tests.policies.rehearsed import STACKS, changed, document, edited, findings, judge, resource

ROLE, HELD, LOOKS, KEY = "local-deployer-role", "local-deployer-permissions", "local-deployer-looks", "local-key-key"
NARROW, TRUST, OPEN = "own-roles-narrow", "trust-names-its-principals", "no-condition-that-passes-on-nothing"
ISSUER = "token.actions.githubusercontent.com"
BROAD = "arn:aws:iam::aws:policy/ReadOnlyAccess"
Edit = Callable[[Any], Any]


@pytest.fixture(scope="module")
def platform() -> tuple[Resource, ...]:
    return with_a_pipeline("local", "everything")


def test_a_bootstrapped_cell_with_a_pipeline_of_tenants_and_connect_passes_the_pack() -> None:
    more = "bootstrapped: true\nconnect: {enabled: true}\n"
    told = config(cell_with_a_pipeline("tenants", more))
    for name in ("local", "initech.local"):
        resources = with_a_pipeline(name, "tenants", more=more)
        assert [*judge(resources), *judge(resources, told)] == [], name


@pytest.mark.parametrize("deployed", [True, False], ids=["deployed", "first preview"])
@pytest.mark.parametrize("mode", MODES)
def test_a_cell_with_a_pipeline_passes_the_pack(mode: Mode, deployed: bool) -> None:
    told = config(cell_with_a_pipeline(mode))
    for name in STACKS:
        resources = with_a_pipeline(name, mode, deployed)
        assert [*judge(resources), *judge(resources, told)] == [], f"{name} as it ships"
    assert ROLE in {one.name for one in with_a_pipeline("local", mode, deployed)}, "there was a pipeline to judge"


def of(action: str, edit: Edit) -> Edit:
    """Changes the statements that allow `action`."""

    def change(read: Any) -> None:
        found = [one for one in read["Statement"] if action in one["Action"] and one["Effect"] == "Allow"]
        assert found, f"nothing allows {action}"
        for one in found:
            edit(one)

    return change


def lacks(operator: str, key: str) -> Edit:
    return lambda statement: statement["Condition"][operator].pop(key)


def respelled(before: str, after: str) -> Edit:
    return lambda statement: statement["Condition"].update({after: statement["Condition"].pop(before)})


def on(*places: str) -> Edit:
    return lambda statement: statement.update(Resource=list(places))


def adds(action: str, place: str = "*") -> Edit:
    return lambda read: read["Statement"].append({"Effect": "Allow", "Action": action, "Resource": place})


def never_denied(read: Any) -> None:
    read["Statement"] = [one for one in read["Statement"] if one["Effect"] == "Allow"]


def denied_but_once(read: Any) -> None:
    (deny,) = [one for one in read["Statement"] if one["Effect"] == "Deny"]
    deny["Action"].remove("sts:AssumeRole")


def job(claim: str, value: Any) -> Edit:
    return lambda read: read["Statement"][0]["Condition"]["StringEquals"].update({f"{ISSUER}:{claim}": value})


def no_claim(claim: str) -> Edit:
    return lambda read: read["Statement"][0]["Condition"]["StringEquals"].pop(f"{ISSUER}:{claim}")


def trusts(**elements: Any) -> Edit:
    return lambda read: read["Statement"][0].update(elements)


BOUNDARY, OTHERS = "iam:PermissionsBoundary", "arn:aws:secretsmanager:us-east-1:000000000000:secret:myflux/other/*"
SUBJECT = "repo:myflux/keys:environment:local"
OWN = "arn:aws:iam::000000000000:role/myflux-local-deployer"
# ruff: noqa: E501 - a table
WIDER: dict[str, tuple[str, str, Edit]] = {
    "a value": (NARROW, HELD, adds("secretsmanager:GetSecretValue")),
    "a value by what it reads back": (NARROW, LOOKS, adds("secretsmanager:GetSecretValue")),
    "no deny of values": (NARROW, HELD, never_denied),
    "other roles not denied": (NARROW, HELD, denied_but_once),
    "any role passed": (NARROW, HELD, of("iam:PassRole", on("*"))),
    "any role passed, told twice": ("roles-passed-to-lambda-alone", HELD, of("iam:PassRole", on("*"))),
    "roles passed to anything": (NARROW, HELD, of("iam:PassRole", lacks("StringEquals", "iam:PassedToService"))),
    "roles made without the boundary": (NARROW, HELD, of("iam:CreateRole", lacks("StringEquals", BOUNDARY))),
    "roles made if there is a boundary": (NARROW, HELD, of("iam:CreateRole", respelled("StringEquals", "StringLike"))),
    "any policy attached": (NARROW, HELD, of("iam:AttachRolePolicy", lacks("StringEquals", "iam:PolicyARN"))),
    "its own role": (NARROW, HELD, adds("iam:UpdateAssumeRolePolicy", OWN)),
    "the boundary": (NARROW, HELD, adds("iam:DeleteRolePermissionsBoundary", OWN)),
    "another cell's secrets": (NARROW, HELD, of("secretsmanager:DeleteSecret", on(OTHERS))),
    "public policies": (NARROW, HELD, of("secretsmanager:PutResourcePolicy", lambda one: one.pop("Condition"))),
    "the key itself": (NARROW, HELD, of("kms:Decrypt", lacks("StringEquals", "kms:EncryptionContext:SecretVersionId"))),
    "another cell's queue beside other services": (NARROW, HELD, of("sqs:DeleteQueue", lambda one: one["Resource"].append(
        "arn:aws:sqs:us-east-1:000000000000:myflux-other-dead-letters"))),
    "a queue of any service": (NARROW, HELD, of("sqs:DeleteQueue", lambda one: one["Resource"].append(
        "arn:aws:*:us-east-1:000000000000:myflux-other-dead-letters"))),
    "a queue behind a star before another service": (NARROW, HELD, of("sqs:DeleteQueue", lambda one: one["Resource"].append(
        "arn:*:logs:us-east-1:000000000000:x:y"))),
    "a key's policy": (NARROW, HELD, adds("kms:PutKeyPolicy", "arn:aws:kms:us-east-1:000000000000:key/*")),
    "the platform's key gone where it decrypts": (NARROW, HELD, of("kms:Decrypt", lambda one: [
        one["Action"].append("kms:ScheduleKeyDeletion"),
        one["Condition"]["StringEquals"].update({"aws:ResourceTag/cell": "local"})])),
    "the platform's key gone": (NARROW, HELD, of("kms:ScheduleKeyDeletion", lambda one: one["Condition"].pop("StringNotEquals"))),
    "a key without a tag gone": (OPEN, HELD, of("kms:ScheduleKeyDeletion", lambda one: one["Condition"].pop("Null"))),
    "any function rotates": (NARROW, HELD, of("secretsmanager:RotateSecret", lambda one: one.pop("Condition"))),
    "another function rotates": (OPEN, HELD, of("secretsmanager:RotateSecret", lambda one: one["Condition"].update(
        StringEqualsIfExists={"secretsmanager:RotationLambdaARN": "arn:aws:lambda:us-east-1:000000000000:function:x"}))),
    "more than rotation if there is a function": (OPEN, HELD, of("secretsmanager:RotateSecret", lambda one: one["Action"].append(
        "secretsmanager:DeleteSecret"))),
    "another condition if it exists": (OPEN, HELD, of("iam:CreateRole", respelled("StringEquals", "StringEqualsIfExists"))),
    "a key outside Secrets Manager": (NARROW, LOOKS, adds("kms:Decrypt", "arn:aws:kms:us-east-1:000000000000:key/1234abcd")),
    "the stacks' state by what it reads back": (NARROW, LOOKS, adds("s3:GetObject", "arn:aws:s3:::myflux-state-local/*")),
    "a pattern of subjects": (TRUST, ROLE, job("sub", "repo:myflux/keys:*")),
    "a pattern of ids": (TRUST, ROLE, job("sub", "repo:myflux@*/keys@*:environment:local")),
    "a pattern of one id": (TRUST, ROLE, job("sub", "repo:myflux@1234567/keys@?:environment:local")),
    "the owner's id alone": (TRUST, ROLE, job("sub", "repo:myflux@1234567/keys:environment:local")),
    "the repository's id alone": (TRUST, ROLE, job("sub", "repo:myflux/keys@89012345:environment:local")),
    "an id that is none": (TRUST, ROLE, job("sub", "repo:myflux@1234567/keys@x:environment:local")),
    "a repository and nothing more": (TRUST, ROLE, job("sub", "repo:myflux@1234567/keys@89012345")),
    "every repository of an owner": (TRUST, ROLE, job("sub", "repository_owner:myflux")),
    "subjects that are alike": (TRUST, ROLE, lambda read: respelled("StringEquals", "StringLike")(read["Statement"][0])),
    "several subjects": (TRUST, ROLE, job("sub", [SUBJECT, "repo:myflux/keys:pull_request"])),
    "no subject": (TRUST, ROLE, no_claim("sub")),
    "no audience": (TRUST, ROLE, no_claim("aud")),
    "claims of another provider": (TRUST, ROLE, trusts(Principal={"Federated": "arn:aws:iam::1:oidc-provider/gitlab.com"})),
    "a provider of SAML": (TRUST, ROLE, trusts(Principal={"Federated": "arn:aws:iam::000000000000:saml-provider/x"})),
    "any provider": (TRUST, ROLE, trusts(Principal={"Federated": "*"})),
    "a user too": (TRUST, ROLE, trusts(Principal={"AWS": "arn:aws:iam::000000000000:user/x"})),
    "another way in": (TRUST, ROLE, trusts(Action=["sts:AssumeRoleWithWebIdentity", "sts:AssumeRole"])),
    "a key that decrypts for it": ("kms-key-used-through-secrets-manager", KEY, lambda read: [
        one["Condition"]["StringEquals"].pop("kms:EncryptionContext:SecretVersionId", None) for one in read["Statement"]
        if "Condition" in one]),
}  # fmt: skip


@pytest.mark.parametrize("wider", WIDER)
def test_what_is_wider_is_refused(platform: tuple[Resource, ...], wider: str) -> None:
    rule, name, edit = WIDER[wider]
    path = "assumeRolePolicy" if name == ROLE else "policy"
    found = findings(rule, edited(platform, name, path, edit))
    assert {(one.urn.rpartition("::")[2], one.kind) for one in found} == {(name, "violation")}, found


ANOTHERS = "arn:aws:s3:::myflux-connect-other-000000000000"
WIDER_ON_CONNECT: dict[str, Edit] = {
    "what customers handed in": adds("s3:GetObject", "arn:aws:s3:::myflux-connect-local-000000000000/*"),
    "a link": adds("kms:GenerateMac", "arn:aws:kms:us-east-1:000000000000:key/*"),
    "another cell's bucket": of("s3:GetBucketPolicy", lambda one: one["Resource"].append(ANOTHERS)),
    "another function": adds("lambda:GetFunction", "arn:aws:lambda:us-east-1:000000000000:function:myflux-local-rotation"),
    "another URL": of("lambda:GetFunctionUrlConfig", lambda one: one["Resource"].append(
        "arn:aws:lambda:us-east-1:000000000000:function:myflux-local-promoter")),
    "another policy": adds("iam:GetPolicyVersion", "arn:aws:iam::000000000000:policy/myflux-local-boundary"),
    "another rule": adds("events:DescribeRule", "arn:aws:events:us-east-1:000000000000:rule/myflux-local-sweep"),
}  # fmt: skip


@pytest.mark.parametrize("wider", WIDER_ON_CONNECT)
def test_a_pipeline_reads_of_connect_what_refresh_reads_and_no_more(wider: str) -> None:
    platform = with_a_pipeline("local", "tenants", more="connect: {enabled: true}\n")
    found = findings(NARROW, edited(platform, "local-deployer-connect", "policy", WIDER_ON_CONNECT[wider]))
    assert {(one.urn.rpartition("::")[2], one.kind) for one in found} == {("local-deployer-connect", "violation")}, (
        found
    )
    attached = changed(platform, "local-deployer-connect-attachment", role="myflux-local-runtime")
    assert findings("policies-attached-where-they-belong", attached)


NOT_A_TENANTS: dict[str, Edit] = {
    "a function's code": adds("lambda:UpdateFunctionCode", "arn:aws:lambda:us-east-1:000000000000:function:myflux-local-rotation"),
    "a role": adds("iam:UpdateRole", "arn:aws:iam::000000000000:role/myflux-local-runtime"),
    "a key": adds("kms:CreateKey"),
    "the cell's admin key": adds(
        "secretsmanager:UpdateSecret", "arn:aws:secretsmanager:us-east-1:000000000000:secret:myflux-admin/local/openai-??????"),
    "the admin key's function": adds("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:000000000000:function:myflux-local-admin-rotator"),
    "a deployment of everything": lambda read: read.update(json.loads(next(
        one for one in with_a_pipeline("local", "everything") if one.name == HELD).text("policy"))),
}  # fmt: skip


@pytest.mark.parametrize("more", NOT_A_TENANTS)
def test_a_pipeline_of_tenants_is_held_to_less_than_one_of_everything(more: str) -> None:
    tenants = with_a_pipeline("local", "tenants")
    found = findings(NARROW, edited(tenants, HELD, "policy", NOT_A_TENANTS[more]))
    assert {one.kind for one in found} == {"violation"}, found
    assert "a pipeline that deploys tenants" in found[0].message


def test_a_policys_name_says_which_unless_the_pack_is_told(platform: tuple[Resource, ...]) -> None:
    assert findings(NARROW, platform) == []
    assert findings(NARROW, platform, Config(tenants_pipelines=("other",))) == [], "another cell's"
    told = findings(NARROW, platform, Config(tenants_pipelines=("local",)))
    assert {one.kind for one in told} == {"violation"}, "the cell's file says tenants, whatever the program made of it"
    for name in ("tenants", "permissions", ""):
        assert findings(NARROW, changed(platform, HELD, name=name)), f"named {name!r} it is held to the narrower table"
    assert findings(OPEN, changed(platform, HELD, name="tenants")), "nor may another function than the tenants' rotate"
    (hidden,) = findings(NARROW, changed(platform, HELD, name=UNKNOWN))
    assert (hidden.kind, hidden.path) == ("unknown", "name"), "which of the two it may be, its name will say"
    worse = edited(changed(platform, HELD, name=UNKNOWN), HELD, "policy", adds("iam:CreateUser"))
    assert {one.kind for one in findings(NARROW, worse)} == {"violation"}, "no name makes up for this"
    narrower = changed(with_a_pipeline("local", "tenants"), HELD, name=UNKNOWN)
    assert findings(NARROW, narrower) == [], "it keeps to both"


def test_its_sessions_are_short_and_it_holds_its_own_documents_alone(platform: tuple[Resource, ...]) -> None:
    assert findings("own-roles-bounded", changed(platform, ROLE, maxSessionDuration=43_200))
    assert findings("role-tags-agree", changed(platform, ROLE, tags={"tenant": "acme"}))
    attached = "policies-attached-where-they-belong"
    assert findings(attached, changed(platform, "local-deployer-attachment", policyArn=BROAD))
    assert findings(attached, changed(platform, "local-deployer-attachment", role="intern"))
    assert findings(attached, changed(platform, "local-runtime-attachment", role="myflux-local-deployer"))


def test_it_governs_a_secret_and_neither_stores_nor_reads_one() -> None:
    def let_in(sid: str) -> Edit:
        def edit(read: Any) -> None:
            (found,) = [one for one in read["Statement"] if one["Sid"] == sid]
            (condition,) = found["Condition"].values()
            condition["aws:PrincipalArn"].append(OWN)

        return edit

    acme = with_a_pipeline("acme.local", "tenants")
    policy = next(one for one in acme if one.name == "acme-key-policy").text("policy")
    assert OWN in policy, "it governs"
    for sid in ("OnlyRuntimeAndFunctionsRead", "OnlyWritersFill"):
        found = findings("secret-shuts-out-all-but-named", edited(acme, "acme-key-policy", "policy", let_in(sid)))
        assert found, f"{sid} must not name a pipeline's role"
        assert "myflux-local-deployer" in found[0].message


def test_the_table_denies_what_the_program_denies() -> None:
    assert set(own_deployer.NEVER) == set(NEVER)
    lone = resource("aws:iam/rolePolicy:RolePolicy", role="myflux-local-deployer", policy=document(
        {"Effect": "Deny", "Action": list(NEVER), "Resource": "*"}))  # fmt: skip
    assert findings(NARROW, [lone]) == []
