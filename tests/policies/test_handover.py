"""The hand-over role passes as it is made, and each way to weaken it is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from policies.guardrails.config import Config
from tests.policies.rehearsed import broken, changed, edited, findings, stack, without

PLATFORM, FJORD, ACME = "local", "fjord.local", "acme.local"
"""Of the two tenants, fjord uses CINNOX, and acme does not."""
ROLE, READ, SECRET, KEY = "local-handover-role", "local-handover-read", "fjord-key-policy", "local-key-key"
PEOPLE = "arn:aws:iam::000000000000:role/myflux-local-handover"
RUNTIME = "arn:aws:iam::000000000000:role/myflux-local-runtime"
MFA, STAGE = "aws:MultiFactorAuthPresent", "secretsmanager:VersionStage"
CONSUMERS = "secretsmanager:ResourceTag/myflux:consumers"
Edit = Callable[[Any], Any]


def of(place: int, **elements: Any) -> Edit:
    return lambda document: document["Statement"][place].update(elements)


def condition(place: int, operator: str, **to: Any) -> Edit:
    """Without the operator, or with it as `to` says."""

    def edit(document: Any) -> None:
        document["Statement"][place]["Condition"].pop(operator)
        document["Statement"][place]["Condition"].update(to)

    return edit


def key(place: int, operator: str, name: str, value: Any = None) -> Edit:
    def edit(document: Any) -> None:
        held = document["Statement"][place]["Condition"][operator]
        held.pop(name) if value is None else held.update({name: value})

    return edit


def drops(place: int) -> Edit:
    return lambda document: document["Statement"].pop(place)


def admits(place: int) -> Edit:
    def edit(document: Any) -> None:
        document["Statement"][place]["Condition"]["StringNotEquals"]["aws:PrincipalArn"].append(PEOPLE)

    return edit


def untagged(document: Any) -> None:
    for operator in ("Null", "StringLike"):
        document["Statement"][0]["Condition"].pop(operator)


TRUST: list[tuple[str, Edit, str]] = [
    ("no second factor", condition(0, "Bool"), "handover-by-a-second-factor"),
    ("one if it is shown", condition(0, "Bool", BoolIfExists={MFA: "true"}), "handover-by-a-second-factor"),
    ("one or none", key(0, "Bool", MFA, ["true", "false"]), "handover-by-a-second-factor"),
    ("none", key(0, "Bool", MFA, "false"), "handover-by-a-second-factor"),
    ("any name", drops(1), "handover-in-ones-own-name"),
    ("another's name", key(1, "StringNotEquals", "sts:RoleSessionName", "ana"), "handover-in-ones-own-name"),
    ("another user's own", of(1, Principal={"AWS": "arn:aws:iam::000000000000:user/bo"}), "handover-in-ones-own-name"),
    ("no tag", untagged, "trust-demands-the-tenant"),
    ("any tags", condition(0, "ForAllValues:StringEquals"), "trust-demands-the-tenant"),
    ("the platform's tag", condition(0, "StringNotLike"), "trust-demands-the-tenant"),
    ("the account", of(0, Principal={"AWS": "arn:aws:iam::000000000000:root"}), "trust-names-its-principals"),
    ("a service", of(0, Principal={"Service": "lambda.amazonaws.com"}), "trust-names-its-principals"),
    ("a job", of(0, Principal={"Federated": "arn:aws:iam::1:oidc-provider/x"}), "trust-names-its-principals"),
    ("a role of ours", of(0, Principal={"AWS": PEOPLE.replace("handover", "sweep")}), "trust-names-its-principals"),
    ("a token", of(0, Action=["sts:AssumeRoleWithWebIdentity"]), "trust-names-its-principals"),
]


@pytest.mark.parametrize(("edit", "rule"), [case[1:] for case in TRUST], ids=[case[0] for case in TRUST])
def test_who_becomes_it_is_a_person_with_a_second_factor_for_one_tenant(edit: Edit, rule: str) -> None:
    assert broken(edited(stack(PLATFORM), ROLE, "assumeRolePolicy", edit)).get(rule) == "violation"


def test_who_becomes_it_is_in_the_cells_file() -> None:
    people = Config(handover_principals=("arn:aws:iam::000000000000:user/ana",))
    (found,) = findings("trust-names-its-principals", stack(PLATFORM), people)
    assert found.message.endswith("trusts a principal that is not in handover_principals")
    assert not findings("trust-names-its-principals", stack(PLATFORM), Config(runtime_principals=())), "as it is made"


EVERYBODYS = "arn:aws:secretsmanager:us-east-1:000000000000:secret:myflux/local/*/openai-??????"
NARROW, CURRENT = "own-roles-narrow", "handover-reads-current-pasted-keys"
GET = "secretsmanager:GetSecretValue"
READS: list[tuple[str, Edit, str]] = [
    ("any version", key(0, "StringEquals", STAGE), CURRENT),
    ("the old version", key(0, "StringEquals", STAGE, "AWSPREVIOUS"), CURRENT),
    ("any consumer", condition(0, "StringLike"), CURRENT),
    ("each consumer", key(0, "StringLike", CONSUMERS, ["*"]), CURRENT),
    ("another consumer", key(0, "StringLike", CONSUMERS, ["myflux"]), CURRENT),
    ("any tenant's tag", key(0, "StringEquals", "secretsmanager:ResourceTag/tenant"), "runtime-reads-by-tag"),
    ("any tenant's name", of(0, Resource=EVERYBODYS), "runtime-reads-by-tag"),
    ("writes", of(0, Action=[GET, "secretsmanager:PutSecretValue"]), NARROW),
    ("looks", of(0, Action=[GET, "secretsmanager:DescribeSecret"]), NARROW),
    ("encrypts", of(1, Action=["kms:Decrypt", "kms:GenerateDataKey"]), NARROW),
    ("decrypts by itself", key(1, "StringEquals", "kms:ViaService"), NARROW),
]


@pytest.mark.parametrize(("edit", "rule"), [case[1:] for case in READS], ids=[case[0] for case in READS])
def test_it_reads_one_tenants_current_key_and_nothing_else(edit: Edit, rule: str) -> None:
    assert broken(edited(stack(PLATFORM), READ, "policy", edit)).get(rule) == "violation"


LOCKS: list[tuple[str, Edit, str]] = [
    ("another tenant", key(1, "StringEquals", "aws:PrincipalArn", RUNTIME), "secret-denies-other-tenants"),
    ("another version", drops(2), CURRENT),
    ("another stage", key(2, "StringNotEquals", STAGE, "AWSPREVIOUS"), CURRENT),
    ("a batch", of(2, Action=GET), CURRENT),
    ("writing", admits(3), "secret-shuts-out-all-but-named"),
    ("governing", admits(4), "secret-shuts-out-all-but-named"),
]


@pytest.mark.parametrize(("edit", "rule"), [case[1:] for case in LOCKS], ids=[case[0] for case in LOCKS])
def test_a_secret_is_shut_to_it_but_for_one_read(edit: Edit, rule: str) -> None:
    assert broken(edited(stack(FJORD), SECRET, "policy", edit)).get(rule) == "violation"


def test_a_tenant_whose_key_nobody_pastes_is_shut_to_it() -> None:
    tags = {"tenant": "fjord", "cell": "local", "managed-by": "myflux-keys", "myflux:consumers": "myflux"}
    (found,) = findings("handover-reads-current-pasted-keys", changed(stack(FJORD), "fjord-key-secret", tags=tags))
    assert found.message == "the hand-over role may read it, and nobody pastes this tenant's key"
    assert "handover" not in str([dict(one.properties) for one in stack(ACME)])


def test_the_cells_key_decrypts_for_it_and_does_no_more() -> None:
    as_a_user = lambda d: d["Statement"][1]["Condition"]["StringEquals"]["aws:PrincipalArn"].append(PEOPLE)  # noqa: E731
    (found,) = findings("kms-key-used-through-secrets-manager", edited(stack(PLATFORM), KEY, "policy", as_a_user))
    assert found.message.endswith("lets the hand-over role do more with the key than decrypt tenants' secrets")


@pytest.mark.parametrize(
    "weaker",
    [
        lambda s: without(s, "local-handover-used-target"),
        lambda s: without(s, "local-handover-used", "local-handover-used-target"),
        lambda s: changed(s, "local-handover-used", state="DISABLED"),
        lambda s: changed(s, "local-handover-used", state=None),
        lambda s: changed(s, "local-handover-used-target", arn="arn:aws:sns:us-east-1:000000000000:elsewhere"),
        lambda s: edited(s, "local-handover-used", "eventPattern", lambda p: p["detail"].update(eventName=["Other"])),
        lambda s: edited(s, "local-handover-used", "eventPattern", lambda p: p.update(source=["aws.kms"])),
    ],
    ids=["no target", "no rule", "off", "reads unheard", "told elsewhere", "one operation", "another service"],
)
def test_each_use_of_it_is_told(weaker: Callable[[Any], Any]) -> None:
    assert broken(weaker(stack(PLATFORM))).get("handover-told") == "violation"
