"""Whether tenants of a cell can do without a key, by tokens that AWS signs and OpenAI exchanges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Annotated, Any, cast

from pydantic import AfterValidator, Field

from myflux_keys.identity import AWS_ISSUER, MOST_PROVIDERS, MOST_RULES
from myflux_keys.key import is_openais
from tenancy.fields import Flag, Model, Text, refused
from tenancy.problems import Refusal


def _issuer(text: str | None) -> str | None:
    if text is not None and not AWS_ISSUER.fullmatch(text):
        refused(
            "bad-issuer",
            "The issuer is the https URL that AWS gave the account.",
            "write what `aws iam get-outbound-web-identity-federation-info` prints.",
        )
    return text


def providers(tenants: int) -> int:
    """How many identity providers a cell needs for so many federated tenants."""
    return ceil(tenants / MOST_RULES)


def most_tenants(cell: str, federated: Mapping[str, int]) -> int:
    """How many federated tenants a cell may have, beside those that the cells of its OpenAI organization have now.

    A provider has one audience, which is a cell's own: what is left in another cell's last one is nobody else's. Less
    where the organization has identity providers that are not ours, which no file shows.
    """
    taken = sum(providers(count) for other, count in federated.items() if other != cell)
    return max(MOST_PROVIDERS - taken, 0) * MOST_RULES


class Federation(Model):
    """Workload identity federation: docs/adr/0043-no-key-at-all.md."""

    enabled: Annotated[
        Flag,
        Field(
            description="true: tenants of the cell may have `credential: federated`. The platform enables the AWS "
            "account's outbound web identity federation, and the runtime role may ask for tokens of the cell's "
            "audience. A pipeline that deploys everything may not enable it: then `issuer` says that it is enabled."
        ),
    ] = False
    issuer: Annotated[
        Text | None,
        AfterValidator(_issuer),
        Field(
            description="The account's issuer URL, where outbound federation is already enabled, for example by "
            "another cell of the account. Left out: the platform enables it, and disables it when it is destroyed.",
            examples=["https://00000000-0000-0000-0000-000000000000.tokens.sts.global.api.aws"],
        ),
    ] = None


def federation_refusals(data: Mapping[str, Any]) -> Iterator[Refusal]:
    """Takes a cell file's raw values."""
    given = data.get("federation")
    federation = cast("Mapping[str, Any]", given) if isinstance(given, Mapping) else dict[str, Any]()
    if federation.get("issuer") is not None and federation.get("enabled", False) is False:
        reason = "Without federation nothing uses the issuer."
        yield Refusal("issuer-unused", reason, "add enabled: true, or delete issuer.", ("federation", "issuer"))
    openai = data.get("openai")
    url = cast("Mapping[str, Any]", openai).get("base_url") if isinstance(openai, Mapping) else None
    if federation.get("enabled") is True and isinstance(url, str) and not is_openais(url):
        reason = "OpenAI's tokens are sent to OpenAI alone: clients refuse an identity with another address."
        way_out = "delete base_url, or write federation: {enabled: false}."
        yield Refusal("federation-elsewhere", reason, way_out, ("openai", "base_url"))
    pipeline = data.get("pipeline")
    deploys = cast("Mapping[str, Any]", pipeline).get("deploys") if isinstance(pipeline, Mapping) else None
    if federation.get("enabled") is True and federation.get("issuer") is None and deploys == "everything":
        reason = "A pipeline that deploys everything has no right to enable the AWS account's outbound federation."
        way_out = (
            "enable it once with `aws iam enable-outbound-web-identity-federation` and write what that prints as "
            "issuer, or write deploys: tenants."
        )
        yield Refusal("federation-by-pipeline", reason, way_out, ("federation", "enabled"))
