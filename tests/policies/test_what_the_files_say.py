"""Rules that are told what the files of a cell and its tenants say, and hold the stack to it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import tenancy
from ops.review.judging import config
from policies.guardrails.config import Config
from policies.guardrails.model import UNKNOWN, Archive, Finding, Resource
from program import ROOT
from tests.policies.keyless import cell_with_federation, keyless, tenants_with_federation
from tests.policies.pipelines import cell_with_a_pipeline, with_a_pipeline
from tests.policies.rehearsed import STACKS, changed, edited, findings, judge, resource, stack, without

FLEET = tenancy.load(ROOT)
TOLD = config(FLEET.cells["local"], FLEET.tenants_of("local"))
PROMISED, HEARD, CODE, PLACE = (
    "tenant-gets-what-its-file-says",
    "alarms-topic-closed",
    "functions-run-our-code",
    "one-account-one-region",
)
SECRET, PROJECT = "acme-key-secret", "acme-openai-invocation"
SUBSCRIPTION = "local-alarms-oncall@myflux.example"


def shown(found: list[Finding]) -> set[tuple[str, str, str]]:
    return {(one.urn.rpartition("::")[2], one.path, one.kind) for one in found}


def tagged(**tags: Any) -> tuple[Resource, ...]:
    (secret,) = [one for one in stack("acme.local") if one.name == SECRET]
    told = {f"myflux:{name}": value for name, value in tags.items()}
    return changed(stack("acme.local"), SECRET, tags=secret.get("tags") | told)


def asked(**fields: Any) -> tuple[Resource, ...]:
    return edited(stack("acme.local"), PROJECT, "input", lambda input_: input_.update(fields))


@pytest.mark.parametrize("name", STACKS)
def test_what_ships_is_what_its_files_say(name: str) -> None:
    assert judge(stack(name), TOLD) == []


def test_a_key_has_the_permission_and_the_models_of_its_tenants_file() -> None:
    assert shown(findings(PROMISED, tagged(permission="all"), TOLD)) == {
        (SECRET, "tags.myflux:permission", "violation")
    }
    assert shown(findings(PROMISED, tagged(models="gpt-6-luna"), TOLD)) == {(SECRET, "tags.myflux:models", "violation")}
    assert shown(findings(PROMISED, tagged(permission=UNKNOWN), TOLD)) == {
        (SECRET, "tags.myflux:permission", "unknown")
    }
    assert findings(PROMISED, tagged(permission="all")) == [], "untold there is nothing to compare with"
    stray = replace(TOLD, promises=TOLD.promises[1:])
    assert {one[0] for one in shown(findings(PROMISED, stack("acme.local"), stray))} == {SECRET, PROJECT}, "no file"


def test_a_project_has_the_limits_and_the_budget_of_its_tenants_file() -> None:
    for field, value in {
        "budget": None,
        "rate_limits": {},
        "models": ["gpt-5.4-mini", "gpt-6-luna"],
    }.items():
        found = shown(findings(PROMISED, asked(**{field: value}), TOLD))
        assert found == {(PROJECT, f"input.{field}", "violation")}, field
    fjord = edited(
        stack("fjord.local"), "fjord-openai-invocation", "input", lambda input_: input_["budget"].pop("hard")
    )
    assert findings(PROMISED, fjord, TOLD), "that it is soft is said too"
    hidden = changed(stack("acme.local"), PROJECT, input=UNKNOWN)
    assert shown(findings(PROMISED, hidden, TOLD)) == {(PROJECT, "input", "unknown")}
    theirs = resource("aws:lambda/invocation:Invocation", input=json.dumps({"tenant": "acme", "budget": 1}))
    assert findings(PROMISED, [theirs], TOLD) == [], "another team's call"


def test_a_tenant_has_tokens_in_place_of_keys_as_its_file_says() -> None:
    told = config(cell_with_federation(), tenants_with_federation())
    made, call = keyless("harbor.local"), "harbor-openai-invocation"
    assert findings(PROMISED, made, told) == []

    def found(edit: Any) -> set[str]:
        return {one.path for one in findings(PROMISED, edited(made, call, "input", edit), told)}

    assert found(lambda asked: asked["federation"].update(permission="all")) == {"input.federation.permission"}
    assert found(lambda asked: asked.pop("keys")) == {"input.keys"}, "its key would live on"
    assert {one.path for one in findings(PROMISED, asked(keys=False), TOLD)} == {"input.keys"}
    federation = {"permission": "restricted"}
    assert {one.path for one in findings(PROMISED, asked(federation=federation), TOLD)} == {"input.federation"}


def test_alarms_are_heard_by_those_whom_the_cells_file_names_and_by_nobody_else() -> None:
    platform = stack("local")
    stranger = changed(platform, SUBSCRIPTION, endpoint="eve@elsewhere.example")
    assert {one[2] for one in shown(findings(HEARD, stranger, TOLD))} == {"violation"}
    assert {one[0] for one in shown(findings(HEARD, stranger, TOLD))} == {SUBSCRIPTION, "local-alarms-topic"}
    assert findings(HEARD, stranger) == [], "untold, whoever is there will do"
    assert findings(HEARD, changed(platform, SUBSCRIPTION, protocol="https"), TOLD)
    assert findings(HEARD, without(platform, SUBSCRIPTION), TOLD), "nobody hears"
    hidden = changed(platform, SUBSCRIPTION, endpoint=UNKNOWN)
    assert (SUBSCRIPTION, "endpoint", "unknown") in shown(findings(HEARD, hidden, TOLD))


def test_a_function_runs_the_archive_that_is_built_for_it() -> None:
    name, platform = "local-rotation-function", stack("local")
    for code in (
        Archive(path="elsewhere.zip"),
        Archive(path="/repo/.build/sweep.zip"),
        Archive(uri="https://elsewhere.example/.build/rotation.zip"),
        Archive(parts={"handler.py": "steal()"}),
        "/repo/.build/rotation.zip",
        None,
    ):
        assert shown(findings(CODE, changed(platform, name, code=code))) == {(name, "code", "violation")}, code
    assert shown(findings(CODE, changed(platform, name, code=UNKNOWN))) == {(name, "code", "unknown")}
    assert findings(CODE, changed(platform, name, code=Archive())) == [], "what the engine shows of a file"


def test_the_provider_works_in_the_account_and_region_that_the_arns_name() -> None:
    name, platform = "local-aws", stack("local")
    assert findings(PLACE, platform) == []
    for properties in ({"allowedAccountIds": None}, {"allowedAccountIds": '["999999999999"]'}, {"region": "eu-west-1"}):
        assert shown(findings(PLACE, changed(platform, name, **properties))) == {
            (name, "allowedAccountIds", "violation")
        }, properties
    assert shown(findings(PLACE, changed(platform, name, region=UNKNOWN))) == {(name, "region", "unknown")}
    assert findings(PLACE, without(platform, name)) == [], "whoever has the default one configures it elsewhere"


def test_a_pipelines_role_is_for_the_one_job_of_the_cells_file() -> None:
    platform, told = with_a_pipeline("local", "tenants"), config(cell_with_a_pipeline("tenants"))
    rule, role, path = "trust-names-its-principals", "local-deployer-role", "assumeRolePolicy"

    def claims(claim: str, value: str) -> tuple[Resource, ...]:
        issuer = "token.actions.githubusercontent.com"
        return edited(
            platform,
            role,
            path,
            lambda read: read["Statement"][0]["Condition"]["StringEquals"].update({f"{issuer}:{claim}": value}),
        )

    assert findings(rule, platform, told) == []
    other = claims("sub", "repo:myflux/keys:environment:unprotected")
    assert shown(findings(rule, other, told)) == {(role, path, "violation")}
    assert findings(rule, other, Config()) == [], "untold, any job that is named in full will do"
    with_ids = claims("sub", "repo:myflux@1234567/keys@89012345:environment:local")
    assert findings(rule, with_ids, Config()) == [], "with both ids it is one job too"
    assert shown(findings(rule, with_ids, told)) == {(role, path, "violation")}, "and another than the file's"
    assert shown(findings(rule, claims("aud", "https://vault.example"), Config())) == {(role, path, "violation")}
    elsewhere = edited(
        platform,
        role,
        path,
        lambda read: read["Statement"][0]["Principal"].update(
            Federated="arn:aws:iam::999999999999:oidc-provider/token.actions.githubusercontent.com"
        ),
    )
    assert shown(findings(PLACE, elsewhere)) == {(role, path, "violation")}, "another account's provider"
