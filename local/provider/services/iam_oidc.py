"""OIDC providers of an account. The id is the ARN, which holds the issuer's address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from local.provider.aws import Aws
from local.provider.model import Change, Created, ListOf, Property, Resource, Scalar, State
from local.provider.rules import matches
from local.provider.services.tags import mapped, pairs


def _create(aws: Aws, inputs: State) -> Created:
    thumbprints = {"ThumbprintList": inputs["thumbprintLists"]} if inputs.get("thumbprintLists") else {}
    made = aws.client("iam").create_open_id_connect_provider(
        Url=inputs["url"], ClientIDList=inputs["clientIdLists"], Tags=pairs(inputs.get("tags")), **thumbprints
    )
    return Created(made["OpenIDConnectProviderArn"])


def _read(aws: Aws, id: str, _prior: State) -> State | None:
    held = aws.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=id)
    return {
        "arn": id,
        "url": held["Url"].removeprefix("https://"),
        "clientIdLists": held.get("ClientIDList", []),
        "thumbprintLists": held.get("ThumbprintList", []),
        "tags": mapped(held.get("Tags")),
    }


def _update(aws: Aws, change: Change) -> State:
    iam, old, new = aws.client("iam"), set(change.old["clientIdLists"]), set(change.new["clientIdLists"])
    for one in sorted(new - old):
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=change.id, ClientID=one)
    for one in sorted(old - new):
        iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=change.id, ClientID=one)
    return {}


def _delete(aws: Aws, id: str, _state: State) -> None:
    aws.client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=id)


def _retag(aws: Aws, id: str, add: Mapping[str, str], remove: Sequence[str]) -> None:
    iam = aws.client("iam")
    if remove:
        iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=id, TagKeys=list(remove))
    if add:
        iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=id, Tags=pairs(add))


RESOURCES = (
    Resource(
        type="aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        inputs={
            "url": Property(
                Scalar.STRING,
                required=True,
                replaces=True,
                rule=matches(r"https://[^\s?#]+", "an address that begins with https://"),
                # AWS keeps it without its scheme.
                same=lambda old, new: str(old).removeprefix("https://") == str(new).removeprefix("https://"),
            ),
            "clientIdLists": Property(ListOf(Scalar.STRING, unordered=True), required=True),
            "thumbprintLists": Property(ListOf(Scalar.STRING), computed=True),
        },
        outputs={"arn": Scalar.STRING},
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        retag=_retag,
        regional=False,
    ),
)
