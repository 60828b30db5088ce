"""A copy in another Region is a secret of its own to whoever tries it: the claims speak of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

import tenancy
from ops.isolation.claims import Claim, claims
from ops.isolation.deployment import Deployment, read
from ops.isolation.proof import verdict
from ops.review.rehearsal import Registered, rehearse
from tenancy import Cell
from tests.mutants.subjects import COPIED

STACKS = ("copied", "harbor.copied")

OF_COPIES = {
    "tenants-stay-apart",
    "only-readers-read",
    "only-deployers-govern",
    "only-writers-write",
    "a-disabled-tenant-is-refused",
}


@pytest.fixture(scope="module")
def cell() -> Cell:
    return tenancy.load(COPIED).cells["copied"]


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    registered: Sequence[Registered] = [one for stack in STACKS for one in rehearse(stack, COPIED)]
    return read(registered)


def of(deployment: Deployment, cell: Cell) -> dict[str, Claim]:
    return {claim.name: claim for claim in claims(deployment, cell)}


def test_a_copy_has_its_secrets_tags_and_policy_and_another_regions_arn(deployment: Deployment) -> None:
    (secret,) = deployment.tenants
    home, *copies = secret, *secret.copies
    assert [one.arn.split(":")[3] for one in copies] == ["eu-west-1", "us-west-2"]
    assert {(one.tags, one.policy, one.arn.split(":", 4)[4]) for one in copies} == {
        (home.tags, home.policy, home.arn.split(":", 4)[4])
    }


def test_the_claims_about_a_tenants_secret_try_its_copies_too(deployment: Deployment, cell: Cell) -> None:
    without = replace(
        deployment,
        shapes=[replace(one, secret=replace(one.secret, copied_to=())) for one in deployment.shapes],
    )
    tried = {name: len(list(claim.attempts())) for name, claim in of(deployment, cell).items()}
    at_home = {name: len(list(claim.attempts())) for name, claim in of(without, cell).items()}
    assert {name for name in tried if tried[name] > at_home[name]} == OF_COPIES


def test_a_copy_whose_policy_lets_others_in_breaks_a_claim(deployment: Deployment, cell: Cell) -> None:
    (shape,) = deployment.shapes
    opened = replace(shape, secret=replace(shape.secret.copies[0], policy='{"Version": "2012-10-17", "Statement": []}'))
    found = verdict(of(replace(deployment, shapes=[opened]), cell)["only-readers-read"])
    assert found.outcome == "broken", "an administrator reads a copy that nothing denies"
    assert verdict(of(deployment, cell)["only-readers-read"]).outcome == "holds"
