"""Tenants without a key: the four states of a switch load, and what cannot be is refused with its way out."""

from __future__ import annotations

from typing import Any

import pytest

from tenancy import clashes
from tenancy.cell import Cell
from tenancy.document import Document
from tenancy.federation import most_tenants, providers
from tenancy.source import Source
from tenancy.tenant import Tenant
from tests.tenancy.files import REAL, Files, least

ON: dict[str, Any] = {"federation": {"enabled": True}}
ISSUER = "https://00000000-0000-0000-0000-000000000000.tokens.sts.global.api.aws"


@pytest.mark.parametrize(
    ("fields", "key", "identity"),
    [
        ({}, True, False),
        ({"credential": "key"}, True, False),
        ({"credential": "federated", "switching_from": "key"}, True, True),
        ({"credential": "federated"}, False, True),
        ({"credential": "key", "switching_from": "federated"}, True, True),
        ({"switching_from": "federated"}, True, True),
    ],
    ids=str,
)
def test_each_state_of_a_switch_loads(files: Files, fields: dict[str, Any], key: bool, identity: bool) -> None:
    files.cell(**ON)
    files.tenant(**fields)
    tenant = files.load().tenants["acme"]
    assert (tenant.has_key, tenant.has_identity) == (key, identity)
    assert tenant.rotation is not None, "a switch changes two fields and no others"


CUSTOMER: dict[str, Any] = {"source": "customer", "organization_id": "org-theirs"}
SWITCHING: dict[str, Any] = {"credential": "federated", "switching_from": "key"}
BACK: dict[str, Any] = {"credential": "key", "switching_from": "federated"}
CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("not-a-choice", {"credential": "cookie"}, "credential", "write one of them"),
    ("not-a-choice", {"switching_from": "cookie"}, "switching_from", "write one of them"),
    ("switch-to-itself", {"switching_from": "key"}, "switching_from", "delete switching_from"),
    (
        "switch-to-itself",
        {"credential": "federated", "switching_from": "federated"},
        "switching_from",
        "delete switching_from",
    ),
    ("federated-customer", CUSTOMER | {"credential": "federated"}, "credential", "source: managed"),
    ("federated-customer", CUSTOMER | SWITCHING, "credential", "delete `credential`"),
    ("federated-customer", CUSTOMER | BACK, "switching_from", "completed the switch"),
    ("federated-dedicated", {"isolation": "dedicated", "credential": "federated"}, "isolation", "isolation: shared"),
    ("federated-dedicated", {"isolation": "dedicated"} | BACK, "isolation", "isolation: shared"),
    (
        "federated-consumer",
        {"consumers": {"cinnox": True}, "credential": "federated"},
        "consumers.cinnox",
        "set cinnox: false",
    ),
    ("federated-consumer", {"consumers": {"cinnox": True}} | SWITCHING, "consumers.cinnox", "set cinnox: false"),
]


@pytest.mark.parametrize(("rule", "fields", "field", "way_out"), CASES, ids=[f"{c[0]}: {c[1]}" for c in CASES])
def test_what_a_tenant_without_a_key_cannot_have_is_refused(
    files: Files, rule: str, fields: dict[str, Any], field: str, way_out: str
) -> None:
    files.cell(**ON)
    files.tenant(**fields)
    problem = files.problem()
    assert (problem.rule, problem.field) == (rule, field)
    assert way_out in problem.way_out


def test_a_person_may_paste_the_key_that_a_tenant_is_switching_back_to(files: Files) -> None:
    files.cell(**ON)
    files.tenant(consumers={"cinnox": True}, **BACK)
    assert files.load().tenants["acme"].has_key


@pytest.mark.parametrize("cell", [{}, {"federation": {}}, {"federation": {"enabled": False}}], ids=str)
@pytest.mark.parametrize(
    ("fields", "field"),
    [({"credential": "federated"}, "credential"), (SWITCHING, "credential"), (BACK, "switching_from")],
)
def test_a_cell_without_federation_is_refused_a_tenant_without_a_key(
    files: Files, cell: dict[str, Any], fields: dict[str, Any], field: str
) -> None:
    files.cell(**cell)
    files.tenant(**fields)
    problem = files.problem()
    assert (problem.rule, problem.field) == ("cell-without-federation", field)
    assert "federation: {enabled: true} to cells/local.yaml" in problem.way_out


