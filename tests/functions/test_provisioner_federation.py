"""The provisioner for a tenant without a key: one rule that lets just its sessions in, whatever happens on the way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

from functions.provisioner.project import ProjectError
from functions.provisioner.request import BadRequest, read_request
from functions.shared.openai_http import OpenAIError
from local import addresses
from local.issuer import Issuer
from tests.functions.federated import (
    FEDERATED,
    ISSUER,
    PROVIDERS,
    ROLE,
    TRUST,
    check,
    new_provider,
    new_rule,
    providers,
    rules,
    writes,
)
from tests.functions.world import CELL, FUNCTION, World, provisioner_input

OWN = "https://sts.amazonaws.com/"


def test_a_tenant_gets_a_provider_and_a_rule_and_the_answer_is_ids(world: World) -> None:
    made = world.provision("update", **FEDERATED)
    assert [one["name"] for one in providers(world)] == [f"myflux-{CELL}-1"]
    check(world, made)
    assert made == {
        "organization_id": "org-local",
        "project_id": world.project_id,
        "service_account_id": world.account_id,
        "federation": {"provider_id": providers(world)[0]["id"], "rule_id": rules(world)[0]["id"]},
        "base_url": world.url,
    }


def test_a_new_tenant_without_a_key_gets_its_rule_last_and_never_a_key(world: World) -> None:
    world.tenant += "-2"
    world.control.clear_calls()
    made = world.provision("create", keys=False, **FEDERATED)
    assert [write.rpartition("/")[2] for write in writes(world)] == [
        "projects",
        "service_accounts",
        "{service_account_id}",
        "model_permissions",
        "workload_identity_providers",
        "federation_rules",
    ]
    assert not [key.id for key in world.control.minted() if key.project_id == made["project_id"]]
    check(world, made)


def test_the_rule_lets_in_the_tenants_sessions_of_the_runtime_and_nobody_else(world: World, openai_home: Path) -> None:
    made = world.provision("update", **FEDERATED)
    with Issuer.serving(ISSUER) as issuer:
        addresses.publish(openai_home, ISSUER, issuer.url)

        def exchanged(tags: dict[str, str], sub: str = ROLE) -> httpx2.Response:
            now = int(world.control.state()["now"])
            claims = {"aud": TRUST["audience"], "sub": sub, OWN: {"principal_tags": tags}}
            times = {"iat": now, "nbf": now, "exp": now + 300}
            return httpx2.post(
                world.url.removesuffix("/v1") + "/oauth/token",
                data={
                    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                    "subject_token": issuer.token(claims | times),
                    "identity_provider_id": made["federation"]["provider_id"],
                    "service_account_id": made["service_account_id"],
                },
            )

        token = exchanged({"tenant": world.tenant}).json()["access_token"]
        for tags, sub in (
            ({"tenant": "another"}, ROLE),
            ({"tenant": f"{world.tenant}-2"}, ROLE),
            ({}, ROLE),
            ({"tenant": world.tenant}, f"{ROLE}-2"),
        ):
            assert exchanged(tags, sub).json()["error"] == "invalid_grant"
    models = httpx2.get(f"{world.url}/models", headers={"Authorization": f"Bearer {token}"})
    assert models.status_code == 200


def test_a_key_tenant_costs_no_call_more(world: World) -> None:
    world.control.clear_calls()
    world.provision("update", previous={"models": ["gpt-5"]})
    world.provision("delete", previous={})
    assert not [call.path for call in world.control.calls() if "workload_identity" in call.path]


def test_an_unchanged_update_writes_nothing(world: World) -> None:
    first = world.provision("update", **FEDERATED)
    world.control.clear_calls()
    assert world.provision("update", previous=FEDERATED, **FEDERATED) == first
    assert writes(world) == []


@pytest.mark.parametrize("permission", ["all", "read_only", "restricted"])
def test_a_token_may_do_what_the_tenants_keys_would(world: World, permission: str) -> None:
    """As asked for at minting; `all` is what the service account may."""
    for _ in range(2):
        world.provision("update", federation=TRUST | {"permission": permission})
    scopes = {"all": None, "read_only": 1, "restricted": 4}[permission]
    given = rules(world)[0]["permissions"]
    assert (len(given["scopes"]) if "scopes" in given else None) == scopes


CHANGES: list[dict[str, Any]] = [
    {"enabled": False},
    {"name": "renamed"},
    {"attribute_matchers": {"sub": "arn:aws:iam::*"}},
    {"attribute_matchers": {"sub": ROLE}},
    {"permissions": {"type": "service_account_default"}},
    {"permissions": {"type": "restricted", "scopes": ["api.all.read"]}},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_rule_that_a_person_edited_is_put_right(world: World, change: dict[str, Any]) -> None:
    made = world.provision("update", **FEDERATED)
    provider, rule = made["federation"]["provider_id"], made["federation"]["rule_id"]
    world.api().send("POST", f"{PROVIDERS}/{provider}/federation_rules/{rule}", body=change)
    world.control.clear_calls()
    assert world.provision("update", **FEDERATED) == made
    assert len(writes(world)) == 1
    check(world, made)


@pytest.mark.parametrize(
    "change",
    [
        {"enabled": False},
        {"issuer": "https://other.example"},
        {"audience": "other"},
        {"attribute_transformations": [{"attribute": "openai.tenant", "expression": "assertion.sub"}]},
        {"verification": {"type": "discovery", "discovery_url": "https://other.example/openid"}},
    ],
    ids=str,
)
def test_a_provider_that_a_person_edited_is_put_right(world: World, change: dict[str, Any]) -> None:
    made = world.provision("update", **FEDERATED)
    world.api().send("POST", f"{PROVIDERS}/{made['federation']['provider_id']}", body=change)
    assert world.provision("update", **FEDERATED) == made
    check(world, made)
    assert providers(world)[0]["verification"]["discovery_url"] is None


def test_a_provider_that_a_person_deleted_is_made_again(world: World) -> None:
    first = world.provision("update", **FEDERATED)["federation"]
    target = f"{PROVIDERS}/{first['provider_id']}"
    for path in (f"{target}/federation_rules/{first['rule_id']}", target):
        world.api().send("DELETE", path)
    made = world.provision("update", **FEDERATED)
    assert made["federation"]["provider_id"] != first["provider_id"]
    check(world, made)


@pytest.mark.parametrize("beside", [True, False], ids=["same provider", "another provider"])
@pytest.mark.parametrize("older", [True, False], ids=["older", "younger"])
def test_a_second_rule_for_the_tenant_is_deleted(world: World, beside: bool, older: bool) -> None:
    """One that a person made may let in another role; and OpenAI refuses a token that two rules match."""
    world.control.settings(one_rule_per_account=False)
    first = new_provider(world, f"myflux-{CELL}-1")
    second = first if beside else new_provider(world, f"myflux-{CELL}-2")
    if older:
        new_rule(world, second)
    made = world.provision("update", **FEDERATED)
    if not older:
        new_rule(world, second)
        assert world.provision("update", **FEDERATED) == made
    check(world, made, of=1 if beside else 2)


def test_a_new_service_account_gets_the_rule(world: World) -> None:
    first = world.provision("update", **FEDERATED)
    base = f"/organization/projects/{world.project_id}/service_accounts"
    world.api().send("DELETE", f"{base}/{world.account_id}")
    made = world.provision("update", **FEDERATED)
    assert made["service_account_id"] != first["service_account_id"]
    check(world, made)


def test_what_is_not_the_cells_is_not_touched(world: World) -> None:
    others = ["aws", f"myflux-{CELL}-x", f"myflux-{CELL}-1-1", f"myflux-{CELL}", f"xmyflux-{CELL}-1"]
    ids = [new_provider(world, name, audience="other") for name in others]
    theirs = new_rule(world, ids[0])
    made = world.provision("update", **FEDERATED)
    assert made["federation"]["provider_id"] not in ids
    world.provision("update", previous=FEDERATED)
    assert [rule["id"] for rule in rules(world)] == [theirs]
    assert [one["audience"] for one in providers(world) if one["id"] in ids] == ["other"] * 5


@pytest.mark.parametrize("renamed", [False, True])
def test_without_federation_the_rule_goes_before_anything_else(world: World, renamed: bool) -> None:
    made = world.provision("update", **FEDERATED)["federation"]
    if renamed:
        target = f"{PROVIDERS}/{made['provider_id']}/federation_rules/{made['rule_id']}"
        world.api().send("POST", target, body={"name": "renamed"})
    world.control.clear_calls()
    result = world.provision("update", previous=FEDERATED, models=["gpt-5"])
    assert "federation" not in result
    assert "base_url" not in result
    assert rules(world) == []
    assert re.match("DELETE .*federation_rules", writes(world)[0])
    assert len(writes(world)) == 2, "then the models"


def test_an_update_that_is_repeated_as_it_was_deletes_a_rule_that_the_first_one_left(world: World) -> None:
    """pulumi-aws records the new input of an update that failed: the repeated one no longer sees what was before."""
    world.provision("update", **FEDERATED)
    world.control.fault("500", method="DELETE", count=None)
    with pytest.raises(OpenAIError, match="500"):
        world.provision("update", previous=FEDERATED)
    world.control.clear_faults()
    world.provision("update", previous={})
    assert rules(world) == []


@pytest.mark.parametrize("before", [False, True])
def test_off_boarding_deletes_the_rule_first(world: World, before: bool) -> None:
    """Whether the file still says so, or only the input before it."""
    world.provision("update", **FEDERATED)
    world.rotate()
    world.control.clear_calls()
    result = world.provision("delete", previous=FEDERATED) if before else world.provision("delete", **FEDERATED)
    assert result["archived"] is True
    assert rules(world) == []
    assert "federation_rules" in writes(world)[0]
    assert writes(world)[-1].endswith("/archive")


def test_a_rule_goes_though_its_project_is_archived_already(world: World) -> None:
    world.provision("update", **FEDERATED)
    world.api().send("POST", f"/organization/projects/{world.project_id}/archive")
    assert world.provision("delete", **FEDERATED)["archived"] is True
    assert rules(world) == []


def test_no_answer_is_believed_that_a_rule_was_deleted(world: World) -> None:
    world.provision("update", **FEDERATED)
    world.control.fault("not_done", method="DELETE", path="federation_rules")
    with pytest.raises(ProjectError, match="still there: run it again"):
        world.provision("delete", **FEDERATED)
    assert not next(project for project in world.control.projects() if project.id == world.project_id).archived


BAD: list[tuple[dict[str, Any], str]] = [
    ({"federation": "yes"}, "must be an object"),
    ({"federation": {}}, "exactly the texts audience, issuer, permission, subject"),
    ({"federation": TRUST | {"tenant": "acme"}}, "exactly the texts"),
    ({"federation": TRUST | {"issuer": None}}, "exactly the texts"),
    ({"federation": TRUST | {"issuer": "http://issuer.example"}}, "issuer"),
    ({"federation": TRUST | {"issuer": ""}}, "issuer"),
    ({"federation": TRUST | {"issuer": "https://issuer.example"}}, "issuer"),
    ({"federation": TRUST | {"issuer": f"{TRUST['issuer']}.issuer.example"}}, "issuer"),
    ({"federation": TRUST | {"subject": ROLE.replace("000000000000", "999999999999")}}, "subject"),
    ({"federation": TRUST | {"subject": ROLE.replace("arn:aws:", "arn:aws-cn:")}}, "subject"),
    ({"federation": TRUST | {"audience": "myflux-other"}}, "audience"),
    ({"federation": TRUST | {"subject": "arn:aws:iam::000000000000:role/*"}}, "subject"),
    ({"federation": TRUST | {"subject": "arn:aws:iam::000000000000:role/other"}}, "subject"),
    ({"federation": TRUST | {"subject": f"{ROLE}*"}}, "subject"),
    ({"federation": TRUST | {"permission": "admin"}}, "permission"),
    ({"federation": TRUST, "organization_id": "org-theirs"}, "without `organization_id`"),
    ({"keys": "no"}, "`keys`"),
    ({"keys": None}, "`keys`"),
]


@pytest.mark.parametrize(("change", "reason"), BAD, ids=[str(case[0]) for case in BAD])
def test_bad_input_is_refused_before_any_call(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        read_request(
            provisioner_input("acme", **change) | {"tf": {"action": "create", "prev_input": None}}, CELL, FUNCTION
        )


def test_a_rule_can_always_be_deleted() -> None:
    event = provisioner_input("acme", federation="nonsense", keys="no") | {"tf": {"action": "delete"}}
    assert read_request(event, CELL, FUNCTION).had_rule
