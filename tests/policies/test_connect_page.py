"""A platform with connect passes the pack, and each way to open it wider does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tenancy
from ops.isolation import prove
from policies.guardrails.model import Resource
from tests.policies import intakes
from tests.policies.connected import connected
from tests.policies.rehearsed import changed, edited, findings, judge, registered, resource, stack

Stack = tuple[Resource, ...]
PAGE, PROMOTER = "myflux-local-connect", "myflux-local-promoter"
URL, PERMISSION = "aws:lambda/functionUrl:FunctionUrl", "aws:lambda/permission:Permission"
CALLED, KMS, OWN = "functions-called-by-ours-alone", "kms-key-used-through-secrets-manager", "own-roles-narrow"
PUBLIC = {"principal": "*", "function": PAGE}
BOTH = (
    resource(PERMISSION, "a", **PUBLIC, action="lambda:InvokeFunctionUrl", functionUrlAuthType="NONE"),
    resource(PERMISSION, "b", **PUBLIC, action="lambda:InvokeFunction", invokedViaFunctionUrl=True),
)


@pytest.fixture(scope="module")
def fleet() -> Iterator[Path]:
    with connected() as root:
        yield root


@pytest.fixture
def platform(fleet: Path) -> Stack:
    return stack("local", root=fleet)


@pytest.mark.parametrize("name", ["local", "acme.local", "globex.local", "initech.local"])
@pytest.mark.parametrize("deployed", [True, False])
def test_what_ships_passes(name: str, deployed: bool, fleet: Path) -> None:
    assert judge(stack(name, deployed, fleet)) == []


def test_the_page_needs_both_grants_and_no_more() -> None:
    url = resource(URL, "url", functionName=PAGE, authorizationType="NONE")
    assert findings(CALLED, [url, *BOTH]) == []
    for missing in BOTH:
        (found,) = findings(CALLED, [url, *(one for one in BOTH if one is not missing)])
        assert "403" in found.message, "AWS refuses, so nobody would see the page"


@pytest.mark.parametrize("other", ["myflux-local-promoter", "myflux-local-sweep", "myflux-local-rotation"])
def test_no_other_function_is_public(other: str) -> None:
    """F-18: neither by a URL, nor by the grants of one."""
    public = [resource(URL, "url", functionName=other, authorizationType="NONE")]
    grants = [changed((one,), one.name, function=other)[0] for one in BOTH]
    for found in (public, grants[:1], grants[1:]):
        assert findings(CALLED, found), found


@pytest.mark.parametrize(
    "grant",
    [
        {"action": "lambda:InvokeFunction"},
        {"action": "lambda:InvokeFunction", "invokedViaFunctionUrl": False},
        {"action": "lambda:*"},
        {"action": "lambda:InvokeFunctionUrl"},
        {"action": "lambda:InvokeFunctionUrl", "functionUrlAuthType": "AWS_IAM"},
        {"action": "lambda:UpdateFunctionCode"},
    ],
)
def test_nobody_invokes_the_page_but_through_its_url(grant: dict[str, Any]) -> None:
    assert findings(CALLED, [resource(PERMISSION, "p", **PUBLIC, **grant)])


def _names(sid: str, who: str) -> Callable[[Any], None]:
    def edit(policy: Any) -> None:
        found = next(one for one in policy["Statement"] if one["Sid"] == sid)
        found["Condition"]["StringEquals"]["aws:PrincipalArn"].append(f"arn:aws:iam::000000000000:role/{who}")

    return edit


def _adds(sid: str, action: str) -> Callable[[Any], None]:
    def edit(policy: Any) -> None:
        found = next(one for one in policy["Statement"] if one["Sid"] == sid)
        found["Action"] = [found["Action"], action]

    return edit


def _open(sid: str) -> Callable[[Any], None]:
    def edit(policy: Any) -> None:
        del next(one for one in policy["Statement"] if one["Sid"] == sid)["Condition"]

    return edit


SECRETS = "arn:aws:secretsmanager:us-east-1:000000000000:secret:myflux/local/*"
KEYS = "arn:aws:kms:us-east-1:000000000000:key/*"
BUCKET = "arn:aws:s3:::myflux-connect-local-000000000000"
INTAKE, LINK = "local-intake-key-key", "local-intake-link-key-key"


@pytest.mark.parametrize(
    ("key", "edit"),
    [
        (INTAKE, _names("ThePromoterDecrypts", PAGE)),
        (INTAKE, _names("ThePageEncrypts", PROMOTER)),
        (INTAKE, _names("ThePromoterDecrypts", "myflux-local-rotation")),
        (INTAKE, _names("ThePromoterDecrypts", "stranger")),
        (INTAKE, _names("ThePageEncrypts", "myflux-other-connect")),
        (INTAKE, _adds("ThePageEncrypts", "kms:Decrypt")),
        (INTAKE, _open("ThePromoterDecrypts")),
        (LINK, _names("PeopleSign", PAGE)),
        (LINK, _names("PeopleSign", PROMOTER)),
        (LINK, _names("PeopleSign", "myflux-local-deployer")),
        (LINK, _names("FunctionsVerify", "myflux-local-sweep")),
        (LINK, _adds("FunctionsVerify", "kms:GenerateMac")),
        (LINK, _open("PeopleSign")),
    ],
)
def test_each_key_of_connect_is_for_one_use_of_one_part(platform: Stack, key: str, edit: Callable[[Any], None]) -> None:
    assert findings(KMS, edited(platform, key, "policy", edit))


def test_a_secrets_key_does_not_pass_as_one_of_connects(platform: Stack) -> None:
    """By another tag the promoter would decrypt secrets without Secrets Manager."""
    intake = next(one for one in platform if one.name == INTAKE)
    opened = changed(platform, "local-key-key", policy=intake.text("policy"))
    assert findings(KMS, opened)


@pytest.mark.parametrize(
    ("role", "action", "on"),
    [
        ("connect", "secretsmanager:GetSecretValue", SECRETS),
        ("connect", "secretsmanager:PutSecretValue", SECRETS),
        ("connect", "kms:Decrypt", KEYS),
        ("connect", "kms:GenerateMac", KEYS),
        ("connect", "s3:GetObject", f"{BUCKET}/handed-in/*"),
        ("connect", "s3:PutObject", f"{BUCKET}/links/*"),
        ("connect", "s3:PutObject", f"{BUCKET}/outcome/*"),
        ("promoter", "secretsmanager:GetSecretValue", SECRETS),
        ("promoter", "kms:GenerateMac", KEYS),
        ("promoter", "kms:Decrypt", KEYS),
        ("promoter", "s3:PutObject", f"{BUCKET}/confirmed/*"),
        ("promoter", "s3:PutObject", f"{BUCKET}/links/*"),
    ],
)
def test_neither_part_may_do_more(platform: Stack, role: str, action: str, on: str) -> None:
    """F-7, before anything is deployed."""
    added = {"Sid": "More", "Effect": "Allow", "Action": action, "Resource": on}
    wider = edited(platform, f"local-{role}-permissions", "policy", lambda policy: policy["Statement"].append(added))
    assert findings(OWN, wider)


@pytest.mark.parametrize("operator", [None, "StringLike", "ForAnyValue:StringEqualsIfExists"])
@pytest.mark.parametrize(("role", "sid"), [("connect", "Encrypt"), ("connect", "VerifyLinks"), ("promoter", "Decrypt")])
def test_a_use_of_a_key_names_it_by_an_alias_that_it_must_have(
    platform: Stack, role: str, sid: str, operator: str | None
) -> None:
    """With IfExists a key without an alias would pass, and with no condition any key."""

    def loosen(policy: Any) -> None:
        statement = next(one for one in policy["Statement"] if one["Sid"] == sid)
        named = statement.pop("Condition")["ForAnyValue:StringEquals"]
        if operator:
            statement["Condition"] = {operator: named}

    assert findings(OWN, edited(platform, f"local-{role}-permissions", "policy", loosen))


def test_the_promoter_writes_tenants_secrets_and_reads_none(fleet: Path) -> None:
    secrets = stack("initech.local", root=fleet)

    def reads(policy: Any) -> None:
        for one in policy["Statement"]:
            if one["Sid"] == "OnlyRuntimeAndFunctionsRead":
                named = one["Condition"]["StringNotEquals"]["aws:PrincipalArn"]
                named.append(f"arn:aws:iam::000000000000:role/{PROMOTER}")

    assert findings("secret-shuts-out-all-but-named", edited(secrets, "initech-key-policy", "policy", reads))


@pytest.mark.parametrize(
    ("sid", "who"),
    [
        ("OnlyThePromoterTakes", "role/myflux-local-connect"),
        ("OnlyThePromoterTakes", "user/deployer"),
        ("OnlyThePromoterTells", "role/myflux-local-connect"),
        ("OnlyThePageHandsIn", "role/myflux-local-promoter"),
        ("OnlyDeployersIssue", "role/myflux-local-promoter"),
        ("OnlyDeployersIssue", "role/myflux-local-deployer"),
        ("OnlyTheseReadLinks", "role/myflux-local-sweep"),
        ("OnlyTheseReadWhatWasSeen", "role/myflux-local-promoter"),
        ("OnlyThesePersonsWords", "role/myflux-local-connect"),
        ("OnlyThesePersonsWords", "role/myflux-other-promoter"),
        ("OnlyTheseDelete", "role/myflux-local-connect"),
        ("OnlyTheseDelete", "role/myflux-other-promoter"),
    ],
)
def test_each_object_of_the_intake_is_for_its_own_writer_and_readers(sid: str, who: str) -> None:
    assert findings("intake-closed", intakes.beside(intakes.INTAKE)(())) == []
    assert findings("intake-closed", intakes.open_to(sid, f"arn:aws:iam::000000000000:{who}")(()))


@pytest.mark.parametrize("action", ["s3:GetObjectVersion", "s3:DeleteObjectVersion"])
def test_no_object_is_reached_by_its_version(action: str, platform: Stack) -> None:
    """Each object has the version ``null``, for which S3 asks for another right."""

    def left_out(policy: Any) -> None:
        for one in policy["Statement"]:
            if action in one["Action"]:
                one["Action"].remove(action)

    found = findings("intake-closed", edited(platform, "local-intake-policy", "policy", left_out))
    assert len(found) == 6, "one for each folder"


@pytest.mark.parametrize(
    "rule",
    [
        {"filter": {"prefix": "revoked/"}, "expiration": {"days": 1}},
        {"filter": {"prefix": "confirmed/"}, "expiration": {"days": 30}},
        {"filter": {"prefix": ""}, "expiration": {"days": 30}},
        {"filter": {}, "expiration": {"days": 30}},
        {"filter": {"prefix": "revoked/"}, "expiration": {"date": "2020-01-01T00:00:00Z"}},
        {"filter": {"prefix": "revoked/"}, "transitions": [{"days": 1}], "expiration": {"days": 30}},
    ],
)
def test_what_tells_that_a_link_is_dead_outlives_it(rule: dict[str, Any], platform: Stack) -> None:
    wider = changed(platform, "local-intake-old-objects", rules=[{"id": "x", "status": "Enabled", **rule}])
    assert findings("intake-closed", wider)


def test_every_claim_of_isolation_holds_with_connect(fleet: Path) -> None:
    cell = tenancy.load(fleet).cells["local"]
    resources = [one for name in ("local", "acme.local", "initech.local") for one in registered(name, True, fleet)]
    assert [(v.claim, v.counterexample) for v in prove(resources, cell) if v.outcome != "holds"] == []