def test_two_platforms_of_one_account_cannot_both_make_its_federation(files: Files) -> None:
    files.cell("eu1", base=REAL, cell="eu1", **ON)
    files.cell("eu2", base=REAL, cell="eu2", **ON)
    problem = files.problem()
    assert (problem.file, problem.rule, problem.field) == ("cells/eu2.yaml", "federation-twice", "federation.enabled")
    assert "eu1" in problem.reason
    files.cell("eu2", base=REAL, cell="eu2", federation={"enabled": True, "issuer": ISSUER})
    assert files.load().cells["eu2"].federation.issuer == ISSUER
    role = "arn:aws:iam::210987654321:role/"
    there: dict[str, Any] = {"runtime_principals": [f"{role}myflux"], "deployer_principals": [f"{role}deployer"]}
    files.cell("eu2", base=REAL, cell="eu2", account_id="210987654321", **there, **ON)
    assert files.load().cells["eu2"].federation.enabled, "an account of its own has a federation of its own"


def _cell_at(files: Files, url: str) -> None:
    files.cell("eu1", base=REAL, cell="eu1", openai={"organization_id": "org-example", "base_url": url}, **ON)


@pytest.mark.parametrize("url", ["https://gateway.example/v1", "https://openai.com.example/v1"])
def test_tokens_go_to_openai_alone(files: Files, url: str) -> None:
    """A gateway would get every tenant's token, and clients refuse its address."""
    _cell_at(files, url)
    problem = files.problem()
    assert (problem.rule, problem.field) == ("federation-elsewhere", "openai.base_url")


@pytest.mark.parametrize("url", ["https://eu.api.openai.com/v1", "http://127.0.0.1:8080/v1"])
def test_openais_other_addresses_and_loopback_take_tokens(files: Files, url: str) -> None:
    _cell_at(files, url)
    assert files.load().cells["eu1"].federation.enabled


def _rules_broken(sharing: dict[str, int], **fields: Any) -> list[str]:
    """With so many tenants without a key in each of these cells, of one organization unless `fields` says otherwise."""
    cells = {slug: Cell.model_validate(REAL | {"cell": slug} | fields.get(slug, {})) for slug in sharing}
    documents = {slug: Document(Source(slug, slug, ""), {"cell": slug}) for slug in sharing}
    one = least("gpt-5-mini", credential="federated")
    tenants: list[Tenant] = [
        one.model_copy(update={"tenant": f"t-{slug}-{number}", "cell": slug})
        for slug, count in sharing.items()
        for number in range(count)
    ]
    return [str(problem) for problem in clashes.federation_problems(documents, tenants, cells)]


def test_an_organization_has_at_most_2500_tenants_without_a_key() -> None:
    assert _rules_broken({"eu1": 2500}) == []
    (problem,) = _rules_broken({"eu1": 2501})
    assert "2501 tenants" in problem
    assert "need 51 identity providers" in problem
    assert "credential: key" in problem


def test_cells_of_one_organization_share_its_providers() -> None:
    """A provider has one audience, which is a cell's own: the rest of a cell's last one is no other cell's."""
    assert _rules_broken({"eu1": 1250, "eu2": 1250}) == []
    (problem,) = _rules_broken({"eu1": 1251, "eu2": 1249})
    assert "cells: eu1, eu2" in problem
    elsewhere = {"openai": {"organization_id": "org-other"}}
    assert _rules_broken({"eu1": 1251, "eu2": 1249}, eu2=elsewhere) == []


@pytest.mark.parametrize(
    "counts",
    [{"eu1": 2500}, {"eu1": 2501}, {"eu1": 1250, "eu2": 1250}, {"eu1": 2449, "eu2": 1}, {"eu1": 2451, "eu2": 1}],
)
def test_what_capacity_says_is_left_is_what_validate_takes(counts: dict[str, int]) -> None:
    within = all(count <= most_tenants(slug, counts) for slug, count in counts.items())
    assert within == (sum(map(providers, counts.values())) <= 50)
    assert (_rules_broken(counts) == []) == within
