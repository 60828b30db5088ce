"""Tenants without a key are proven apart: each way of opening it is found by the claim that speaks of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

import tenancy
from ops.isolation import Matrix, Verdict, matrix, prove
from ops.isolation.claims import claims
from ops.isolation.deployment import read
from ops.isolation.proof import verdict
from ops.isolation.terms import CannotJudgeError
from ops.review.difference import changes
from ops.review.proving import _proven
from ops.review.rehearsal import Registered, rehearse
from tenancy import Cell
from tests.isolation.conftest import Statements, broken, by_sid, without
from tests.isolation.test_proof import CLAIMS
from tests.policies.keyless import FEDERATED, KEYLESS, SWITCHING, federated

ACCOUNT = "arn:aws:iam::000000000000"
RUNTIME = f"{ACCOUNT}:role/myflux-local-runtime"
TOKEN_CLAIMS = {
    "tokens-are-for-openai-alone",
    "only-deployers-write-identities",
    "tokens-stay-apart",
    "only-the-runtime-gets-tokens",
    "the-runtime-gets-its-own-token",
}
ASKING = "TokenOfOwnTenant"


@pytest.fixture(scope="module")
def keyless() -> tuple[Sequence[Registered], Cell]:
    with federated() as root:
        cell = tenancy.load(root).cells["local"]
        return [resource for stack in KEYLESS for resource in rehearse(stack, root)], cell


@pytest.fixture
def deployed(keyless: tuple[Sequence[Registered], Cell]) -> Sequence[Registered]:
    return keyless[0]


@pytest.fixture
def judged(keyless: tuple[Sequence[Registered], Cell]) -> Callable[[Sequence[Registered], str], Verdict]:
    def judge(resources: Sequence[Registered], name: str) -> Verdict:
        (claim,) = [claim for claim in claims(read(resources), keyless[1]) if claim.name == name]
        return verdict(claim)

    return judge


Judge = Callable[[Sequence[Registered], str], Verdict]


def test_every_claim_holds_of_a_cell_with_tenants_without_a_key(keyless: tuple[Sequence[Registered], Cell]) -> None:
    verdicts = prove(*keyless)
    assert {verdict.claim for verdict in verdicts} == (CLAIMS | TOKEN_CLAIMS) - {"people-read-their-tenants"}
    assert [(v.claim, v.counterexample) for v in verdicts if v.outcome != "holds"] == []


def test_tenants_whose_rules_differ_in_the_slug_alone_are_proven_together(deployed: Sequence[Registered]) -> None:
    (identity,) = read(deployed).identities
    assert set(identity.tenants) == {FEDERATED, SWITCHING}
    assert (identity.audience, identity.subject) == ("myflux-local", RUNTIME)


def _asking(statements: Statements) -> dict[str, Any]:
    (found,) = [one for one in statements if one["Action"] == "sts:GetWebIdentityToken"]
    return found["Condition"]


def _a_second_audience(statements: Statements) -> None:
    condition = _asking(statements)
    condition["ForAnyValue:StringEquals"] = condition.pop("ForAllValues:StringEquals")


def _any_audience(statements: Statements) -> None:
    del _asking(statements)["ForAllValues:StringEquals"]


@pytest.mark.parametrize("change", [_a_second_audience, _any_audience])
def test_role_and_boundary_each_hold_the_audience_and_it_takes_a_mistake_in_both(
    deployed: Sequence[Registered], judged: Judge, change: Callable[[Statements], object]
) -> None:
    one = broken(deployed, "local-runtime-read", change)
    assert judged(one, "tokens-are-for-openai-alone").outcome == "holds", "the boundary still has it"
    found = judged(broken(one, "local-boundary", change), "tokens-are-for-openai-alone")
    assert (found.outcome, ASKING in found.counterexample) == ("broken", True)


def _without(operator: str) -> Callable[[Statements], None]:
    def change(statements: Statements) -> None:
        del by_sid(statements, ASKING)["Condition"][operator]

    return change


def _lasting_an_hour(statements: Statements) -> None:
    by_sid(statements, ASKING)["Condition"]["NumericLessThanEquals"]["sts:DurationSeconds"] = "3600"


def _for_all_of_sts(statements: Statements) -> None:
    statements.append({"Sid": "More", "Effect": "Allow", "Action": "sts:*", "Resource": "*"})


def _sweep_too(statements: Statements) -> None:
    statements[0]["Principal"]["AWS"].append(f"{ACCOUNT}:role/myflux-local-sweep")


@pytest.mark.parametrize(
    ("ends", "property_", "change", "claim", "says"),
    [
        ("local-runtime-read", "policy", _without("NumericLessThanEquals"), "tokens-are-for-openai-alone", ASKING),
        ("local-runtime-read", "policy", _without("StringEquals"), "tokens-are-for-openai-alone", ASKING),
        ("local-runtime-read", "policy", _lasting_an_hour, "tokens-are-for-openai-alone", ASKING),
        ("local-runtime-read", "policy", without(ASKING), "the-runtime-gets-its-own-token", "refused"),
        ("local-runtime-read", "policy", without("ReadOwnIdentity"), "the-runtime-gets-its-own-token", "refused"),
        ("local-sweep-permissions", "policy", _for_all_of_sts, "tokens-are-for-openai-alone", "sweep"),
        ("runtime-role", "assumeRolePolicy", _sweep_too, "only-the-named-become-the-runtime", "AssumeRole"),
        (
            "local-health-store-policy",
            "policy",
            without("OnlyWatchersAndDeployers"),
            "only-deployers-write-identities",
            "declarations/identities/",
        ),
    ],
)
def test_a_door_left_open_is_found_by_its_claim(
    deployed: Sequence[Registered],
    judged: Judge,
    ends: str,
    property_: str,
    change: Callable[[Statements], object],
    claim: str,
    says: str,
) -> None:
    found = judged(broken(deployed, ends, change, property_), claim)
    assert found.outcome == "broken", found
    assert says in found.counterexample, found.counterexample


def _ruled(deployed: Sequence[Registered], **changed: Any) -> list[Registered]:
    """The federated tenant's rule demands something else."""

    def other(one: Registered) -> Registered:
        specification = json.loads(one.inputs["input"])
        specification["federation"] |= changed
        return replace(one, inputs={**one.inputs, "input": json.dumps(specification)})

    called = f"{FEDERATED}-openai-invocation"
    assert called in {one.name for one in deployed}
    return [other(one) if one.name == called else one for one in deployed]


