"""The shipped cell is proven apart; each way of opening it is found, by the claim that speaks of it and in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from ops.isolation import Verdict, prove
from ops.isolation.claims import claims
from ops.isolation.deployment import general, read
from ops.isolation.proof import verdict
from ops.isolation.terms import OWNER
from ops.review.proving import proof
from ops.review.rehearsal import Registered
from ops.review.remark import exit_code
from tenancy import Cell
from tests.isolation.conftest import Statements, broken, by_sid, without

PEOPLE = "arn:aws:iam::000000000000:role/myflux-local-handover"
CLAIMS = {
    "tenants-stay-apart",
    "only-readers-read",
    "only-functions-read-the-admin-key",
    "only-the-named-become-the-runtime",
    "nobody-becomes-a-function",
    "only-deployers-govern",
    "only-writers-write",
    "keys-open-for-secrets-only",
    "a-disabled-tenant-is-refused",
    "the-runtime-reads-its-own",
    "only-people-hand-over",
    "people-read-what-they-paste",
    "people-read-their-tenants",
}


def judged(resources: Sequence[Registered], cell: Cell, name: str) -> Verdict:
    (claim,) = [claim for claim in claims(read(resources), cell) if claim.name == name]
    return verdict(claim)


def test_every_claim_holds_of_the_cell_that_ships(shipped: Sequence[Registered], cell: Cell) -> None:
    verdicts = prove(shipped, cell)
    assert {verdict.claim for verdict in verdicts} == CLAIMS
    assert [(v.claim, v.counterexample) for v in verdicts if v.outcome != "holds"] == []


def test_a_claim_that_takes_more_steps_than_the_solver_may_make_is_not_proven(
    shipped: Sequence[Registered], cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps and not seconds: on a busy machine a proof would else be none."""
    for limit in ("_SOON", "_LATER"):
        monkeypatch.setattr("ops.isolation.proof." + limit, 1)
    found = judged(shipped, cell, "tenants-stay-apart")
    assert (found.outcome, "neither proven nor refuted" in found.counterexample) == ("unknown", True)


def test_tenants_with_the_same_documents_are_proven_together(shipped: Sequence[Registered]) -> None:
    shapes = {shape.tenants for shape in read(shipped).shapes}
    assert shapes == {("acme",), ("fjord",), ("globex",), ("initech",)}, "one of each kind"
    twice = [*shipped, *(_named(resource, "acme", "brisk") for resource in shipped if "acme" in resource.urn)]
    assert ("acme", "brisk") in {shape.tenants for shape in read(twice).shapes}


def _named(resource: Registered, tenant: str, other: str) -> Registered:
    """The same resource of another tenant."""
    texts = (json.dumps(dict(values)).replace(tenant, other) for values in (resource.inputs, resource.outputs))
    inputs, outputs = map(json.loads, texts)
    return replace(resource, urn=resource.urn.replace(tenant, other), inputs=inputs, outputs=outputs)


def test_either_document_alone_keeps_a_person_from_what_is_not_pasted(
    shipped: Sequence[Registered], cell: Cell
) -> None:
    """The role's own policy and the secret's each say which version and whose: it takes a mistake in both."""
    wide = broken(shipped, "handover-read", _any_version)
    assert judged(wide, cell, "people-read-what-they-paste").outcome == "holds"
    shut = broken(shipped, "fjord-key-policy", without("PeopleReadTheCurrentKeyOnly"))
    assert judged(shut, cell, "people-read-what-they-paste").outcome == "holds"
    both = broken(wide, "fjord-key-policy", without("PeopleReadTheCurrentKeyOnly"))
    found = judged(both, cell, "people-read-what-they-paste")
    assert (found.outcome, "a person by the hand-over role" in found.counterexample) == ("broken", True)
    exempt = broken(wide, "acme-key-policy", _lets_people_in)
    assert judged(exempt, cell, "people-read-what-they-paste").outcome == "broken", "nobody pastes acme's"


def _any_version(statements: Statements) -> None:
    condition = by_sid(statements, "ReadCurrentKeyOfOwnTenant")["Condition"]
    del condition["StringEquals"]["secretsmanager:VersionStage"]
    del condition["StringLike"]


def _lets_people_in(statements: Statements) -> None:
    by_sid(statements, "OnlyRuntimeAndFunctionsRead")["Condition"]["StringNotEquals"]["aws:PrincipalArn"].append(PEOPLE)


def test_what_is_generalized_gives_the_very_document_back() -> None:
    text = "arn:secret:myflux/local/acme/openai-?????? role/myflux-local_acme acme-x xacme"
    assert general(text, "acme").count(OWNER) == 2, "only where the slug stands by itself"
    assert general(text, "acme").replace(OWNER, "acme") == text


def _anyone_reads(statements: Statements) -> None:
    read_ = by_sid(statements, "ReadOwnTenant")
    del read_["Condition"]
    read_["Resource"] = "*"


def _unguarded_tags(statements: Statements) -> None:
    by_sid(statements, "OnlyDeployersGovern")["Action"].remove("secretsmanager:TagResource")


def _no_tag_asked(statements: Statements) -> None:
    del statements[0]["Condition"]["Null"]
    del statements[0]["Condition"]["StringLike"]


def _whole_account(statements: Statements) -> None:
    statements[0]["Principal"] = {"AWS": "arn:aws:iam::000000000000:root"}


def _for_anybody(statements: Statements) -> None:
    del by_sid(statements, "UsedThroughSecretsManager")["Condition"]["StringEquals"]["aws:PrincipalArn"]


def _account_does_all(statements: Statements) -> None:
    by_sid(statements, "AccountAdministers")["Action"].append("kms:*")


