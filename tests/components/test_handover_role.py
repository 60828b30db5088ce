"""The hand-over role exists where the cell names people; its documents allow one person one tenant's current key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.handover import used_pattern
from components.iam.handover import handover_read, handover_trust, pasted_tags
from components.platform import Platform
from components.tenant_key import TenantKey
from local.aws.iam.decision import Policies, Request, decide
from local.aws.iam.policy import parse
from local.aws.iam.principals import Caller
from myflux_keys.aws_names import CellNames
from tests.components.test_platform import arguments as platform_arguments
from tests.components.test_tenant_key import arguments as tenant_arguments
from tests.components.test_tenant_key import statements

Build = Callable[[Callable[[], Any]], Any]
ROLE = "aws:iam/role:Role"
RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
KEY = "aws:kms/key:Key"
ANA = "arn:aws:iam::111122223333:user/people/ana"
BO = "arn:aws:iam::111122223333:role/sign-on"


@pytest.fixture(scope="module")
def recorded(build: Build, cell: CellNames, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return build(
        lambda: Platform(
            "prod-eu1", platform_arguments(cell, tmp_path_factory.mktemp("archive"), handover_principals=[ANA])
        )
    )


def reads(cell: CellNames, *, tag: str = "acme", consumers: str = "myflux cinnox", stage: str = "AWSCURRENT") -> bool:
    """Whether the role's own policy lets a session tagged acme read the secret whose tags are these."""
    arn = cell.tenant(tag).secret_arn_pattern.replace("?", "x")
    session = f"arn:aws:sts::{cell.account_id}:assumed-role/{cell.handover_role}/ana"
    keys = {
        "aws:principaltag/tenant": "acme",
        "secretsmanager:resourcetag/tenant": tag,
        "secretsmanager:resourcetag/cell": cell.cell,
        "secretsmanager:resourcetag/myflux:consumers": consumers,
        **({"secretsmanager:versionstage": stage} if stage else {}),
    }
    asked = Request("secretsmanager:GetSecretValue", arn, dict(keys))
    caller = Caller("AssumedRole", session, cell.account_id, cell.handover_role_arn)
    return decide(caller, asked, Policies(parse(handover_read(cell)), None)).allowed


def test_a_cell_that_names_nobody_has_no_role_and_no_rule(build: Build, cell: CellNames, tmp_path: Path) -> None:
    recorded = build(lambda: Platform("prod-eu1", platform_arguments(cell, tmp_path)))
    made = [one.name for one in recorded.resources if one.inputs.get("name") == cell.handover_role]
    assert made == [one.name for one in recorded.resources if "handover-" in one.name] == []


def test_the_role_is_bounded_and_lasts_an_hour(recorded: Any, cell: CellNames) -> None:
    role = recorded.one(ROLE, "handover-role").inputs
    assert (role["name"], role["maxSessionDuration"]) == (cell.handover_role, 3600)
    assert role["permissionsBoundary"].endswith(":" + recorded.one("aws:iam/policy:Policy", "-boundary").name)


def test_nobody_becomes_the_role_before_its_use_is_told(recorded: Any, cell: CellNames) -> None:
    rule, target = recorded.one(RULE, "handover-used"), recorded.one(TARGET, "handover-used-target")
    assert json.loads(rule.inputs["eventPattern"]) == used_pattern(cell)
    assert rule.inputs["state"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", "a read is a read-only event"
    assert target.inputs["arn"].endswith(":" + recorded.one("aws:sns/topic:Topic").name)
    assert recorded.reaches(recorded.one(ROLE, "handover-role"), target)


def test_a_user_bears_their_own_name_and_a_roles_session_any() -> None:
    allowed, own = handover_trust([ANA, BO])["Statement"]
    assert allowed["Principal"] == {"AWS": [ANA, BO]}
    assert allowed["Condition"]["Bool"] == {"aws:MultiFactorAuthPresent": "true"}
    assert (own["Effect"], own["Principal"]) == ("Deny", {"AWS": [ANA]})
    assert len(handover_trust([BO])["Statement"]) == 1, "IAM refuses a statement with no principal"


def test_it_reads_the_current_key_of_its_own_tenant_with_such_a_consumer(cell: CellNames) -> None:
    assert reads(cell)
    assert reads(cell, consumers="cinnox")
    assert not reads(cell, tag="globex"), "another tenant's"
    assert not reads(cell, consumers="myflux"), "nobody pastes this one"
    assert not reads(cell, consumers="myflux cinnox-like"), "a consumer whose name only begins so"
    assert not reads(cell, stage="AWSPREVIOUS")
    assert not reads(cell, stage=""), "a request without a stage may name any version by its id"


def test_a_tag_is_compared_by_whole_words() -> None:
    assert pasted_tags() == ["cinnox", "cinnox *", "* cinnox", "* cinnox *"]


@pytest.mark.parametrize("dedicated", [False, True])
def test_a_secret_opens_for_it_where_the_tenant_is_handed_over(build: Build, cell: CellNames, dedicated: bool) -> None:
    names = cell.tenant("acme")

    def made(**changes: Any) -> Any:
        return build(lambda: TenantKey("acme", tenant_arguments(names, dedicated=dedicated, **changes)))

    recorded = made(handed_over=True, consumers="cinnox")
    (only,) = statements(recorded, "OnlyRuntimeAndFunctionsRead")
    assert cell.handover_role_arn in only["Condition"]["StringNotEquals"]["aws:PrincipalArn"]
    (tenants,) = statements(recorded, "RuntimeReadsAsThisTenantOnly")
    assert cell.handover_role_arn in tenants["Condition"]["StringEquals"]["aws:PrincipalArn"]
    (current,) = statements(recorded, "PeopleReadTheCurrentKeyOnly")
    assert current["Condition"]["StringNotEquals"] == {"secretsmanager:VersionStage": "AWSCURRENT"}
    (disabled,) = statements(made(handed_over=True, enabled=False), "TenantDisabled")
    assert cell.handover_role_arn in disabled["Condition"]["StringEquals"]["aws:PrincipalArn"]
    if dedicated:
        use = {s["Sid"]: s for s in json.loads(recorded.one(KEY).inputs["policy"])["Statement"]}
        assert use["DecryptedForHandover"]["Action"] == ["kms:Decrypt"]
    plain = made()
    assert cell.handover_role not in json.dumps([dict(one.inputs) for one in plain.resources], default=str)


def test_a_customers_own_key_is_handed_over_too(build: Build, cell: CellNames) -> None:
    """A rotation's tags are of minted keys alone; the tag of the consumers is of every tenant."""
    names = cell.tenant("acme")
    recorded = build(lambda: TenantKey("acme", tenant_arguments(names, managed=None, consumers="myflux cinnox")))
    assert recorded.one("aws:secretsmanager/secret:Secret").inputs["tags"]["myflux:consumers"] == "myflux cinnox"
