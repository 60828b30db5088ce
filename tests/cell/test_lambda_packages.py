"""A function finds on Lambda what AWS documents, and so it must here."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from local.cell import LocalCell

pytestmark = pytest.mark.cell

_CODE = """
import importlib, json
def handler(event, context):
    found = {}
    for name in event["names"]:
        try:
            found[name] = bool(importlib.import_module(name))
        except ModuleNotFoundError:
            found[name] = False
    return found
"""


def test_a_function_imports_boto3_and_nothing_that_is_only_installed_here(tmp_path: Path) -> None:
    cell = LocalCell.start(tmp_path / "home")
    try:
        found = _imports(cell, ["boto3", "urllib3", "json", "tenancy", "myflux_keys", "pydantic", "openai"])
    finally:
        cell.stop()
    assert found == {
        "boto3": True,
        "urllib3": True,
        "json": True,
        "tenancy": False,
        "myflux_keys": False,
        "pydantic": False,
        "openai": False,
    }, "an archive that lacks a module must fail here as it would on AWS"


def _imports(cell: LocalCell, names: list[str]) -> dict[str, bool]:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = cell.client("administrator", "iam").create_role(
        RoleName="importer", AssumeRolePolicyDocument=json.dumps(trust)
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("probe.py", _CODE)
    functions = cell.client("administrator", "lambda")
    functions.create_function(
        FunctionName="importer",
        Runtime="python3.13",
        Handler="probe.handler",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": archive.getvalue()},
    )
    answer = functions.invoke(FunctionName="importer", Payload=json.dumps({"names": names}))
    with answer["Payload"] as payload:
        return json.loads(payload.read())
