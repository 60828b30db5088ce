"""One secret in Secrets Manager: its versions and their labels.

Owns the calls and what their answers mean. Leaves out decisions (`rotation/`). Every call is safe to repeat, so
botocore may retry it: PutSecretValue with the same token and value is a no-op, and after a failed move of a label the
label is read before the move counts as failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from myflux_keys import version_labels
from myflux_keys.payload import SecretText
from myflux_keys.version_labels import CURRENT, PENDING

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_secretsmanager.type_defs import SecretVersionsListEntryTypeDef


@dataclass(frozen=True)
class SecretState:
    """DescribeSecret's answer. `stages` maps a version's id to its labels, without unlabelled versions."""

    name: str
    tags: Mapping[str, str]
    rotation_enabled: bool
    stages: Mapping[str, frozenset[str]]
    changed_at: float | None = None
    """When the secret, or a label, last changed: Unix seconds by AWS's clock."""

    def version_with(self, label: str) -> str | None:
        return version_labels.version_with(label, self.stages)


class SecretStore:
    """The versions of the secret `secret_id` (its ARN). Methods raise botocore's ClientError and BotoCoreError."""

    def __init__(self, client: SecretsManagerClient, secret_id: str) -> None:
        self._client = client
        self._id = secret_id

    def describe(self) -> SecretState:
        answer = self._client.describe_secret(SecretId=self._id)
        changed = answer.get("LastChangedDate")
        return SecretState(
            name=answer["Name"],
            tags={tag["Key"]: tag["Value"] for tag in answer.get("Tags", []) if "Key" in tag and "Value" in tag},
            rotation_enabled=answer.get("RotationEnabled", False),
            stages={version: frozenset(labels) for version, labels in answer.get("VersionIdsToStages", {}).items()},
            changed_at=changed.timestamp() if changed else None,
        )

    def versions(self) -> dict[str, frozenset[str]]:
        """Every version that AWS still keeps, with its labels; also versions without a label, whose values can be
        read."""
        return {one.get("VersionId", ""): frozenset(one.get("VersionStages", [])) for one in self._listed()}

    def made_at(self) -> dict[str, float]:
        """When each of those versions was stored: Unix seconds by AWS's clock."""
        dates = {one.get("VersionId", ""): one.get("CreatedDate") for one in self._listed()}
        return {version: date.timestamp() for version, date in dates.items() if date is not None}

    def _listed(self) -> Iterator[SecretVersionsListEntryTypeDef]:
        answer = self._client.list_secret_version_ids(SecretId=self._id, IncludeDeprecated=True)
        while True:
            yield from answer.get("Versions", [])
            token = answer.get("NextToken")
            if not token:
                return
            answer = self._client.list_secret_version_ids(SecretId=self._id, IncludeDeprecated=True, NextToken=token)

    def value(self, version_id: str) -> SecretText | None:
        """The version's text; None if it has none, as at the start of a rotation."""
        try:
            answer = self._client.get_secret_value(SecretId=self._id, VersionId=version_id)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
                return None
            raise
        if "SecretString" in answer:
            return SecretText(answer["SecretString"])
        # Whoever made a secret by hand may have stored bytes.
        return SecretText(answer.get("SecretBinary", b"").decode(errors="replace"))

    def put_pending(self, version_id: str, text: SecretText, rotation_token: str | None) -> None:
        """Stores the version's value under AWSPENDING. On a secret without any value AWS adds AWSCURRENT by itself."""
        if rotation_token is None:
            self._client.put_secret_value(
                SecretId=self._id, ClientRequestToken=version_id, SecretString=text.reveal(), VersionStages=[PENDING]
            )
        else:
            self._client.put_secret_value(
                SecretId=self._id,
                ClientRequestToken=version_id,
                SecretString=text.reveal(),
                VersionStages=[PENDING],
                RotationToken=rotation_token,
            )

    def make_current(self, version_id: str, held_by: str | None) -> None:
        """Moves AWSCURRENT to `version_id`. `held_by` is the version that has it; AWS requires it if there is one."""
        try:
            if held_by is None:
                self._client.update_secret_version_stage(
                    SecretId=self._id, VersionStage=CURRENT, MoveToVersionId=version_id
                )
            else:
                self._client.update_secret_version_stage(
                    SecretId=self._id, VersionStage=CURRENT, MoveToVersionId=version_id, RemoveFromVersionId=held_by
                )
        except (ClientError, BotoCoreError):
            # If only the answer was lost, AWS refuses the retry, since the label has moved already.
            if self.describe().version_with(CURRENT) != version_id:
                raise

    def drop_pending(self, version_id: str) -> None:
        """Removes AWSPENDING from `version_id`: otherwise every later RotateSecret would fail."""
        self._client.update_secret_version_stage(
            SecretId=self._id, VersionStage=PENDING, RemoveFromVersionId=version_id
        )
