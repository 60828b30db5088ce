"""A mistake is told once, worst first, at the line to look at; what could not be judged is never an exit code of 0."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ops.review.file_line import Place
from ops.review.registered import Registered
from ops.review.remark import Outcome, Remark, exit_code, gathered
from ops.review.source_lines import Places

V, U, A = Outcome.VIOLATION, Outcome.UNJUDGED, Outcome.ADVICE


def remark(outcome: Outcome = V, **fields: object) -> Remark:
    return Remark("a-rule", outcome, "high", "it fails", **fields)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("outcomes", "code"), [([], 0), ([A], 0), ([U, A], 2), ([V, U], 1)], ids=["nothing", "advice", "unjudged", "failed"]
)
def test_the_exit_code_is_that_of_the_worst(outcomes: list[Outcome], code: int) -> None:
    assert exit_code(remark(outcome) for outcome in outcomes) == code


def test_one_mistake_in_many_stacks_is_told_once_and_another_line_apart() -> None:
    place = Place("components/x.py", 3)
    many = [
        remark(stacks=(f"{tenant}.local",), resource=f"{tenant}-key", urns=(tenant,), place=place)
        for tenant in ("acme", "fjord")
    ]
    told = gathered([*many, remark(place=Place("components/x.py", 9)), remark(A), remark(U)])
    assert [one.outcome for one in told] == [V, V, U, A]
    assert (told[0].stacks, told[0].urns) == (("acme.local", "fjord.local"), ("acme", "fjord"))


ROTATION = Registered(
    urn="u",
    type="aws:secretsmanager/secretRotation:SecretRotation",
    name="acme-rotation",
    inputs={},
    id="",
    outputs={},
    parent="",
    provider="",
    custom=True,
    protect=False,
    retain_on_delete=False,
    dependencies=frozenset(),
    property_dependencies={},
    place=Place("components/tenant_key.py", 127),
)


@pytest.mark.parametrize(
    ("changed", "path", "place"),
    [
        (["tenants/acme.yaml"], "rotationRules.scheduleExpression", "tenants/acme.yaml:4"),
        (["tenants/acme.yaml"], "rotateImmediately", "tenants/acme.yaml:1"),
        (["components/tenant_key.py"], "rotationRules", "components/tenant_key.py:127"),
        (["components/tenant_key.py"], "rotateImmediately", "components/tenant_key.py:127"),
        (["components/iam/resource.py"], "rotationRules", "components/tenant_key.py:127"),
    ],
)
def test_the_file_that_the_branch_changed_is_where_to_look(
    changed: list[str], path: str, place: str, tmp_path: Path
) -> None:
    (tmp_path / "tenants").mkdir()
    text = "tenant: acme\nname: Acme\ncell: local\nrotation: {every_days: 90}\n"
    (tmp_path / "tenants" / "acme.yaml").write_text(text, encoding="utf-8")
    assert str(Places(tmp_path, ".", changed).of("acme.local", ROTATION, path)) == place


@pytest.mark.parametrize(
    ("role", "line"), [("runtime", 2), ("handover", 3), ("deployer", 4)], ids=["the runtime", "people", "a pipeline"]
)
def test_a_roles_trust_leads_to_the_field_that_names_whom_it_trusts(role: str, line: int, tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    text = "cell: prod\nruntime_principals: [a]\nhandover: {principals: [b]}\npipeline: {deploys: tenants}\n"
    (tmp_path / "cells" / "prod.yaml").write_text(text, encoding="utf-8")
    made = replace(ROTATION, type="aws:iam/role:Role", inputs={"name": f"myflux-prod-{role}"})
    found = Places(tmp_path, ".", ["cells/prod.yaml"]).of("prod", made, "assumeRolePolicy.Statement[0]")
    assert str(found) == f"cells/prod.yaml:{line}"
