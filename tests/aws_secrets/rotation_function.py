"""The rotation function that the tests deploy: AWS's four steps, and failures on demand.

Standard library and boto3 only: it runs inside the cell's Lambda. ``CONTROL`` names a folder: ``<secret>.json`` says
what goes wrong and which step to hold until it says otherwise, ``<secret>.log`` gets a line for each call.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import boto3


def handler(event: dict[str, Any], context: object) -> None:
    del context
    name = event["SecretId"].split(":")[6][:-7].replace("/", "_")
    folder = Path(os.environ["CONTROL"])
    log, control = folder / f"{name}.log", folder / f"{name}.json"
    wanted = json.loads(control.read_text()) if control.exists() else {}
    step = event["Step"]
    calls = [json.loads(line)["Step"] for line in log.read_text().splitlines()] if log.exists() else []
    with log.open("a") as file:
        file.write(json.dumps(event) + "\n")
    while control.exists() and json.loads(control.read_text()).get("hold") == step:
        time.sleep(0.05)
    if calls.count(step) < wanted.get("fail", {}).get(step, 0):
        raise RuntimeError(f"asked to fail in {step}")
    if step not in wanted.get("skip", []):
        _STEPS[step](boto3.client("secretsmanager"), event, wanted)
    if calls.count(step) < wanted.get("crash", {}).get(step, 0):
        raise RuntimeError(f"asked to crash after {step}")


def _create(secrets: Any, event: dict[str, Any], wanted: dict[str, Any]) -> None:
    arn, token = event["SecretId"], event["ClientRequestToken"]
    try:
        secrets.get_secret_value(SecretId=arn, VersionId=token, VersionStage="AWSPENDING")
    except secrets.exceptions.ResourceNotFoundException:
        extra = {"RotationToken": event["RotationToken"]} if "RotationToken" in event else {}
        secrets.put_secret_value(
            SecretId=arn,
            ClientRequestToken=token,
            SecretString=f"value-{token}",
            VersionStages=["AWSPENDING"],
            **extra,
        )


def _nothing(secrets: Any, event: dict[str, Any], wanted: dict[str, Any]) -> None:
    pass


def _test(secrets: Any, event: dict[str, Any], wanted: dict[str, Any]) -> None:
    versions = secrets.describe_secret(SecretId=event["SecretId"])["VersionIdsToStages"]
    if "AWSPENDING" not in versions[event["ClientRequestToken"]]:
        raise RuntimeError("the tested version is not AWSPENDING")


def _finish(secrets: Any, event: dict[str, Any], wanted: dict[str, Any]) -> None:
    arn, token = event["SecretId"], event["ClientRequestToken"]
    versions = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
    current = next((version for version, labels in versions.items() if "AWSCURRENT" in labels), None)
    if current != token:
        source = {"RemoveFromVersionId": current} if current else {}
        secrets.update_secret_version_stage(SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token, **source)
    if wanted.get("remove_pending"):
        secrets.update_secret_version_stage(SecretId=arn, VersionStage="AWSPENDING", RemoveFromVersionId=token)


_STEPS = {"createSecret": _create, "setSecret": _nothing, "testSecret": _test, "finishSecret": _finish}
