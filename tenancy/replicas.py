"""Copies of tenants' secrets in further Regions: what `replicas` in `cells/<slug>.yaml` may say.

Owns the fields of one copy and the rules between it and its cell. Leaves out who may read a copy
(`components.iam.copies`), and asking AWS whether the key exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, cast

from pydantic import AfterValidator, Field

from tenancy.fields import Model, Text, refused
from tenancy.principals import partition_of, region_code
from tenancy.problems import Refusal

MOST: Final = 3
"""A pipeline's policy names every copy and its key, and a managed policy holds 6,144 characters."""

_KEY: Final = re.compile(
    r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):key/(mrk-)?[0-9a-f-]{32,36}", re.ASCII
)
_FORM: Final = "arn:aws:kms:<region>:<account>:key/<id>"


def _key_arn(text: str) -> str:
    if re.fullmatch(r"(arn:[^:]*:kms:[^:]*:[^:]*:)?alias/.+", text, re.ASCII):
        refused(
            "replica-key-alias",
            "An alias can be pointed at another key, and then nobody sees what a copy is encrypted with.",
            f"write the key's own ARN, {_FORM}: `aws kms describe-key` tells it.",
        )
    if not _KEY.fullmatch(text):
        refused(
            "bad-key-arn",
            "This is not the ARN of a KMS key.",
            f"write {_FORM}: a customer managed key that stands in the copy's Region.",
        )
    return text


class Replica(Model):
    """One Region that holds a copy of each tenant's secret, under a key of its own."""

    region: Annotated[
        Text, AfterValidator(region_code), Field(description="The copy's AWS Region.", examples=["eu-west-1"])
    ]
    kms_key_arn: Annotated[
        Text,
        AfterValidator(_key_arn),
        Field(
            description="The customer managed KMS key in that Region, of the cell's account, that encrypts the copies. "
            "An ARN, never an alias. docs/iam.md has the policy that it needs.",
            examples=["arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
            json_schema_extra={"pattern": r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/(mrk-)?[0-9a-f-]{32,36}$"},
        ),
    ]


def replica_refusals(data: Mapping[str, Any]) -> Iterator[Refusal]:
    """Rules between a cell and its copies; `data` is a cell's raw values."""
    listed = data.get("replicas")
    if not isinstance(listed, list | tuple):
        return
    replicas = cast(list[Any], listed)
    if len(replicas) > MOST:
        reason = f"The policies that name the copies have room for {MOST} Regions."
        yield Refusal("too-many-replicas", reason, "name fewer, or make another cell.", ("replicas",))
    seen: dict[str, int] = {}
    for place, one in enumerate(replicas):
        if isinstance(one, Mapping):
            yield from _refusals(data, cast(Mapping[str, Any], one), place, seen)


def _refusals(
    cell: Mapping[str, Any], replica: Mapping[str, Any], place: int, seen: dict[str, int]
) -> Iterator[Refusal]:
    home, region, key = cell.get("region"), replica.get("region"), replica.get("kms_key_arn")
    here = ("replicas", place, "region")
    if not isinstance(region, str):
        return
    if region == home:
        yield Refusal("replica-at-home", "The secret lives in this Region already.", "delete it from the list.", here)
    elif isinstance(home, str) and partition_of(region) != partition_of(home):
        reason = "Secrets are copied only between Regions of one AWS partition."
        yield Refusal("replica-partition", reason, "choose Regions of the same partition.", here)
    if seen.setdefault(region, place) != place:
        reason = f"replicas[{seen[region]}] names this Region already, and a Region holds one copy."
        yield Refusal("replica-twice", reason, "delete one of them.", here)
    found = _KEY.fullmatch(key) if isinstance(key, str) else None
    if found and found["region"] != region:
        reason = f"The key stands in {found['region']}, and a copy is encrypted with a key of its own Region, {region}."
        way_out = f"write the ARN of a key in {region}, or the Region that this key is of."
        yield Refusal("replica-key-region", reason, way_out, ("replicas", place, "kms_key_arn"))
    if found and found["account"] != cell.get("account_id") and isinstance(cell.get("account_id"), str):
        reason = f"The key is account {found['account']}'s, and whoever governs that account decides who decrypts."
        way_out = "write the ARN of a key in the cell's own account."
        yield Refusal("replica-key-account", reason, way_out, ("replicas", place, "kms_key_arn"))
