"""The model that proofs are made in and the evaluator that the local cell enforces say the same of the same request.

Neither is made from the other: one is formulas, the other code. Where they part, one of them is wrong about AWS. Over
the shipped documents, and over the same with something dropped, widened or turned around, drawn by a seeded generator.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from local.aws.iam import decision as cells
from local.aws.iam.policy import parse as cells_parse
from local.aws.iam.principals import Caller as CellsCaller
from ops.isolation.concrete import Somebody, decided
from ops.isolation.deployment import Deployment, Role, Secret, read
from ops.isolation.terms import CannotJudgeError
from ops.review.rehearsal import Registered

ACCOUNT = "000000000000"
ANYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
ACTIONS = ("GetSecretValue", "PutSecretValue", "TagResource", "DescribeSecret", "DeleteSecret")
TAGS = (None, "acme", "fjord", "globex", "initech", "_platform", "*", "")


@dataclass(frozen=True)
class Case:
    who: Somebody
    action: str
    secret: Secret


def people(deployment: Deployment) -> list[Somebody]:
    roles = [
        Somebody(role.arn, role.policies, role.boundary, dict(role.tags).get("tenant"))
        for role in deployment.roles.values()
    ]
    others = ("user/deployer", "user/runtime", "role/administrator", "user/myflux-local-runtime")
    return [*roles, *(Somebody(f"arn:aws:iam::{ACCOUNT}:{name}", (("all", ANYTHING),)) for name in others)]


def model_says(case: Case) -> bool:
    answer = decided(case.who, f"secretsmanager:{case.action}", case.secret)
    assert answer is not None, "nothing was left open, and yet the model has no answer"
    return answer


def evaluator_says(case: Case) -> bool:
    who, owner = case.who, case.secret.arn.split(":")[4]
    arn = who.session if who.is_role else who.arn
    caller = CellsCaller("AssumedRole" if who.is_role else "User", arn, who.account, who.arn if who.is_role else None)
    keys: dict[str, str | tuple[str, ...]] = {
        "aws:principalarn": who.arn,
        "aws:principalaccount": who.account,
        "secretsmanager:secretid": case.secret.arn,
    }
    if who.tag is not None:
        keys["aws:principaltag/tenant"] = who.tag
    if who.stage:
        keys["secretsmanager:versionstage"] = who.stage
    for name, value in case.secret.tags:
        keys[f"secretsmanager:resourcetag/{name.lower()}"] = value
        keys[f"aws:resourcetag/{name.lower()}"] = value
    identity = tuple(statement for _, document in who.policies for statement in cells_parse(document))
    verdict = cells.decide(
        caller,
        cells.Request(f"secretsmanager:{case.action}", case.secret.arn, keys),
        cells.Policies(
            identity,
            boundary=cells_parse(who.boundary) if who.boundary else None,
            resource=cells.ResourcePolicy(cells_parse(case.secret.policy), owner),
        ),
    )
    return verdict.allowed


def cases(deployment: Deployment, draw: random.Random, count: int) -> list[Case]:
    who, secrets = people(deployment), [*deployment.tenants, deployment.admin]
    return [
        Case(tagged(draw.choice(who), draw.choice(TAGS)), draw.choice(ACTIONS), draw.choice(secrets))
        for _ in range(count)
    ]


def tagged(who: Somebody, tag: str | None) -> Somebody:
    return who if tag is None else replace(who, tag=tag)


def test_they_agree_on_each_read_by_the_hand_over_role(shipped: Sequence[Registered]) -> None:
    deployment = read(shipped)
    (role,) = [one for one in deployment.roles.values() if one.name == "myflux-local-handover"]
    drawn = [
        Case(Somebody(role.arn, role.policies, role.boundary, tag, stage), action, secret)
        for tag in TAGS
        for stage in ("", "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING")
        for action in ("GetSecretValue", "PutSecretValue", "DescribeSecret")
        for secret in (*deployment.tenants, deployment.admin)
    ]
    said = [model_says(case) for case in drawn]
    assert said == [evaluator_says(case) for case in drawn]
    allowed = {
        (one.who.tag, one.who.stage, one.action, one.secret.tenant) for one, may in zip(drawn, said, strict=True) if may
    }
    assert allowed == {("fjord", "AWSCURRENT", "GetSecretValue", "fjord")}


def worse(document: str, draw: random.Random) -> str:
    """`document` with one thing dropped, widened or turned around."""
    read_: Any = json.loads(document)
    statements: list[dict[str, Any]] = read_["Statement"]
    statement = draw.choice(statements)
    condition: dict[str, Any] = statement.get("Condition", {})
    match draw.randrange(7):
        case 0:
            statements.remove(statement)
        case 1:
            statement.pop("Condition", None)
        case 2:
            statement["Action"] = draw.choice(
                ["secretsmanager:*", "SECRETSMANAGER:get*", ["secretsmanager:?etSecretValue"]]
            )
        case 3 if "Resource" in statement:
            arn = "arn:aws:secretsmanager:*:*:secret:myflux/*"
            statement["Resource"] = draw.choice([arn, arn[:30], "arn:*", "*", arn + "/${aws:PrincipalTag/tenant}/*"])
        case 4 if condition:
            name = draw.choice(list(condition))
            condition[draw.choice(["StringEquals", "StringNotEquals", "StringLikeIfExists", "StringNotLike"])] = (
                condition.pop(name)
            )
        case 5 if condition:
            name = draw.choice(list(condition))
            for key in condition[name]:
                condition[name][key] = draw.choice(
                    ["*", "a*", "${aws:PrincipalTag/tenant}", "${aws:PrincipalTag/x,'acme'}"]
                )
        case _:
            statement["Effect"] = "Deny" if statement["Effect"] == "Allow" else "Allow"
    return json.dumps(read_)


def test_they_agree_on_the_shipped_documents(shipped: Sequence[Registered]) -> None:
    drawn = cases(read(shipped), random.Random(1), 400)
    said = [model_says(case) for case in drawn]
    assert said == [evaluator_says(case) for case in drawn]
    assert 5 < sum(said) < len(said) - 5, "a sample in which all is refused, or allowed, tells nothing"


@pytest.mark.parametrize("seed", range(8))
def test_they_agree_on_documents_that_were_made_worse(shipped: Sequence[Registered], seed: int) -> None:
    draw = random.Random(seed)
    deployment = read(shipped)
    agreed = 0
    for case in cases(deployment, draw, 60):
        changed = vary(case, draw)
        try:
            model = model_says(changed)
        except CannotJudgeError:
            continue  # says so itself, and is never taken for a proof
        assert model == evaluator_says(changed), changed
        agreed += 1
    assert agreed > 30, "most variations can be put exactly"


def vary(case: Case, draw: random.Random) -> Case:
    if draw.random() < 0.5:
        return replace(case, secret=replace(case.secret, policy=worse(case.secret.policy, draw)))
    policies = tuple((name, worse(document, draw)) for name, document in case.who.policies)
    return replace(case, who=replace(case.who, policies=policies))


def test_a_role_is_read_with_all_that_is_attached_to_it(shipped: Sequence[Registered]) -> None:
    runtime: Role = read(shipped).roles[f"arn:aws:iam::{ACCOUNT}:role/myflux-local-runtime"]
    assert runtime.boundary is not None, "without it a mistake in a policy would have no limit"
    assert [name for name, _ in runtime.policies] == ["myflux-local-read"]
