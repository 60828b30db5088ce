"""The addresses that Pulumi takes, from a cell's file: every command makes them in one place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import tenancy
from ops import state_place
from ops.actions.shell_variables import shell_variables
from ops.cli.main import app
from ops.errors import OperationError
from ops.stacks import states
from tests.tenancy.files import REAL, Files

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
STATE = {"bucket": "myflux-state-prod-eu1", "kms_key": KEY}
URL = "s3://myflux-state-prod-eu1?region=eu-central-1&awssdk=v2"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "fleet")


def cell(files: Files, slug: str = "prod-eu1", **fields: Any) -> tenancy.Cell:
    files.cell(slug, base=REAL | {"cell": slug} | fields)
    return tenancy.load(files.root).cells[slug]


def test_the_file_gives_bucket_and_key_each_with_its_own_region(files: Files) -> None:
    place = state_place.of(cell(files, state=STATE), {})
    assert place.url == URL
    assert place.secrets_provider == f"awskms:///{KEY}?region=eu-west-1&awssdk=v2"


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_the_engine_is_told_an_endpoint_that_it_would_not_read(files: Files, variable: str) -> None:
    place = state_place.of(cell(files, state=STATE), {variable: "http://127.0.0.1:4566"})
    assert place.url == f"{URL}&endpoint=http://127.0.0.1:4566&use_path_style=true"


def test_a_file_without_it_leaves_both_to_the_environment(files: Files) -> None:
    place = state_place.of(cell(files), {"PULUMI_BACKEND_URL": "file:///state"})
    assert (place.url, place.secrets_provider) == ("file:///state", "")
    assert place.variables == {"PULUMI_BACKEND_URL": "file:///state"}, "a passphrase stays as it was"
    keyed = state_place.of(
        cell(files), {"PULUMI_BACKEND_URL": "file:///state", "MYFLUX_SECRETS_PROVIDER": "awskms:///k"}
    )
    assert keyed.secrets_provider == "awskms:///k", "as on the local cell"


def test_the_same_bucket_with_options_of_ones_own_is_no_contradiction(files: Files) -> None:
    mine = "s3://myflux-state-prod-eu1?region=eu-central-1&profile=mine"
    assert state_place.of(cell(files, state=STATE), {"PULUMI_BACKEND_URL": mine}).url == mine


@pytest.mark.parametrize("other", ["file:///state", "s3://another", "s3://myflux-state-prod-eu1/below"])
def test_two_places_for_one_state_are_refused_with_both_names(files: Files, other: str) -> None:
    with pytest.raises(OperationError) as refused:
        state_place.of(cell(files, state=STATE), {"PULUMI_BACKEND_URL": other})
    assert "cells/prod-eu1.yaml keeps its state in s3://myflux-state-prod-eu1" in str(refused.value)
    assert "unset PULUMI_BACKEND_URL" in str(refused.value)


def test_a_shell_goes_from_one_cell_to_another(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """`eval "$(myflux-keys env prod-eu2)"` after prod-eu1: an error there would leave the shell in prod-eu1."""
    for variable in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(variable, raising=False)
    cell(files, state=STATE)
    cell(files, "prod-eu2", state=STATE | {"bucket": "myflux-state-prod-eu2"})
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"{URL}&profile=mine")
    assert shell_variables(files.root, "prod-eu1")["PULUMI_BACKEND_URL"] == f"{URL}&profile=mine"
    there = shell_variables(files.root, "prod-eu2")
    assert there["PULUMI_BACKEND_URL"] == URL.replace("eu1?", "eu2?")
    assert all(there.values())


def test_a_shell_keeps_no_other_cells_key_where_a_cell_has_none(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    github = {"repository": "myflux/keys", "environment": "production"}
    pipeline = {"github": github, "deploys": "tenants", "state_bucket": "myflux-state-prod-eu3"}
    cell(files, "prod-eu3", pipeline=pipeline)
    printed = CliRunner().invoke(app, ["env", "prod-eu3", "--fleet", str(files.root)]).stdout
    assert "unset MYFLUX_SECRETS_PROVIDER" in printed
    assert "unset PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER" in printed
    assert "export PULUMI_BACKEND_URL='s3://myflux-state-prod-eu3?" in printed


def test_each_cell_of_a_run_has_its_own_backend(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    cell(files, state=STATE)
    cell(files, "prod-eu2", state=STATE | {"bucket": "myflux-state-prod-eu2"})
    found = states.of(files.root, ["prod-eu1", "acme.prod-eu1", "globex.prod-eu2"])
    assert found.urls == {"prod-eu1": URL, "prod-eu2": URL.replace("eu1?", "eu2?")}


def test_a_folder_has_stacks_of_each_cell_that_keeps_its_state_there(files: Files, tmp_path: Path) -> None:
    kept = tmp_path / ".pulumi" / "stacks" / "myflux-keys"
    kept.mkdir(parents=True)
    (kept / "acme.prod-eu1.json").write_text("{}")
    found = states.States({"prod-eu1": f"file://{tmp_path}", "prod-eu2": f"file://{tmp_path / 'empty'}"})
    assert found.names == {"acme.prod-eu1"}
    assert found.has("acme.prod-eu1") is True
    assert found.has("acme.prod-eu2") is False
