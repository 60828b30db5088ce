"""Rotation of a Secrets Manager secret.

`rotateImmediately` matters only in the call and is never read back. AWS refuses a function that it may not invoke. The
official plugin retries while such a permission propagates; in a local cell it takes effect at once.
"""

from __future__ import annotations

from typing import Any

from local.provider.aws import Aws
from local.provider.model import Change, Created, ObjectOf, Property, Resource, Scalar, State
from local.provider.rules import between, is_arn, matches


def _rules(rules: State) -> dict[str, Any]:
    request: dict[str, Any] = {}
    if rules.get("scheduleExpression"):
        request["ScheduleExpression"] = rules["scheduleExpression"]
    elif rules.get("automaticallyAfterDays"):
        request["AutomaticallyAfterDays"] = rules["automaticallyAfterDays"]
    return request | ({"Duration": rules["duration"]} if rules.get("duration") else {})


def _rotate(aws: Aws, secret: str, inputs: State) -> str:
    arn: str = aws.client("secretsmanager").rotate_secret(
        SecretId=secret,
        RotateImmediately=inputs["rotateImmediately"],
        RotationRules=_rules(inputs["rotationRules"]),
        **({"RotationLambdaARN": inputs["rotationLambdaArn"]} if inputs.get("rotationLambdaArn") else {}),
    )["ARN"]
    return arn


def _create(aws: Aws, inputs: State) -> Created:
    return Created(_rotate(aws, inputs["secretId"], inputs))


def _read(aws: Aws, id: str, _prior: State) -> State | None:
    secret = aws.client("secretsmanager").describe_secret(SecretId=id)
    if secret.get("DeletedDate"):
        return None
    if not secret.get("RotationEnabled"):
        return {"secretId": secret["ARN"], "rotationEnabled": False}
    return {
        "secretId": secret["ARN"],
        "rotationEnabled": True,
        "rotationLambdaArn": secret.get("RotationLambdaARN"),
        "rotationRules": _seen(secret.get("RotationRules") or {}),
    }


def _seen(rules: dict[str, Any]) -> State:
    """AWS derives the days from a schedule expression; the state has only the values that were given."""
    if rules.get("ScheduleExpression"):
        seen: State = {"scheduleExpression": rules["ScheduleExpression"]}
    else:
        seen = {"automaticallyAfterDays": rules.get("AutomaticallyAfterDays")}
    return seen | ({"duration": rules["Duration"]} if rules.get("Duration") else {})


def _update(aws: Aws, change: Change) -> State:
    if change.changed - {"rotateImmediately"}:
        _rotate(aws, change.id, change.new)
    return {}


def _delete(aws: Aws, id: str, _state: State) -> None:
    aws.client("secretsmanager").cancel_rotate_secret(SecretId=id)


def _conflicts(inputs: State) -> list[tuple[str, str]]:
    rules = inputs["rotationRules"]
    if not isinstance(rules, dict) or ("automaticallyAfterDays" in rules) != ("scheduleExpression" in rules):
        return []
    return [("rotationRules", "exactly one of automaticallyAfterDays and scheduleExpression must be given")]


def _same_secret(old: Any, new: Any) -> bool:
    """Whether both identify one secret: `new` may be its name. An ARN adds a hyphen and six random characters to it."""
    if old == new:
        return True
    name = str(old).split(":secret:", 1)[-1]
    return not str(new).startswith("arn:") and name[:-7] == new


_RULES = ObjectOf(
    "aws:secretsmanager/SecretRotationRotationRules:SecretRotationRotationRules",
    {
        "automaticallyAfterDays": Property(Scalar.INTEGER, rule=between(1, 1000)),
        "duration": Property(Scalar.STRING, rule=matches(r"[0-9]+h", "a number of hours such as 3h")),
        "scheduleExpression": Property(
            Scalar.STRING, rule=matches(r"(rate|cron)\(.+\)", "a schedule such as rate(30 days) or cron(0 4 1 * ? *)")
        ),
    },
)

RESOURCES = (
    Resource(
        type="aws:secretsmanager/secretRotation:SecretRotation",
        inputs={
            "secretId": Property(Scalar.STRING, required=True, replaces=True, same=_same_secret),
            "rotationLambdaArn": Property(Scalar.STRING, rule=is_arn),
            "rotateImmediately": Property(Scalar.BOOLEAN, default=True, read_back=False),
            "rotationRules": Property(_RULES, required=True),
        },
        outputs={"rotationEnabled": Scalar.BOOLEAN},
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        conflicts=_conflicts,
    ),
)
