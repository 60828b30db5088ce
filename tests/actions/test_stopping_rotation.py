"""A switch to tokens ends the rotation before it ends the key, and no rotation that AWS has begun is left half way."""

# ruff: noqa: N803 - boto3's own names of arguments
from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.actions.credential import TO_TOKENS
from ops.actions.run_credential import _Means
from tenancy import Cell
from tests.actions.test_credential_plan import tenant

DATE = {"ResponseMetadata": {"HTTPHeaders": {"date": "Sun, 29 Nov 2026 09:00:00 GMT"}}}


@dataclass
class Secrets:
    """Secrets Manager with one secret. `late`: a rotation of this token begins just before the cancel, and after the
    look that saw none. AWS runs no step of a cancelled rotation, and takes no other token until it has ended."""

    late: str | None
    enabled: bool = True
    labels: dict[str, list[str]] = field(default_factory=lambda: {"v1": ["AWSCURRENT"]})
    runs: bool = False
    tokens: list[str] = field(default_factory=list[str])

    def describe_secret(self, *, SecretId: str) -> Any:
        told = {
            "ARN": "arn",
            "Name": SecretId,
            "RotationEnabled": self.enabled,
            "VersionIdsToStages": dict(self.labels),
        }
        if self.runs:
            # The function's steps take some seconds: the next look finds them done.
            self.runs = False
            (pending,) = self._pending()
            self.labels = {pending: ["AWSCURRENT"], "v1": ["AWSPREVIOUS"]}
        return told | DATE

    def cancel_rotate_secret(self, *, SecretId: str) -> Any:
        if self.late is not None:
            self.labels[self.late], self.late = ["AWSPENDING"], None
        self.enabled = self.runs = False
        return DATE

    def rotate_secret(self, *, SecretId: str, ClientRequestToken: str, RotateImmediately: bool) -> Any:
        self.tokens.append(ClientRequestToken)
        if self._pending() != [ClientRequestToken]:
            refusal: Any = {"Code": "InvalidRequestException", "Message": "A previous rotation isn't complete."}
            raise ClientError({"Error": refusal}, "RotateSecret")
        self.enabled = self.runs = True
        return DATE

    def _pending(self) -> list[str]:
        return [version for version, labels in self.labels.items() if "AWSPENDING" in labels]


@pytest.mark.parametrize("late", [None, "v2"])
def test_a_rotation_that_began_as_it_was_turned_off_is_ended_by_its_own_token(
    small_cell: Cell, late: str | None
) -> None:
    """Left alone it would stay AWSPENDING for ever, and the switch would wait for it until it gives up."""
    secrets = Secrets(late)
    prepared, account = SimpleNamespace(tenant=tenant(TO_TOKENS)), SimpleNamespace(cell=small_cell, secrets=secrets)
    means: Any = _Means(prepared, account, None, print)  # pyright: ignore[reportArgumentType]
    looks = [means.stop_rotation() for _ in range(3)]
    assert looks == ([True] * 3 if late is None else [False, False, True]), "under way, it is waited for"
    assert secrets.tokens == ([] if late is None else [late])
    assert (secrets.enabled, secrets._pending()) == (False, [])
    assert ("AWSCURRENT" in secrets.labels["v1"]) is (late is None), (
        "the key that it made is live, and is ended by its id"
    )
