"""Replicas of tenants' secrets in other Regions: the field `replicas` of `cells/<slug>.yaml`.

Owns the fields of one replica and the rules between it and its cell. Leaves out who may read a replica
(`components.iam.copies`), and whether the key exists: AWS is not asked.
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
"""The pipeline's policy lists every replica and its key, and a managed policy holds 6,144 characters."""

_KEY: Final = re.compile(
    r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):key/(mrk-)?[0-9a-f-]{32,36}", re.ASCII
)
_FORM: Final = "arn:aws:kms:<region>:<account>:key/<id>"


def _key_arn(text: str) -> str:
    if re.fullmatch(r"(arn:[^:]*:kms:[^:]*:[^:]*:)?alias/.+", text, re.ASCII):
        refused(
            "replica-key-alias",
            "An alias can be changed to another KMS key without a change of this file.",
            f"write the key's ARN, {_FORM}: `aws kms describe-key` prints it.",
        )
    if not _KEY.fullmatch(text):
        refused(
            "bad-key-arn",
            "This is not the ARN of a KMS key.",
            f"write {_FORM}: a customer managed key in the replica's Region.",
        )
    return text


class Replica(Model):
    """One Region that holds a replica of each tenant's secret, encrypted with a KMS key of that Region."""

    region: Annotated[
        Text, AfterValidator(region_code), Field(description="The replica's AWS Region.", examples=["eu-west-1"])
    ]
    kms_key_arn: Annotated[
        Text,
        AfterValidator(_key_arn),
        Field(
            description="The customer managed KMS key that encrypts the replicas, in that Region and in the cell's "
            "account. An ARN, not an alias. docs/iam.md shows the key policy that it needs.",
            examples=["arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
            json_schema_extra={"pattern": r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/(mrk-)?[0-9a-f-]{32,36}$"},
        ),
    ]


def replica_refusals(data: Mapping[str, Any]) -> Iterator[Refusal]:
    """Rules between a cell and its replicas; `data` is the file's raw values."""
    listed = data.get("replicas")
    if not isinstance(listed, list | tuple):
        return
    replicas = cast(list[Any], listed)
    if len(replicas) > MOST:
        reason = f"A cell has at most {MOST} replicas: the IAM policies that list them have no room for more."
        yield Refusal("too-many-replicas", reason, "list fewer, or create another cell.", ("replicas",))
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
        yield Refusal(
            "replica-at-home",
            "This is the cell's own Region, which holds the secret itself.",
            "delete it from the list.",
            here,
        )
    elif isinstance(home, str) and partition_of(region) != partition_of(home):
        reason = "Secrets can be replicated only between Regions of one AWS partition."
        yield Refusal("replica-partition", reason, "choose Regions of the same partition.", here)
    if seen.setdefault(region, place) != place:
        reason = f"replicas[{seen[region]}] names this Region already, and a Region holds one replica."
        yield Refusal("replica-twice", reason, "delete one of them.", here)
    found = _KEY.fullmatch(key) if isinstance(key, str) else None
    if found and found["region"] != region:
        reason = (
            f"The KMS key is in {found['region']}, but a replica must be encrypted with a key in its Region, {region}."
        )
        way_out = f"write the ARN of a key in {region}, or the Region of this key."
        yield Refusal("replica-key-region", reason, way_out, ("replicas", place, "kms_key_arn"))
    if found and found["account"] != cell.get("account_id") and isinstance(cell.get("account_id"), str):
        reason = (
            f"The KMS key is account {found['account']}'s; the administrators of that account decide who may decrypt."
        )
        way_out = "write the ARN of a key in the cell's own account."
        yield Refusal("replica-key-account", reason, way_out, ("replicas", place, "kms_key_arn"))
