"""A cell with federation, and a tenant without a key: what passes as it is made, and what no role of ours may have."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.guardrails.config import Config
from policies.guardrails.model import Resource
from tests.policies.federated import asks, runtimes, trusts
from tests.policies.keyless import KEYLESS, keyless
from tests.policies.rehearsed import broken, changed, edited, findings, judge

SWEEP = "arn:aws:iam::000000000000:role/myflux-local-sweep"
HEALTH = SWEEP.replace("sweep", "health")


@pytest.mark.parametrize("deployed", [True, False], ids=["deployed", "first preview"])
@pytest.mark.parametrize("name", KEYLESS)
def test_it_passes_its_own_pack(name: str, deployed: bool) -> None:
    made = keyless(name, deployed)
    assert len(made) > 3, "there was something to judge"
    allowed = Config(runtime_principals=("arn:aws:iam::000000000000:user/runtime",))
    assert judge(made, allowed) == []


@pytest.mark.parametrize("action", ["sts:TagGetWebIdentityToken", "sts:*", "sts:Get*"])
def test_no_role_of_ours_chooses_the_tags_of_its_token(action: str) -> None:
    """A session of one tenant would ask for another's."""
    asked = runtimes(lambda one: one.update(Action=["sts:GetWebIdentityToken", action]))
    assert broken(asked(keyless("local")))["own-roles-narrow"] == "violation"


@pytest.mark.parametrize("role", ["local-sweep-permissions", "local-rotation-permissions", "local-health-permissions"])
def test_no_function_asks_for_a_token_as_itself(role: str) -> None:
    def add(document: Any) -> None:
        document["Statement"].append({"Effect": "Allow", "Action": "sts:GetWebIdentityToken", "Resource": "*"})

    assert findings("own-roles-narrow", edited(keyless("local"), role, "policy", add))


def test_only_the_health_function_of_the_same_cell_is_trusted_and_only_by_the_runtime() -> None:
    made = keyless("local")
    others = HEALTH.replace("local", "prod-eu1")
    assert not findings("trust-names-its-principals", trusts(HEALTH)(made)), "it is trusted already"
    assert findings("trust-names-its-principals", trusts(others)(made))
    strangers = trusts(HEALTH.replace("000000000000", "999999999999"))(made)
    assert findings("one-account-one-region", strangers), "whoever owns that account makes a role of this name"

    def trust(document: Any) -> None:
        document["Statement"][0]["Principal"]["AWS"] = HEALTH

    globex = edited(keyless("globex.local"), "globex-dedicated-role", "assumeRolePolicy", trust)
    assert findings("trust-names-its-principals", globex)


def test_no_other_function_becomes_the_runtime() -> None:
    def add(document: Any) -> None:
        role = SWEEP.replace("sweep", "runtime")
        document["Statement"].append({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role})

    assert findings("own-roles-narrow", edited(keyless("local"), "local-sweep-permissions", "policy", add))


@pytest.mark.parametrize(
    "issuer",
    [
        "http://00000000-0000-0000-0000-000000000000.tokens.sts.global.api.aws",
        "https://00000000-0000-0000-0000-000000000000.tokens.sts.global.api.aws/path",
        "https://evil.example/00000000-0000-0000-0000-000000000000.tokens.sts.global.api.aws",
        "https://*.tokens.sts.global.api.aws",
    ],
)
def test_an_issuer_is_an_aws_accounts_by_its_whole_name(issuer: str) -> None:
    assert findings("rules-match-the-runtime-alone", asks(issuer=issuer)(keyless("harbor.local")))


def test_a_tenant_without_a_key_has_its_own_project_and_identity() -> None:
    made = keyless("harbor.local")
    calls = {name: changed(made, "harbor-openai-invocation", functionName=name) for name in ("myflux-local-sweep", "x")}
    assert all(findings("projects-made-by-the-provisioner", one) for one in calls.values())
    fjords = changed(made, "harbor-identity", key="declarations/identities/fjord.json")
    assert findings("stack-of-one-tenant", fjords), "whoever writes it sends another tenant's calls elsewhere"


def test_another_cells_runtime_is_no_subject_of_this_ones_rule() -> None:
    made = keyless("harbor.local")
    for subject in (HEALTH.replace("health", "runtime").replace("local", "prod-eu1"), "*", "", SWEEP):
        assert findings("rules-match-the-runtime-alone", asks(subject=subject)(made)), subject
    assert findings(
        "rules-match-the-runtime-alone", changed(made, "harbor-openai-invocation", input='{"federation": 1}')
    )


def test_the_keys_of_before_end_where_there_is_no_secret_and_only_there() -> None:
    def asked(stack: str, **fields: Any) -> tuple[Resource, ...]:
        made = keyless(stack)
        (call,) = [one for one in made if one.type.endswith(":Invocation")]
        specification = json.loads(call.text("input")) | fields
        return changed(made, call.name, input=json.dumps(specification))

    rule = "projects-made-by-the-provisioner"
    assert "stay valid" in findings(rule, asked("harbor.local", keys=True))[0].message
    assert "its secret stays" in findings(rule, asked("quayside.local", keys=False))[0].message
    assert not findings(rule, asked("quayside.local", keys=True))


@pytest.mark.parametrize("address", ["https://collector.example/v1", "http://api.openai.com/v1", "", None])
def test_an_identity_sends_tokens_to_openai_alone(address: str | None) -> None:
    made = keyless("harbor.local")
    (identity,) = [one for one in made if one.name == "harbor-identity"]
    content = json.dumps(json.loads(identity.text("content")) | {"base_url": address})
    assert findings("rules-match-the-runtime-alone", changed(made, "harbor-identity", content=content))
