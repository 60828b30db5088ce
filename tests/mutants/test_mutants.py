"""The mutation run on a sample, its mutator, and that it notices a rule that is gone.

`make mutants` is the whole of it.
"""

from __future__ import annotations

import json
import random

import pytest

from policies.guardrails.judge import RULES
from policies.guardrails.model import Resource
from tests.mutants.harmless import reason
from tests.mutants.hunt import caught
from tests.mutants.mutate import Mutant, mutants
from tests.mutants.subjects import SUBJECTS, subject
from tests.policies.forms import judge as in_both_forms
from tests.policies.rehearsed import document

TYPE = "aws:iam/rolePolicy:RolePolicy"
SAMPLE = 80
IN_BOTH_FORMS = 6


def one(**properties: object) -> Resource:
    return Resource("urn:1", TYPE, "one", properties)


def told(resource: Resource) -> set[tuple[str, str, str]]:
    return {(m.shape, m.kind, str(m.after)) for m in mutants(resource)}


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_sample_of_mutants_is_caught_or_known_to_be_harmless(name: str) -> None:
    about = subject(name)
    made = list(about.mutants())
    sample = random.Random(5).sample(made, min(SAMPLE * (3 if name == "local" else 1), len(made)))
    survivors = [m for m in sample if not caught(m, about.stack, about.told)]
    assert [str(m) for m in survivors if reason(m) is None] == []
    assert len(survivors) < len(sample) * 0.6, "the sample hardly changed anything that matters"


@pytest.mark.parametrize("name", ["local", "acme.local", "local, a pipeline deploys everything"])
def test_a_mutant_is_judged_alike_in_the_engine_and_in_a_review(name: str) -> None:
    about = subject(name)
    for mutant in random.Random(7).sample(list(about.mutants()), IN_BOTH_FORMS):
        changed = [mutant.mutated if one is mutant.original else one for one in about.stack]
        in_both_forms([one for one in changed if one is not None], about.told)


def test_there_are_thousands_and_none_is_what_is_shipped() -> None:
    made = [m for name in SUBJECTS for m in subject(name).mutants()]
    assert len(made) > 5000, "every property of every resource is changed"
    same = [str(m) for m in made if m.mutated is not None and m.mutated == m.original]
    assert same == [], "a mutant that changes nothing can't be caught"


