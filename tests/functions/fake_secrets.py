"""Secrets Manager's versions and labels, in memory, with the methods of boto3's client that the functions call.

Owns AWS's documented rules for staging labels and tokens, and both reports of what a first value does to AWSCURRENT.
Leaves out IAM and KMS (the local cell has those). `on_call` is called with "before" or "after" and the operation's
name, and may raise: that is how tests kill a function between two calls.
"""

# ruff: noqa: N803 - the parameters have boto3's names

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"


def refusal(operation: str, code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class FakeSecrets:
    """`first_is_current`: a put on a secret without any value attaches AWSCURRENT by itself, as AWS's API page says."""

    def __init__(self, admin_key: str, *, first_is_current: bool = True) -> None:
        self.admin_key = admin_key
        self.customers: dict[str, str] = {}
        """Admin keys that customers gave, by their secret's name."""
        self.first_is_current = first_is_current
        self.name = ""
        self.tags: dict[str, str] = {}
        self.rotation_enabled = True
        self.values: dict[str, str | None] = {}
        self.labels: dict[str, str] = {}
        self.calls: list[str] = []
        self.put_tokens: list[str | None] = []
        self.on_call: Callable[[str, str], None] = lambda moment, operation: None

    @property
    def arn(self) -> str:
        return f"arn:aws:secretsmanager:us-east-1:000000000000:secret:{self.name}-a1B2c3"

    def begin_rotation(self, token: str) -> None:
        """What RotateSecret does before it calls the function: an empty version with AWSPENDING."""
        held = self.labels.get(PENDING)
        if held is not None and held not in (token, self.labels.get(CURRENT)):
            raise refusal("RotateSecret", "InvalidRequestException", "a previous rotation isn't complete")
        self.values.setdefault(token, None)
        self.labels[PENDING] = token

    def put_by_hand(self, version: str, value: str) -> None:
        """A person's PutSecretValue without VersionStages: AWSCURRENT moves at once."""
        self.values[version] = value
        self._current(version)

    def stages(self) -> dict[str, list[str]]:
        held: dict[str, list[str]] = {}
        for label, version in self.labels.items():
            held.setdefault(version, []).append(label)
        return held

    def _current(self, version: str) -> None:
        before = self.labels.get(CURRENT)
        if before is not None and before != version:
            self.labels[PREVIOUS] = before
        elif self.labels.get(PREVIOUS) == version:
            del self.labels[PREVIOUS]
        self.labels[CURRENT] = version

    def _run(self, operation: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        self.on_call("before", operation)
        self.calls.append(operation)
        try:
            return work()
        finally:
            self.on_call("after", operation)

    def describe_secret(self, *, SecretId: str) -> dict[str, Any]:
        assert SecretId == self.arn
        tags = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        told = {"Name": self.name, "Tags": tags, "RotationEnabled": self.rotation_enabled}
        return self._run("DescribeSecret", lambda: told | {"VersionIdsToStages": self.stages()})

    def get_secret_value(self, *, SecretId: str, VersionId: str | None = None) -> dict[str, Any]:
        def work() -> dict[str, Any]:
            if SecretId.startswith("myflux-admin/"):
                return {"SecretString": self.customers.get(SecretId, self.admin_key)}
            value = self.values.get(VersionId or self.labels.get(CURRENT, ""))
            if value is None:
                raise refusal("GetSecretValue", "ResourceNotFoundException", "can't find the specified secret value")
            return {"SecretString": value}

        return self._run("GetSecretValue", work)

    def put_secret_value(
        self,
        *,
        SecretId: str,
        ClientRequestToken: str,
        SecretString: str,
        VersionStages: list[str],
        RotationToken: str | None = None,
    ) -> dict[str, Any]:
        def work() -> dict[str, Any]:
            held = self.values.get(ClientRequestToken)
            if held is not None and held != SecretString:
                raise refusal("PutSecretValue", "ResourceExistsException")
            first = all(value is None for value in self.values.values())
            self.values[ClientRequestToken] = SecretString
            self.put_tokens.append(RotationToken)
            for label in VersionStages:
                self.labels[label] = ClientRequestToken
            if first and self.first_is_current:
                self._current(ClientRequestToken)
            return {}

        return self._run("PutSecretValue", work)

    def update_secret_version_stage(
        self,
        *,
        SecretId: str,
        VersionStage: str,
        MoveToVersionId: str | None = None,
        RemoveFromVersionId: str | None = None,
    ) -> dict[str, Any]:
        def work() -> dict[str, Any]:
            if self.labels.get(VersionStage) != RemoveFromVersionId:
                raise refusal("UpdateSecretVersionStage", "InvalidParameterException", "the label is elsewhere")
            if MoveToVersionId is None:
                del self.labels[VersionStage]
            elif VersionStage == CURRENT:
                assert self.values.get(MoveToVersionId), "AWSCURRENT must never sit on a version without a value"
                self._current(MoveToVersionId)
            else:
                self.labels[VersionStage] = MoveToVersionId
            return {}

        return self._run("UpdateSecretVersionStage", work)
