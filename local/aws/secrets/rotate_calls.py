"""RotateSecret and CancelRotateSecret.

Owns what a request must satisfy, and what it sets. Leaves out the rotation itself (`rotation_driver`).
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CancelRotateSecret.html
"""

from __future__ import annotations

import uuid
from typing import Any

from local.aws.iam.authorize import AccessDenied, authorize
from local.aws.secrets import invocation, labels, plan, rotation_driver, schedule
from local.aws.secrets.labels import PENDING
from local.aws.secrets.refusals import (
    Refusal,
    function_cannot_be_invoked,
    invalid_parameter,
    invalid_request,
    previous_rotation_not_complete,
)
from local.aws.secrets.schedule import ScheduleError
from local.aws.secrets.store import LOCK, Record, find_writable, now, touch

Request = dict[str, Any]
Answer = dict[str, Any]


def rotate_secret(request: Request) -> Answer:
    """Answers at once; the rotation goes on by itself. Everything is checked before anything is set."""
    with LOCK:
        secret = find_writable(request["SecretId"])
        token: str = request.get("ClientRequestToken") or str(uuid.uuid4())
        function_arn = _function(secret, request)
        rules = _rules(secret, request)
        run = rotation_driver.running(secret)
        if run is not None and run.token == token:
            return _answer(secret, token)
        _require_none_pending(secret, token)
        version = secret["Versions"].get(token)
        if version is not None and labels.has_value(version) and PENDING not in version["Stages"]:
            raise invalid_parameter(f"The ClientRequestToken {token} belongs to a version that has a value already.")
        _configure(secret, function_arn, rules)
        if request.get("RotateImmediately", True):
            rotation_driver.start(secret, token)
        else:
            rotation_driver.start_test(secret, token)
        return _answer(secret, token)


def cancel_rotate_secret(request: Request) -> Answer:
    """Turns rotation off. Function and schedule stay on record; AWSPENDING stays too, for a person to remove."""
    with LOCK:
        secret = find_writable(request["SecretId"])
        if not secret.get("RotationLambdaARN"):
            raise invalid_request(
                "You tried to cancel rotation on a secret that doesn't have a Lambda function ARN configured."
            )
        rotation_driver.stop(secret)
        secret["RotationEnabled"] = False
        touch(secret)
        pending = labels.holder(secret, PENDING) if labels.rotation_is_pending(secret) else None
        return _answer(secret, pending)


def _answer(secret: Record, version_id: str | None) -> Answer:
    return {"ARN": secret["ARN"], "Name": secret["Name"]} | ({"VersionId": version_id} if version_id else {})


def _function(secret: Record, request: Request) -> str:
    function_arn: str = request.get("RotationLambdaARN") or secret.get("RotationLambdaARN") or ""
    if not function_arn:
        raise invalid_request("No Lambda rotation function ARN is associated with this secret.")
    if not invocation.is_function_arn(function_arn):
        raise invalid_parameter(f"RotationLambdaARN {function_arn} is not the ARN of a Lambda function.")
    # RotateSecret needs lambda:InvokeFunction of its caller too: its page in the API reference, "Required permissions".
    try:
        authorize("lambda:InvokeFunction", function_arn, via="secretsmanager")
    except AccessDenied as denied:
        raise Refusal(
            "AccessDeniedException",
            f"User: {denied.principal_arn} is not authorized to perform: lambda:InvokeFunction "
            f"on resource: {function_arn}",
        ) from None
    if not invocation.allowed(secret, function_arn):
        raise function_cannot_be_invoked()
    return function_arn


def _rules(secret: Record, request: Request) -> dict[str, Any]:
    rules: dict[str, Any] | None = request.get("RotationRules") or secret.get("RotationRules")
    if not rules:
        raise invalid_parameter("RotationRules is needed the first time that a secret is set to rotate.")
    try:
        schedule.parse(rules)
    except ScheduleError as refused:
        raise invalid_parameter(str(refused)) from None
    return dict(rules)


def _require_none_pending(secret: Record, token: str) -> None:
    """A rotation that isn't complete blocks a new one, and is taken up again, as AWS's message says."""
    if not labels.rotation_is_pending(secret) or labels.holder(secret, PENDING) == token:
        return
    if rotation_driver.running(secret) is None and secret.get("RotationEnabled"):
        rotation_driver.start(secret, str(labels.holder(secret, PENDING)))
    raise previous_rotation_not_complete()


def _configure(secret: Record, function_arn: str, rules: dict[str, Any]) -> None:
    changed = not secret.get("RotationEnabled") or rules != secret.get("RotationRules")
    secret["RotationLambdaARN"] = function_arn
    secret["RotationRules"] = rules
    secret["RotationEnabled"] = True
    if changed:
        plan.begin(secret, now())
    touch(secret)
