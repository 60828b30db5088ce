"""The application's roles, as docs/going-live.md writes them: each becomes the runtime as one tenant, and opens no
other way to a key. Judged by the solver, and by the evaluator that the local cell enforces.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from local.aws.iam import decision as cells
from local.aws.iam.policy import parse
from local.aws.iam.principals import Caller
from ops.isolation.concrete import Somebody, decided
from ops.isolation.deployment import read
from ops.isolation.proof import prove
from ops.review.registered import Registered
from tenancy import Cell
from tests.rehearsal.page import PAGE, blocks

ACCOUNT = "000000000000"
SERVICES = {
    "ecs": (
        "ecs-tasks.amazonaws.com",
        {"aws:sourceaccount": ACCOUNT, "aws:sourcearn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:x"},
    ),
    "eks": ("pods.eks.amazonaws.com", {"aws:sourceaccount": ACCOUNT}),
    "lambda": ("lambda.amazonaws.com", {"aws:sourceaccount": ACCOUNT}),
    "ec2": ("ec2.amazonaws.com", {}),
}
FILES = {block.file: block.text for block in blocks(PAGE.read_text("utf-8")) if block.file.startswith("app/")}
HERE = {"123456789012": ACCOUNT, "eu-central-1": "us-east-1", "prod-eu1": "local"}


def document(file: str) -> str:
    text = FILES[file]
    for word, here in HERE.items():
        text = text.replace(word, here)
    return text


def arn(where: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/app-{where}"


def registered(shipped: Sequence[Registered], where: str) -> list[Registered]:
    """The application's role as if a stack had registered it."""
    like = next(one for one in shipped if one.type == "aws:iam/role:Role")
    name = f"app-{where}"
    role = {"name": name, "assumeRolePolicy": document(f"app/trust-{where}.json")}
    policy = {"name": "become-runtime", "role": name, "policy": document("app/become-runtime.json")}
    return [
        replace(like, name=name, inputs=role, outputs={"arn": arn(where)}),
        replace(like, type="aws:iam/rolePolicy:RolePolicy", name=f"{name}-policy", inputs=policy, outputs={}),
    ]


def test_the_page_has_a_trust_for_each_place_and_no_other_document() -> None:
    assert FILES.keys() == {"app/become-runtime.json", *(f"app/trust-{where}.json" for where in SERVICES)}


def test_the_solver_finds_no_way_to_a_key_that_they_open(shipped: Sequence[Registered], cell: Cell) -> None:
    own = [one for where in SERVICES for one in registered(shipped, where)]
    known = cell.model_copy(update={"runtime_principals": (*cell.runtime_principals, *map(arn, SERVICES))})
    deployment = read([*shipped, *own])
    assert {arn(where) for where in SERVICES} <= deployment.roles.keys(), "the solver was shown them"
    broken = [one for one in prove([*shipped, *own], known) if one.outcome != "holds"]
    assert not broken, broken
    policies = deployment.roles[arn("ecs")].policies
    for tag in (None, "acme"):
        for secret in (deployment.admin, *deployment.tenants):
            for action in ("GetSecretValue", "PutSecretValue"):
                assert decided(Somebody(arn("ecs"), policies, None, tag), f"secretsmanager:{action}", secret) is False


@pytest.mark.parametrize("where", SERVICES)
def test_its_own_service_alone_takes_the_role(where: str) -> None:
    service, keys = SERVICES[where]
    trust = parse(document(f"app/trust-{where}.json"))

    def takes(principal: str, keys: dict[str, str]) -> bool:
        caller = Caller(kind="Service", arn=principal, account=principal)
        asked = cells.Request("sts:AssumeRole", arn(where), {**keys})
        return bool(cells.nearest_allow(trust, caller, asked))

    assert takes(service, keys)
    assert not takes("states.amazonaws.com", keys)
    if keys:
        assert not takes(service, keys | {"aws:sourceaccount": "111122223333"}), "on behalf of another account"
    stranger = Caller(kind="User", arn=f"arn:aws:iam::{ACCOUNT}:user/stranger", account=ACCOUNT)
    assert not cells.nearest_allow(trust, stranger, cells.Request("sts:AssumeRole", arn(where), {**keys}))


@pytest.mark.parametrize(
    ("tags", "may"),
    [
        ({"tenant": "acme"}, True),
        ({}, False),
        ({"tenant": "acme", "eks-cluster-name": "x"}, False),
        ({"tenant": ""}, False),
    ],
    ids=["one tenant", "no tag", "another tag too", "empty"],
)
def test_it_becomes_the_runtime_as_one_tenant(
    shipped: Sequence[Registered], cell: Cell, tags: dict[str, str], may: bool
) -> None:
    """The trust names the principal; that it is listed in the cell's file is what lets it in."""
    role = next(one for one in shipped if one.inputs.get("name") == cell.names.runtime_role)
    trust = json.loads(role.inputs["assumeRolePolicy"])
    for statement in trust["Statement"]:
        statement["Principal"] = {"AWS": [arn("ecs")]}
    caller = Caller("AssumedRole", f"arn:aws:sts::{ACCOUNT}:assumed-role/app-ecs/s", ACCOUNT, arn("ecs"))
    keys: dict[str, Any] = {f"aws:requesttag/{name}": value for name, value in tags.items()}
    keys |= {"aws:tagkeys": tuple(tags)} if tags else {}
    policies = cells.Policies(
        parse(document("app/become-runtime.json")),
        resource=cells.ResourcePolicy(parse(json.dumps(trust)), ACCOUNT, required=True),
    )
    verdicts = [
        cells.decide(caller, cells.Request(f"sts:{action}", cell.names.runtime_role_arn, keys), policies).allowed
        for action in ("AssumeRole", *(["TagSession"] if tags else []))
    ]
    assert all(verdicts) is may
    stranger = replace(caller, arn=caller.arn.replace("app-ecs", "other"), role_arn=arn("other"))
    asked = cells.Request("sts:AssumeRole", cell.names.runtime_role_arn, keys)
    assert not cells.decide(stranger, asked, policies).allowed
