"""Secrets Manager and CloudTrail as far as operations call them, in memory, with a clock that only sleeping moves.

Owns versions, labels and the rule that a rotation which is under way refuses another one. Rotations end by themselves
some seconds after they were asked for, or never, or with a failure on record. For decisions; the real answers are what
`test_operator_commands.py` runs against.
"""

# ruff: noqa: N803 - boto3's own names of arguments
from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from ops.actions.rotate import Waiting
from tenancy import Cell


class Clock:
    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def waiting(self, give_up_seconds: float = 600) -> Waiting:
        return Waiting(self.now, self.sleep, give_up_seconds)

    def moment(self) -> datetime:
        return datetime.fromtimestamp(int(self.time), UTC)


def refusal(code: str, message: str, clock: Clock) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": message}, **_metadata(clock)}
    return ClientError(answer, "RotateSecret")


def _metadata(clock: Clock) -> Any:
    return {"ResponseMetadata": {"HTTPHeaders": {"date": clock.moment().strftime("%a, %d %b %Y %H:%M:%S GMT")}}}


@dataclass
class Held:
    """One secret. `ready` is when each version asked for becomes current."""

    stages: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    ready: dict[str, float] = field(default_factory=dict[str, float])
    rotation_enabled: bool = True
    deleted: bool = False
    changed: datetime | None = None
    rotated: datetime | None = None
    tags: dict[str, str] = field(default_factory=dict[str, str])
    policy: str = json.dumps({"Version": "2012-10-17", "Statement": []})


@dataclass(frozen=True)
class _Pages:
    """ListSecrets, which calls the labels by another name than DescribeSecret."""

    secrets: FakeSecrets

    def paginate(self, *, Filters: list[dict[str, Any]]) -> list[dict[str, Any]]:
        (prefix,) = Filters[0]["Values"]
        told = [self.secrets.describe_secret(SecretId=name) for name in self.secrets.held if name.startswith(prefix)]
        listed = [
            {key: value for key, value in secret.items() if key not in ("VersionIdsToStages", "ResponseMetadata")}
            | {"SecretVersionsToStages": secret["VersionIdsToStages"]}
            | {"Tags": [*secret["Tags"], {"Key": "tenant", "Value": secret["Name"].split("/")[2]}]}
            for secret in told
        ]
        return [{"SecretList": listed, **_metadata(self.secrets.clock)}]


class FakeSecrets:
    """The calls that operations make. `asked` records each RotateSecret that was let through."""

    def __init__(self, clock: Clock, takes: float = 5.0) -> None:
        self.clock = clock
        self.takes = takes
        self.held: dict[str, Held] = {}
        self.asked: list[tuple[str, str, float]] = []
        self.failing: set[str] = set()
        self.trail: list[dict[str, Any]] = []

    def describe_secret(self, *, SecretId: str) -> dict[str, Any]:
        held = self._find(SecretId)
        self._settle(SecretId, held)
        return {
            "ARN": f"arn:{self._name(SecretId)}",
            "Name": self._name(SecretId),
            "RotationEnabled": held.rotation_enabled,
            "VersionIdsToStages": {version: list(labels) for version, labels in held.stages.items()},
            "Tags": [{"Key": tag, "Value": value} for tag, value in held.tags.items()],
            **({"LastChangedDate": held.changed} if held.changed else {}),
            **({"LastRotatedDate": held.rotated} if held.rotated else {}),
            **({"DeletedDate": self.clock.moment()} if held.deleted else {}),
            **_metadata(self.clock),
        }

    def get_paginator(self, operation: str) -> _Pages:
        assert operation == "list_secrets"
        return _Pages(self)

    def cancel_rotate_secret(self, *, SecretId: str) -> None:
        self._find(SecretId).rotation_enabled = False

    def rotate_secret(self, *, SecretId: str, ClientRequestToken: str, RotateImmediately: bool = True) -> Any:
        held = self._find(SecretId)
        self._settle(SecretId, held)
        pending = next((v for v, labels in held.stages.items() if labels == ["AWSPENDING"]), None)
        if pending not in (None, ClientRequestToken):
            message = "A previous rotation isn't complete. That rotation will be reattempted."
            raise refusal("InvalidRequestException", message, self.clock)
        if pending is None:
            self.asked.append((self._name(SecretId), ClientRequestToken, self.clock.time))
        held.stages[ClientRequestToken] = ["AWSPENDING"]
        held.ready.setdefault(ClientRequestToken, self.clock.time + self.takes)
        return {"VersionId": ClientRequestToken, **_metadata(self.clock)}

    def get_resource_policy(self, *, SecretId: str) -> dict[str, Any]:
        return {"ResourcePolicy": self._find(SecretId).policy}

    def put_resource_policy(self, *, SecretId: str, ResourcePolicy: str, BlockPublicPolicy: bool) -> None:
        assert BlockPublicPolicy, "a policy is never written without AWS's check on public access"
        self._find(SecretId).policy = ResourcePolicy

    def _name(self, secret_id: str) -> str:
        return secret_id.removeprefix("arn:")

    def _find(self, secret_id: str) -> Held:
        if self._name(secret_id) not in self.held:
            raise refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.", self.clock)
        return self.held[self._name(secret_id)]

    def _settle(self, secret_id: str, held: Held) -> None:
        for version, at in list(held.ready.items()):
            if at > self.clock.time:
                continue
            del held.ready[version]
            if self._name(secret_id) in self.failing:
                self._record(secret_id)
                continue
            for labels in held.stages.values():
                labels[:] = ["AWSPREVIOUS"] if "AWSCURRENT" in labels else []
            held.stages = {other: labels for other, labels in held.stages.items() if labels}
            held.stages[version] = ["AWSCURRENT", "AWSPENDING"]

    def _record(self, secret_id: str) -> None:
        event = {
            "eventSource": "secretsmanager.amazonaws.com",
            "eventName": "RotationFailed",
            "errorMessage": "OpenAI answered 500",
            "additionalEventData": {"SecretId": f"arn:{self._name(secret_id)}"},
        }
        self.trail.append({"EventTime": self.clock.moment(), "CloudTrailEvent": json.dumps(event)})


class _Trail:
    def __init__(self, secrets: FakeSecrets) -> None:
        self._secrets = secrets

    def get_paginator(self, operation: str) -> _Trail:
        assert operation == "lookup_events"
        return self

    def paginate(self, *, LookupAttributes: list[dict[str, str]], StartTime: datetime) -> list[dict[str, Any]]:
        name = LookupAttributes[0]["AttributeValue"]
        found = [
            event
            for event in self._secrets.trail
            if json.loads(event["CloudTrailEvent"])["eventName"] == name and event["EventTime"] >= StartTime
        ]
        return [{"Events": found}]


class FakeAccount:
    """In place of `ops.account.Account`."""

    def __init__(self, cell: Cell, secrets: FakeSecrets) -> None:
        self.cell = cell
        self.secrets = secrets
        self.trail = _Trail(secrets)

    def check(self) -> datetime:
        return self.secrets.clock.moment()
