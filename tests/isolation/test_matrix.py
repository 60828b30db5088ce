"""The matrix says what the documents mean, as the cell's own evaluator does, and changes when they do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from ops.isolation import Matrix, matrix
from ops.isolation.access import ADMIN_KEY, columns, somebody
from ops.isolation.attempts import GOVERN
from ops.isolation.bootstrapped import by_bootstrap
from ops.isolation.deployment import Deployment, read
from ops.isolation.grants import GROUPS
from ops.isolation.state import deployed
from ops.isolation.terms import CannotJudgeError
from ops.review.rehearsal import Registered
from tenancy import Cell
from tests.isolation.conftest import Statements, broken, by_sid, without
from tests.isolation.test_model_and_evaluator import Case, evaluator_says

TENANTS = ("acme", "fjord", "globex", "initech")


@pytest.fixture(scope="module")
def says(shipped: Sequence[Registered], cell: Cell) -> Matrix:
    return matrix(shipped, cell)


def who_may(says: Matrix, group: str, secret: str) -> set[str]:
    return {p.label for p in says.principals if says.granted(p.label, secret, group)}


def test_a_key_is_read_by_its_own_runtime_and_the_functions_that_need_it(says: Matrix) -> None:
    functions = {"rotation", "sweep", "health"}
    for tenant in ("acme", "initech"):
        assert who_may(says, "read", tenant) == {f"runtime as {tenant}", *functions}
    assert who_may(says, "read", "fjord") == {"runtime as fjord", "hand-over as fjord", *functions}, (
        "a person pastes this one into CINNOX"
    )
    assert who_may(says, "read", "globex") == {"globex's own role", *functions}, (
        "a dedicated tenant is not read through the role that the others share"
    )


def test_the_admin_key_is_read_by_functions_alone(says: Matrix) -> None:
    functions = {p.label for p in says.principals if p.kind == "function"}
    assert (
        who_may(says, "read", ADMIN_KEY)
        == functions
        == {
            "admin-rotator",
            "health",
            "provisioner",
            "rotation",
            "sweep",
        }
    )


def test_keys_are_written_by_the_rotation_and_only_those_made_elsewhere_by_the_deployer(says: Matrix) -> None:
    written = {secret: who_may(says, "write", secret) for secret in says.secrets}
    minted = {tenant: {"rotation"} for tenant in ("acme", "fjord", "globex")}
    assert written == {**minted, "initech": {"deployer"}, ADMIN_KEY: {"deployer", "admin-rotator"}}


def test_the_deployer_alone_governs_in_all_things(says: Matrix) -> None:
    for secret in says.secrets:
        assert who_may(says, "govern", secret) == {"deployer"}
        assert says.marks("deployer", secret)["govern"] == "all"


def test_an_administrator_may_nothing_in_this_account_or_another(says: Matrix) -> None:
    people = {p.label: p.arn.split(":")[4] for p in says.principals if p.kind == "person"}
    assert len(set(people.values())) == 2, "somebody of another account is among them"
    granted = {grant.principal for grant in says.grants}
    assert not granted & {"administrator", "admin of another account", "runtime, untagged", "runtime as globex"}


def test_every_cell_is_what_the_local_evaluator_says(says: Matrix, shipped: Sequence[Registered], cell: Cell) -> None:
    weak = broken(shipped, "acme-key-policy", without("OnlyRuntimeAndFunctionsRead"))
    for resources, matrix_ in ((shipped, says), (weak, matrix(weak, cell))):
        deployment = read(resources)
        secrets = columns(deployment, matrix_.secrets)
        said = {
            (p.label, label, action)
            for p in matrix_.principals
            for label in matrix_.secrets
            for actions in GROUPS.values()
            for action in actions
            if evaluator_says(Case(somebody(deployment, p), action, secrets[label]))
        }
        assert {(grant.principal, grant.secret, grant.action) for grant in matrix_.grants} == said
        assert all(grant.certain for grant in matrix_.grants), "nothing was left open"


def test_a_door_left_open_is_a_difference_that_names_who_and_what(
    says: Matrix, shipped: Sequence[Registered], cell: Cell
) -> None:
    weak = matrix(broken(shipped, "acme-key-policy", without("OnlyRuntimeAndFunctionsRead")), cell)
    assert weak != says
    assert {(g.principal, g.secret, g.action) for g in weak.grants - says.grants} == {
        (person, "acme", "GetSecretValue") for person in ("administrator", "deployer")
    }


def test_a_right_in_part_is_shown_as_one(says: Matrix, shipped: Sequence[Registered], cell: Cell) -> None:
    def tags_unguarded(statements: Statements) -> None:
        by_sid(statements, "OnlyDeployersGovern")["Action"].remove("secretsmanager:TagResource")

    weak = matrix(broken(shipped, "acme-key-policy", tags_unguarded), cell)
    assert weak.marks("administrator", "acme")["govern"] == "some"
    assert "administrator on acme: `TagResource`" in weak.markdown(), "which part of it is told below the table"
    assert "in part" not in says.markdown()


def test_what_the_model_does_not_know_counts_as_granted_with_a_question_mark(
    shipped: Sequence[Registered], cell: Cell
) -> None:
    def on_sundays(statements: Statements) -> None:
        by_sid(statements, "OnlyDeployersGovern")["Condition"]["DateLessThan"] = {"aws:CurrentTime": "2030-01-01"}

    unsure = matrix(broken(shipped, "acme-key-policy", on_sundays), cell)
    found = unsure.granted("administrator", "acme", "govern")
    assert {grant.action for grant in found} == set(GOVERN)
    assert not any(grant.certain for grant in found)
    row = next(line for line in unsure.markdown().splitlines() if line.startswith("| administrator |"))
    assert "govern?" in row


def test_documents_that_cannot_be_read_make_no_matrix_but_say_why(shipped: Sequence[Registered], cell: Cell) -> None:
    alone = matrix([resource for resource in shipped if "acme" in resource.urn], cell)
    assert alone.grants == frozenset()
    assert "0 admin secrets" in alone.markdown()
    assert "<svg" in alone.svg(), "a picture of nothing is still a picture"


def test_two_tenants_stand_for_all_that_have_the_same_documents(shipped: Sequence[Registered], cell: Cell) -> None:
    acme = [r for r in shipped if "::acme" in r.name or "acme" in r.urn]
    text = json.dumps([[r.urn, r.type, r.name, dict(r.inputs), dict(r.outputs)] for r in acme], default=str)
    more = [
        replace(r, inputs=inputs, outputs=outputs)
        for slug in ("apex", "arbor")
        for r, (_, _, _, inputs, outputs) in zip(acme, json.loads(text.replace("acme", slug)), strict=True)
    ]
    crowd = matrix([*shipped, *more], cell)
    assert crowd.secrets == ("acme", "apex", "fjord", "globex", "initech", ADMIN_KEY)
    assert "acme is shown for 3 tenants, which have the same documents" in crowd.markdown()


def test_the_table_and_the_picture_show_every_principal_and_secret(says: Matrix) -> None:
    lines = says.markdown().splitlines()
    assert lines[0].split("|")[2:-1] == [f" {secret} " for secret in says.secrets]
    picture = ElementTree.fromstring(says.svg())
    texts = {element.text for element in picture.iter() if element.tag.endswith("}text")}
    for label in (*(p.label for p in says.principals), *says.secrets):
        assert label in texts, "the picture leaves nobody out"
    titles = [element.text for element in picture.iter() if element.tag.endswith("}title")]
    groups = {(g.principal, g.secret, name) for g in says.grants for name, of in GROUPS.items() if g.action in of}
    assert sorted(titles[1:], key=str) == sorted(f"{who} on {secret}: {name}" for who, secret, name in groups)
    assert "<script" not in says.svg()


def test_what_is_deployed_is_read_from_a_state_as_from_a_rehearsal(shipped: Sequence[Registered]) -> None:
    state = {
        "resources": [
            {"urn": r.urn, "type": r.type, "inputs": r.inputs, "outputs": {**r.inputs, **r.outputs}}
            for r in shipped
            if r.type.startswith(("aws:iam", "aws:kms", "aws:s3/bucketPolicy", "aws:secretsmanager"))
        ]
    }
    found = json.dumps(state)
    assert read(deployed(found)) == read(shipped)
    going = json.loads(found)
    going["resources"].append({**going["resources"][0], "delete": True})
    assert deployed(json.dumps(going)) == deployed(found), "what waits for being deleted grants nothing"


def test_the_boundaries_of_a_bootstrapped_cell_are_known_though_another_stack_has_them(
    shipped: Sequence[Registered], cell: Cell
) -> None:
    arn = cell.names.policy_arn(cell.names.boundary_policy)
    platforms = [one for one in shipped if one.outputs.get("arn") != arn]
    assert len(platforms) == len(shipped) - 1
    with pytest.raises(CannotJudgeError, match="no stack of the cell holds that policy"):
        read(platforms, by_bootstrap(cell))
    bootstrapped = cell.model_copy(update={"bootstrapped": True})
    assert _boundaries(read(platforms, by_bootstrap(bootstrapped))) == _boundaries(read(shipped))


def _boundaries(deployment: Deployment) -> dict[str, Any]:
    return {arn: json.loads(role.boundary or "null") for arn, role in deployment.roles.items()}
