"""The files that ship are what a newcomer copies: they load, and show each kind of tenant."""

from __future__ import annotations

import json
import pickle
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from myflux_keys.aws_names import CellNames
from tenancy import Tenant, load
from tenancy.loading import ROOT
from tenancy.schema import cell_schema, main, stale, tenant_schema

FLEET = load()
SHIPPED = sorted([*(ROOT / "tenants").glob("*.yaml"), *(ROOT / "cells").glob("*.yaml")])


def test_four_tenants_ship_two_managed_one_dedicated_and_one_customer() -> None:
    kinds = sorted((tenant.source, tenant.isolation) for tenant in FLEET.tenants.values())
    expected = [("customer", "shared"), ("managed", "dedicated"), ("managed", "shared"), ("managed", "shared")]
    assert kinds == expected, "the demo shows one tenant of each kind, and two that must not see each other"
    assert {tenant.cell for tenant in FLEET.tenants.values()} == {"local"}, "they all run without an account"


def test_no_shipped_tenant_uses_a_model_that_is_about_to_end() -> None:
    assert FLEET.notices == (), "an example that stops working by itself teaches nothing"


def test_the_local_cell_is_the_one_that_the_emulators_serve() -> None:
    cell = FLEET.cells["local"]
    assert cell.local
    assert not cell.production
    assert cell.names == CellNames("local", "000000000000", "us-east-1"), "names are derived, never written twice"
    assert cell.openai.base_url is None, "the running cell tells its address"


def test_the_fleet_finds_cells_and_tenants_by_model_and_by_slug() -> None:
    acme = FLEET.tenants["acme"]
    assert FLEET.cell_of(acme) is FLEET.cell_of("acme") is FLEET.cells["local"]
    assert [tenant.tenant for tenant in FLEET.tenants_of("local")] == sorted(FLEET.tenants)
    assert FLEET.tenants_of(FLEET.cells["local"]) == FLEET.tenants_of("local")
    assert FLEET.tenants_of("elsewhere") == ()


def test_a_tenant_cannot_be_changed_at_any_depth() -> None:
    acme = FLEET.tenants["acme"]
    with pytest.raises(ValidationError):
        acme.enabled = False
    with pytest.raises(TypeError):
        acme.rate_limits["gpt-5"] = None  # type: ignore[index]
    with pytest.raises(TypeError):
        FLEET.tenants["acme"] = acme  # type: ignore[index]
    assert isinstance(acme.models, tuple)
    assert hash(acme) == hash(FLEET.tenants["acme"]), "what cannot change can be a key of a mapping"


def test_a_tenant_survives_the_way_to_another_process() -> None:
    for tenant in FLEET.tenants.values():
        assert pickle.loads(pickle.dumps(tenant)) == tenant == deepcopy(tenant)


@pytest.mark.parametrize("slug", sorted(FLEET.tenants))
def test_a_tenant_written_out_and_read_again_is_the_same(slug: str) -> None:
    tenant = FLEET.tenants[slug]
    assert Tenant.model_validate(json.loads(tenant.model_dump_json(exclude_none=True))) == tenant
    text = yaml.safe_dump(tenant.model_dump(mode="json", exclude_none=True))
    assert Tenant.model_validate(yaml.safe_load(text)) == tenant


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_shipped_file_passes_the_schema_that_its_first_line_names(path: Path) -> None:
    first, _, _ = path.read_text(encoding="utf-8").partition("\n")
    prefix = "# yaml-language-server: $schema="
    assert first.startswith(prefix), "an editor needs the line to check while somebody types"
    schema = json.loads((path.parent / first.removeprefix(prefix)).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(yaml.load(path.read_text(encoding="utf-8"), Loader=_Texts))


class _Texts(yaml.SafeLoader):
    """YAML 1.2 as editors read it: only true and false are booleans."""


_Texts.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tf"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def test_the_schemas_on_disk_are_those_of_the_models() -> None:
    assert stale() == [], "run python -m tenancy.schema --write"
    assert main(["--check"]) == 0


def test_a_stale_schema_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tenancy.schema.FOLDER", tmp_path)
    assert main(["--check"]) == 1, "a missing schema is out of date"
    assert "--write" in capsys.readouterr().err
    assert main(["--write"]) == 0
    assert main(["--check"]) == 0


@pytest.mark.parametrize("schema", [tenant_schema(), cell_schema()], ids=["tenant", "cell"])
def test_a_schema_is_valid_and_describes_every_field(schema: dict[str, object]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    properties = schema["properties"]
    assert isinstance(properties, dict)
    assert properties
    for name, field in properties.items():
        assert field.get("description"), f"{name} has no description for whoever types it"


@pytest.mark.parametrize(
    "spoil",
    [
        {"unknown": 1},
        {"country": "CN"},
        {"models": []},
        {"models": ["gpt-9"]},
        {"rotation": {"every_days": 30, "every_hours": 4, "overlap_hours": 1}},
        {"source": "customer"},
        {"enabled": "yes"},
        {"budget": {"monthly_usd": -1}},
    ],
    ids=str,
)
def test_an_editor_shows_the_usual_mistakes(spoil: dict[str, Any]) -> None:
    acme = FLEET.tenants["acme"].model_dump(mode="json", exclude_none=True)
    validator = jsonschema.Draft202012Validator(tenant_schema())
    assert validator.is_valid(acme), "the file is fine until it is spoiled"
    assert not validator.is_valid(acme | spoil)
