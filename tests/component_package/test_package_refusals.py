"""A wrong value is refused before anything is registered, in the words that a file's author would read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.errors import InputPropertiesError

from component_package.plugin import Package
from local.process import REPOSITORY


@pytest.fixture(scope="module")
def plugin() -> Package:
    return Package()


def refusal(plugin: Package, kind: str, inputs: dict[str, Any]) -> str:
    with pytest.raises(InputPropertiesError) as caught:
        plugin.construct("acme", f"myflux:index:{kind}", inputs)
    assert not caught.value.errors, "the engine prints the value of every property that is named there"
    return caught.value.message


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"tenant": "Acme!"}, "bad-slug"),
        ({"country": "CN"}, "country-"),
        ({"models": ["no-such-model"]}, "model-"),
        ({"rotation": {"everyDays": 30.0, "overlapHours": 0.0}}, "overlap-too-short"),
        ({"rotation": {"everyDays": 30.5, "overlapHours": 24.0}}, "wrong-type"),
        ({"rotation": None}, "missing-field"),
        ({"source": "customer"}, "managed-only"),
        ({"enabeld": False}, "did you mean enabled?"),
        ({"budget": {"monthlyUsd": 5.0, "hart": True}}, "did you mean hard?"),
    ],
)
def test_a_tenant_is_refused_as_its_file_would_be(
    plugin: Package, tenant: dict[str, Any], change: dict[str, Any], rule: str
) -> None:
    said = refusal(plugin, "TenantKey", tenant | change)
    assert rule in said
    assert "TenantKey acme" in said, "a program may hold many"
    assert "Way out" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"accountId": "12"}, "bad-account-id"),
        ({"runtimePrincipals": ["*"]}, "principal-wildcard"),
        ({"alarmEmails": []}, "alarms-unheard"),
        ({"regoin": "x"}, "did you mean region?"),
    ],
)
@pytest.mark.parametrize("kind", ["Platform", "TenantKey"])
def test_a_cell_is_refused_as_its_file_would_be(
    plugin: Package, tenant: dict[str, Any], cell: dict[str, Any], change: dict[str, Any], rule: str, kind: str
) -> None:
    inputs = {"cell": cell | change} if kind == "Platform" else tenant | {"cell": cell | change}
    assert rule in refusal(plugin, kind, inputs)


def test_something_shaped_like_a_key_is_refused_and_never_repeated(plugin: Package, tenant: dict[str, Any]) -> None:
    key = "sk-" + "proj-" + "aB3" * 16
    for change in ({"name": key}, {"apiKey": key}, {"models": [key]}, {key: "x"}, {"budget": {"emails": [key]}}):
        said = refusal(plugin, "TenantKey", tenant | change)
        assert "key-shaped" in said
        assert key not in said


def test_a_value_that_comes_too_late_is_named(plugin: Package, tenant: dict[str, Any], cell: dict[str, Any]) -> None:
    # An Output needs a running loop, which a test of plain refusals has no other use for.
    late = object.__new__(pulumi.Output)
    assert "country must be plain" in refusal(plugin, "TenantKey", tenant | {"country": late})
    nested = tenant | {"cell": cell | {"openai": {"organizationId": late}}}
    assert "cell must be plain" in refusal(plugin, "TenantKey", nested)


def test_a_tenant_without_a_platform_is_told_where_its_values_come_from(
    plugin: Package, tenant: dict[str, Any]
) -> None:
    del tenant["kmsKeyArn"]
    said = refusal(plugin, "TenantKey", tenant)
    assert "kmsKeyArn missing" in said
    assert "platform's output" in said


def test_the_plugin_starts_from_any_folder(tmp_path: Path) -> None:
    """As the engine starts it, but for the engine's address: that it is asked for means that all else was found."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, str(REPOSITORY / "component_package")]
    started = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "required: engine" in started.stderr, started.stderr
