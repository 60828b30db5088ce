"""`new` recommends one of the four credentials, by what the answers allow, and says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops.actions import new_tenant
from ops.actions.credential_choice import advice, advise, kind_of, sentence
from tenancy import load
from tests.tenancy.files import TENANT, Files, least

ON = {"enabled": True}


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path)
    made.cell(federation=ON)
    return made


@pytest.mark.parametrize(
    ("fields", "kind", "why"),
    [
        ({}, "federated", "nothing is stored"),
        ({"consumers": {"myflux": True, "cinnox": True}}, "key", "a person pastes it for cinnox"),
        ({"isolation": "dedicated"}, "key", "nothing to encrypt"),
        ({"source": "customer"}, "brought", "only they can replace it"),
        ({"source": "customer", "organization_id": "org-acme"}, "customers-organization", "keys rotate"),
        ({"cell": "nowhere"}, "key", "federation: {enabled: true}"),
    ],
)
def test_each_credential_is_recommended_where_it_fits(
    files: Files, fields: dict[str, Any], kind: str, why: str
) -> None:
    given = advice({"cell": "local", "source": "managed"} | fields, files.root)
    assert given.kind == kind
    assert why in given.why


def test_a_cell_without_federation_has_keys(tmp_path: Path) -> None:
    Files(tmp_path)
    assert advice({"cell": "local", "source": "managed"}, tmp_path).kind == "key"


def test_where_the_organizations_rules_are_taken_a_key_is_recommended(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of another cell of the organization count too."""
    files.cell(
        "second",
        cell="second",
        federation={**ON, "issuer": "https://00000000-0000-0000-0000-000000000000.tokens.sts.global.api.aws"},
    )
    files.tenant("taken", tenant="taken", cell="second", credential="federated")
    fields = {"cell": "local", "source": "managed"}
    monkeypatch.setattr("tenancy.federation.MOST_PROVIDERS", 2)
    assert advise(fields, load(files.root)).kind == "federated", "one provider is left"
    monkeypatch.setattr("tenancy.federation.MOST_PROVIDERS", 1)
    given = advise(fields, load(files.root))
    assert (given.kind, "leave it 0" in given.why) == ("key", True)


def test_another_tenants_invalid_file_stops_no_recommendation(files: Files) -> None:
    files.write("tenants/broken.yaml", "tenant: [")
    assert advice({"cell": "local", "source": "managed"}, files.root).kind == "federated"


def test_the_sentence_says_what_the_file_has_and_what_would_be_better(files: Files) -> None:
    with_a_key = least("gpt-5-mini")
    given = advice(with_a_key.model_dump(), files.root)
    assert sentence(with_a_key, given).startswith("Credential: a key. Recommended is no key (`credential: federated`)")
    without = least("gpt-5-mini", credential="federated")
    assert sentence(without, given).startswith("Credential: no key (`credential: federated`), since nothing is stored")
    assert kind_of(without.model_dump()) == "federated"


def test_a_switch_that_is_under_way_is_not_copied_and_a_customer_has_no_federated_tenant() -> None:
    base, _ = new_tenant.like({**TENANT, "credential": "federated", "switching_from": "key"})
    assert (base["credential"], "switching_from" in base) == ("federated", False)
    theirs = new_tenant.fields("zeta", {"name": "Z", "source": "customer"}, base)
    assert "credential" not in theirs