@pytest.mark.parametrize("subject", [f"{ACCOUNT}:role/*", f"{ACCOUNT}:role/myflux-local-runtime*", "*"])
def test_a_rule_with_a_wildcard_takes_strangers_tokens(
    deployed: Sequence[Registered], judged: Judge, subject: str
) -> None:
    found = judged(_ruled(deployed, subject=subject), "only-the-runtime-gets-tokens")
    assert found.outcome == "broken"
    assert "whatever its own policies" in found.counterexample


def test_a_rule_for_another_role_lets_nobody_in_and_the_tenants_own_runtime_neither(
    deployed: Sequence[Registered], judged: Judge
) -> None:
    other = _ruled(deployed, subject=f"{ACCOUNT}:role/myflux-local-rotation")
    assert judged(other, "only-the-runtime-gets-tokens").outcome == "holds", "that role gets no token from AWS"
    assert judged(other, "the-runtime-gets-its-own-token").outcome == "broken"


@pytest.mark.parametrize("tag", ["tenant", "Tenant"])
def test_a_tag_of_the_role_itself_would_be_a_tenant_for_every_session(
    deployed: Sequence[Registered], judged: Judge, tag: str
) -> None:
    """AWS compares the names of tags in any case, and does not say whose value a token has."""
    tagged = [
        replace(one, inputs={**one.inputs, "tags": {**one.inputs["tags"], tag: "acme"}})
        if one.name.endswith("runtime-role")
        else one
        for one in deployed
    ]
    found = judged(tagged, "tokens-stay-apart")
    assert (found.outcome, "of tenant 'acme'" in found.counterexample) == ("broken", True), found


def test_a_cell_without_federation_claims_nothing_about_tokens(shipped: Sequence[Registered], cell: Cell) -> None:
    assert not TOKEN_CLAIMS & {claim.name for claim in claims(read(shipped), cell)}


def test_a_rule_that_cannot_be_read_is_no_proof(deployed: Sequence[Registered]) -> None:
    with pytest.raises(CannotJudgeError, match="no audience and subject"):
        read(_ruled(deployed, subject=None))


def test_a_change_of_a_rule_is_proven_anew_and_a_change_of_a_limit_is_not(deployed: Sequence[Registered]) -> None:
    assert _proven(changes(deployed, _ruled(deployed, subject="*")))
    limited = [
        replace(one, inputs={**one.inputs, "input": one.inputs["input"].replace("200000", "300000")})
        if one.name == f"{FEDERATED}-openai-invocation"
        else one
        for one in deployed
    ]
    assert changes(deployed, limited)
    assert not _proven(changes(deployed, limited))


@pytest.fixture
def says(keyless: tuple[Sequence[Registered], Cell]) -> Matrix:
    return matrix(*keyless)


def test_the_matrix_shows_who_gets_a_tenants_token(says: Matrix) -> None:
    for slug in (FEDERATED, SWITCHING):
        label = f"{slug}'s token"
        assert {p.label for p in says.principals if says.granted(p.label, label, "token")} == {f"runtime as {slug}"}
        assert not any(says.granted(p.label, label, group) for p in says.principals for group in ("read", "write"))
    assert says.tokens == (f"{FEDERATED}'s token", f"{SWITCHING}'s token")
    assert FEDERATED not in says.secrets, "it has no secret"
    assert SWITCHING in says.secrets, "its secret is there until the switch is complete"
    assert not says.granted(f"runtime as {SWITCHING}", SWITCHING, "read"), "so its readers have changed over"
    table = says.markdown()
    assert "- **token**: `GetWebIdentityToken`" in table
    assert f"{FEDERATED}'s token: token" in says.svg()