def _everybody(statements: Statements) -> None:
    statements[0]["Principal"] = "*"


def _only_if_tagged(statements: Statements) -> None:
    by_sid(statements, "RuntimeReadsAsThisTenantOnly")["Condition"]["Null"] = {"aws:PrincipalTag/tenant": "false"}


def _if_a_factor_is_told(statements: Statements) -> None:
    condition = by_sid(statements, "PeopleWithASecondFactor")["Condition"]
    condition["BoolIfExists"] = condition.pop("Bool")


def _without_other_tags(statements: Statements) -> None:
    del statements[0]["Condition"]["ForAllValues:StringEquals"]


@pytest.mark.parametrize(
    ("ends", "property_", "change", "claim", "says"),
    [
        (
            "acme-key-policy",
            "policy",
            without("OnlyRuntimeAndFunctionsRead"),
            "only-readers-read",
            "whatever its own policies",
        ),
        ("acme-key-policy", "policy", without("OnlyWritersFill"), "only-writers-write", "PutSecretValue"),
        ("acme-key-policy", "policy", _unguarded_tags, "only-deployers-govern", "TagResource"),
        (
            "admin-key-policy",
            "policy",
            without("OnlyFunctionsRead"),
            "only-functions-read-the-admin-key",
            "myflux-admin",
        ),
        ("runtime-role", "assumeRolePolicy", _no_tag_asked, "only-the-named-become-the-runtime", "AssumeRole"),
        ("runtime-role", "assumeRolePolicy", _whole_account, "only-the-named-become-the-runtime", "OnlyAsOneTenant"),
        ("runtime-role", "assumeRolePolicy", _without_other_tags, "only-the-named-become-the-runtime", "AssumeRole"),
        ("local-rotation-role", "assumeRolePolicy", _everybody, "nobody-becomes-a-function", "AssumedByLambda"),
        ("local-key-key", "policy", _for_anybody, "keys-open-for-secrets-only", "UsedThroughSecretsManager"),
        ("dedicated-key-key", "policy", _for_anybody, "keys-open-for-secrets-only", "kms:Decrypt"),
        ("dedicated-key-key", "policy", _account_does_all, "keys-open-for-secrets-only", "AccountAdministers"),
        ("local-runtime-read", "policy", without("ReadOwnTenant"), "the-runtime-reads-its-own", "refused"),
        ("handover-role", "assumeRolePolicy", _if_a_factor_is_told, "only-people-hand-over", "PeopleWithASecondFactor"),
        ("handover-role", "assumeRolePolicy", _no_tag_asked, "only-people-hand-over", "AssumeRole"),
        ("handover-role", "assumeRolePolicy", _whole_account, "only-people-hand-over", "AssumeRole"),
        ("handover-read", "policy", without("ReadCurrentKeyOfOwnTenant"), "people-read-their-tenants", "refused"),
    ],
)
def test_a_door_left_open_is_found_by_its_claim_and_told_in_words(
    shipped: Sequence[Registered],
    cell: Cell,
    ends: str,
    property_: str,
    change: Callable[[Statements], object],
    claim: str,
    says: str,
) -> None:
    found = judged(broken(shipped, ends, change, property_), cell, claim)
    assert found.outcome == "broken"
    assert says in found.counterexample


def test_two_locks_hold_a_tenant_apart_and_one_alone_still_does(shipped: Sequence[Registered], cell: Cell) -> None:
    """The role's policy and each secret's own: a mistake in one of them opens nothing yet."""
    one = broken(shipped, "local-runtime-read", _anyone_reads)
    assert judged(one, cell, "tenants-stay-apart").outcome == "holds", (
        "each secret still refuses a session of another tenant"
    )
    both = broken(one, "acme-key-policy", without("RuntimeReadsAsThisTenantOnly"))
    found = judged(both, cell, "tenants-stay-apart")
    assert found.outcome == "broken"
    assert "ReadOwnTenant" in found.counterexample, "the statement that lets it through is named"


def test_a_deny_that_asks_for_the_tag_first_lets_an_untagged_session_through(
    shipped: Sequence[Registered], cell: Cell
) -> None:
    weak = broken(broken(shipped, "local-runtime-read", _anyone_reads), "acme-key-policy", _only_if_tagged)
    untagged = [
        replace(r, inputs={**r.inputs, "tags": {}}) if r.name.endswith("runtime-role") else r for r in weak
    ]  # the role's own tag would stand in for the session's
    found = judged(untagged, cell, "tenants-stay-apart")
    assert (found.outcome, "without a tenant tag" in found.counterexample) == ("broken", True)


def test_what_the_solver_does_not_decide_is_no_proof_and_stops_a_review(
    shipped: Sequence[Registered], cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for asks in ("_asked", "_example"):
        monkeypatch.setattr(f"ops.isolation.proof.{asks}", lambda *_: None)
    found = proof(cell, ["local"], shipped, (), None)
    assert {remark.rule for remark in found.remarks} == {f"isolation-{claim}" for claim in CLAIMS}
    assert exit_code(found.remarks) == 2, "could not judge"
    (apart,) = [remark for remark in found.remarks if remark.rule == "isolation-tenants-stay-apart"]
    assert "no proof that all fail" in apart.message
    assert "secretsmanager:GetSecretValue by the runtime" in apart.message, "what could not be decided"
    assert "Simplify" in apart.fix, "and what to do"


def test_what_is_missing_is_never_a_proof(shipped: Sequence[Registered], cell: Cell) -> None:
    alone = [resource for resource in shipped if "acme" in resource.urn]
    assert [v.outcome for v in prove(alone, cell)] == ["unknown"], "a tenant's stack says nothing of the roles"
