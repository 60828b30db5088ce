"""A tenant's secret, as the promoter sees it: it writes versions and reads none.

Owns the calls to Secrets Manager. Leaves out decisions. Each is safe to repeat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from functions.promoter.decide import NO_SECRET, SecretFacts
from functions.shared.customer_key import Kind
from functions.shared.secrets_manager import SecretState, SecretStore
from myflux_keys.names import TAG_PROJECT_ID
from myflux_keys.payload import Payload
from myflux_keys.version_labels import CURRENT, PERSONS_LABEL

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient


class TenantSecret:
    """The secret of the name `name`. Methods raise botocore's errors too."""

    def __init__(self, client: SecretsManagerClient, name: str) -> None:
        self._client = client
        self._name = name

    def facts(self, version: str) -> SecretFacts:
        """`version` is the id of the link, which its version has too."""
        try:
            answer = self._client.describe_secret(SecretId=self._name)
            versions = SecretStore(self._client, self._name).versions()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
                return NO_SECRET
            raise
        tags = {tag.get("Key") for tag in answer.get("Tags", [])}
        return SecretFacts(
            exists="DeletedDate" not in answer,
            minted=answer.get("RotationEnabled", False) or TAG_PROJECT_ID in tags,
            stored=version in versions,
        )

    def put(self, version: str, payload: Payload, kind: Kind) -> None:
        """Makes the key the live one, as `key set` does. The same again changes nothing."""
        labels = [CURRENT] if kind == "service_account" else [CURRENT, PERSONS_LABEL]
        try:
            self._client.put_secret_value(
                SecretId=self._name,
                ClientRequestToken=version,
                SecretString=payload.to_json(),
                VersionStages=labels,
            )
        except ClientError as error:
            # Only this function writes a version of a link's id: another run did, with other models.
            if error.response.get("Error", {}).get("Code") != "ResourceExistsException":
                raise

    def unlabel(self, version: str) -> None:
        """Takes the label for persons' keys from versions before this one: AWS never deletes a version that has one."""
        state: SecretState = SecretStore(self._client, self._name).describe()
        for other, labels in state.stages.items():
            if PERSONS_LABEL in labels and other != version:
                self._client.update_secret_version_stage(
                    SecretId=self._name, VersionStage=PERSONS_LABEL, RemoveFromVersionId=other
                )
