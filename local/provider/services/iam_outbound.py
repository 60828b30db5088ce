"""Outbound web identity federation of an account. There is one, without inputs. The id is the account's."""

from __future__ import annotations

from botocore.exceptions import ClientError

from local.provider.aws import Aws
from local.provider.model import Created, Resource, Scalar, State

_OFF = "FeatureDisabled"


def _create(aws: Aws, _: State) -> Created:
    """AWS refuses it where it is enabled already: two owners would each disable it for the other."""
    aws.client("iam").enable_outbound_web_identity_federation()
    return Created(aws.identity().account_id)


def _read(aws: Aws, _id: str, _prior: State) -> State | None:
    try:
        held = aws.client("iam").get_outbound_web_identity_federation_info()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == _OFF:
            return None
        raise
    return {"issuerIdentifier": held["IssuerIdentifier"]}


def _delete(aws: Aws, _id: str, _state: State) -> None:
    try:
        aws.client("iam").disable_outbound_web_identity_federation()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != _OFF:
            raise


RESOURCES = (
    Resource(
        type="aws:iam/outboundWebIdentityFederation:OutboundWebIdentityFederation",
        inputs={},
        outputs={"issuerIdentifier": Scalar.STRING},
        create=_create,
        read=_read,
        delete=_delete,
        regional=False,
    ),
)