def test_each_property_is_dropped_and_each_document_opened() -> None:
    statement = {"Sid": "S", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::b/*"}
    found = told(one(policy=document(statement), turns=True, days=7))
    assert {("policy", "dropped", "None"), ("turns", "altered", "False"), ("days", "altered", "0")} <= found
    inside = "policy.Statement[]"
    assert {
        (inside, "dropped", "None"),
        (f"{inside}.Effect", "altered", "Deny"),
        (f"{inside}.Action", "widened", "NotAction"),
        (f"{inside}.Action[]", "dropped", "None"),
        (f"{inside}.Action[]", "widened", "s3:*"),
        (f"{inside}.Resource", "widened", "*"),
    } <= found
    assert any(shape == inside and kind == "widened" and "'Open'" in after for shape, kind, after in found)


def test_a_condition_is_dropped_loosened_turned_round_and_renamed() -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/tenant": "acme"}}
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": condition}
    found = {(kind, after) for shape, kind, after in told(one(policy=document(statement))) if "Condition" in shape}
    assert {
        ("dropped", "None"),
        ("widened", "StringEqualsIfExists"),
        ("altered", "StringNotEquals"),
        ("altered", "aws:PrincipalTag/tenant-other"),
        ("widened", "*"),
    } <= found


def test_what_a_pipelines_documents_say_is_changed_too() -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": "arn:aws:iam::000000000000:oidc-provider/gitlab.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"Bool": {"s:BlockPublicPolicy": "true"}, "StringEqualsIfExists": {"s:RotationLambdaARN": "a"}},
    }
    found = {(kind, after) for _, kind, after in told(one(assumeRolePolicy=document(statement)))}
    assert {
        ("altered", "AWS"),
        ("widened", "BoolIfExists"),
        ("altered", "StringNotEquals"),
        ("altered", "false"),
        ("widened", "ForAllValues:StringEqualsIfExists"),
        ("altered", "StringNotEqualsIfExists"),
        ("altered", "StringEquals"),
        ("altered", "arn:aws:iam::999999999999:oidc-provider/gitlab.com"),
    } <= found


def test_a_pipelines_documents_are_changed_once_for_each_thing_that_it_deploys() -> None:
    made = [m for name in SUBJECTS if "pipeline" in name for m in subject(name).mutants()]
    assert {f"local-deployer-{one}" for one in ("role", "permissions", "looks", "state")} <= {
        m.original.name for m in made
    }
    assert not [m for m in made if m.original.name == "local-sweep-role"], (
        "what is the same without it is changed there"
    )


def test_a_mutant_changes_one_thing_alone() -> None:
    original = one(policy=document({"Effect": "Allow", "Action": ["a:b", "c:d"], "Resource": "*"}), role="r")
    dropped = [m for m in mutants(original) if m.kind == "dropped" and m.shape == "policy.Statement[].Action[]"]
    (gone,) = [m for m in dropped if m.before == "a:b"]
    assert gone.mutated is not None
    assert gone.mutated.get("role") == "r"
    assert json.loads(gone.mutated.text("policy"))["Statement"][0]["Action"] == ["c:d"]
    assert json.loads(original.text("policy"))["Statement"][0]["Action"] == ["a:b", "c:d"], "the original is as it was"


SABOTAGED = [
    ("secret-shuts-out-all-but-named", "acme.local", "acme-key-policy"),
    ("secret-denies-other-tenants", "acme.local", "acme-key-policy"),
    ("secret-has-its-policy", "acme.local", "acme-key-policy"),
    ("secret-name-and-tags-agree", "acme.local", "acme-key-secret"),
    ("rotation-often-enough", "acme.local", "acme-rotation"),
    ("judged-properties-not-ignored", "local", "local-sweep-logs"),
    ("rotated-by-our-function", "acme.local", "acme-rotation"),
    ("kms-key-kept", "local", "local-key-key"),
    ("kms-key-used-through-secrets-manager", "local", "local-key-key"),
    ("own-roles-bounded", "local", "local-sweep-role"),
    ("trust-names-its-principals", "local", "local-runtime-role"),
    ("trust-demands-the-tenant", "local", "local-runtime-role"),
    ("handover-by-a-second-factor", "local", "local-handover-role"),
    ("handover-in-ones-own-name", "local", "local-handover-role"),
    ("handover-reads-current-pasted-keys", "fjord.local", "fjord-key-policy"),
    ("handover-told", "local", "local-handover-used"),
    ("functions-called-by-ours-alone", "local", "local-rotation-permission"),
    ("functions-called-when-they-must", "local", "local-sweeping-target"),
    ("alarms-ring", "local", "local-rotation-errors"),
    ("alarms-topic-closed", "local", "local-alarms-topic-policy"),
    ("one-account-one-region", "local", "local-alarms-rotation-failed-target"),
    ("no-key-in-properties", "local", "local-sweep-function"),
    ("functions-run-our-code", "local", "local-sweep-function"),
    ("tenant-gets-what-its-file-says", "acme.local", "acme-openai-invocation"),
    ("own-roles-narrow", "local, a pipeline deploys tenants", "local-deployer-permissions"),
    ("own-roles-narrow", "local, with the connect page", "local-promoter-permissions"),
    ("intake-closed", "local, with the connect page", "local-intake-policy"),
    ("functions-called-by-ours-alone", "local, with the connect page", "local-connect-invoke-permission"),
    ("kms-key-used-through-secrets-manager", "local, with the connect page", "local-intake-link-key-key"),
    ("secret-shuts-out-all-but-named", "initech.local, with the connect page", "initech-key-policy"),
    ("trust-names-its-principals", "local, a pipeline deploys everything", "local-deployer-role"),
    ("tokens-for-ones-own-tenant", "local, with federation", "local-runtime-read"),
    ("rules-match-the-runtime-alone", "harbor.local, with federation", "harbor-openai-invocation"),
    ("rules-match-the-runtime-alone", "harbor.local, with federation", "harbor-identity"),
    ("projects-made-by-the-provisioner", "harbor.local, with federation", "harbor-openai-invocation"),
]


@pytest.mark.parametrize(("rule", "name", "changed"), SABOTAGED, ids=[f"{case[0]} of {case[2]}" for case in SABOTAGED])
def test_a_rule_that_is_gone_leaves_survivors_that_no_reason_explains(rule: str, name: str, changed: str) -> None:
    about = subject(name)
    left = [one for one in RULES if one.name != rule]
    assert len(left) == len(RULES) - 1
    (resource,) = [one for one in about.stack if one.name == changed]

    def unexplained(mutant: Mutant) -> bool:
        return reason(mutant) is None and not caught(mutant, about.stack, about.told, left)

    assert any(unexplained(mutant) for mutant in mutants(resource)), f"without {rule} nothing of {changed} is noticed"
