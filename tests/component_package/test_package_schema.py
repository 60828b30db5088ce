"""What other languages see: the fields of the files, and no place for a key."""

from __future__ import annotations

import json
from typing import Any

import pytest

from component_package import arguments
from component_package.plugin import Package
from tenancy.cell import Cell
from tenancy.openai import OpenAI
from tenancy.pipeline import GitHub, GitLab, Pipeline
from tenancy.rotation import Rotation
from tenancy.spending import Budget, RateLimit
from tenancy.tenant import Consumers, Tenant

FROM_THE_PLATFORM = {"kms_key_arn", "rotation_function_arn", "provisioner_function"}
ONLY_WITHOUT_A_KEY = {"federation_issuer"}
"""Also the platform's, and only a federated tenant needs it."""


@pytest.mark.parametrize(
    ("shape", "model", "more"),
    [
        (arguments.Cell, Cell, set[str]()),
        (arguments.OpenAI, OpenAI, set[str]()),
        (arguments.Pipeline, Pipeline, set[str]()),
        (arguments.GitHub, GitHub, set[str]()),
        (arguments.GitLab, GitLab, set[str]()),
        (arguments.RateLimit, RateLimit, set[str]()),
        (arguments.Budget, Budget, set[str]()),
        (arguments.Rotation, Rotation, set[str]()),
        (arguments.Consumers, Consumers, set[str]()),
        (arguments.TenantKeyArgs, Tenant, FROM_THE_PLATFORM | ONLY_WITHOUT_A_KEY),
    ],
)
def test_the_package_says_what_a_file_says(shape: Any, model: Any, more: set[str]) -> None:
    required = {name for name, field in model.model_fields.items() if field.is_required()}
    assert shape.__annotations__.keys() == model.model_fields.keys() | more, "a field of the files has no argument"
    assert shape.__required_keys__ == required | (more - ONLY_WITHOUT_A_KEY), (
        "what a file may leave out, a program may leave out"
    )


def schema() -> dict[str, Any]:
    return json.loads(Package().schema or "")


def test_everything_but_what_a_platform_answers_is_plain() -> None:
    inputs = schema()["resources"]["myflux:index:TenantKey"]["inputProperties"]
    late = {name for name, described in inputs.items() if not described.get("plain")}
    assert late == {"kmsKeyArn", "rotationFunctionArn", "provisionerFunction", "federationIssuer"}


def test_no_input_and_no_output_is_a_place_for_a_key() -> None:
    found = schema()
    names = {
        name
        for described in (*found["resources"].values(), *found["types"].values())
        for kind in ("inputProperties", "properties")
        for name in described.get(kind, {})
    }
    assert "secretArn" in names, "the search looked at nothing"
    named = {name for name in names if name.lower().endswith(("key", "secret", "token", "password", "value"))}
    assert named == {"kmsKey"}, "which takes an ARN of KMS alone: tests/tenancy/test_state.py"


def test_every_property_is_described() -> None:
    found = schema()
    bare = [
        f"{token}.{name}"
        for token, described in (found["resources"] | found["types"]).items()
        for kind in ("inputProperties", "properties")
        for name, each in described.get(kind, {}).items()
        if not each.get("description")
    ]
    assert not bare, "an SDK's reader sees these words and nothing else"
