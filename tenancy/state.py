"""Where a cell's stacks keep their state: the field `state` of `cells/<slug>.yaml`.

Leaves out the addresses that Pulumi takes (`ops/state_place.py`) and who may read and write there
(`components/iam/deployer_permissions.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, NamedTuple, cast

from pydantic import AfterValidator, Field

from tenancy.fields import Model, Text, refused
from tenancy.problems import Refusal

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_KEY: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+", re.ASCII)
_OLD: Final = ("state_bucket", "state_key_arn")
"""The fields of `pipeline` that `state` replaces. The next release does not read them."""


def _bucket(text: str) -> str:
    if not _BUCKET.fullmatch(text):
        refused(
            "bad-bucket",
            "This is not an S3 bucket's name.",
            "write the bucket's name, without s3:// or a path.",
        )
    return text


def _key(text: str) -> str:
    if not _KEY.fullmatch(text):
        refused(
            "bad-key-arn",
            "This is not a KMS key's ARN.",
            "write the key's ARN, not an alias: an alias can be changed to another key.",
        )
    return text


Bucket = Annotated[Text, AfterValidator(_bucket)]
KeyArn = Annotated[Text, AfterValidator(_key)]


class State(Model):
    """The bucket and the KMS key of Pulumi's state. Nobody logs in to a backend: every command finds them here."""

    bucket: Annotated[
        Bucket,
        Field(
            description="The S3 bucket, in the cell's Region. A pipeline has only the objects of stacks named CELL and "
            "TENANT.CELL there.",
            examples=["myflux-state-prod-eu1"],
        ),
    ]
    kms_key: Annotated[
        KeyArn,
        Field(
            description="The ARN of the KMS key that encrypts secrets in the state.",
            examples=["arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
        ),
    ]


class KeptIn(NamedTuple):
    """Where a cell's state is. `kms_key` is None where the person's own environment encrypts its secrets, as by a
    passphrase."""

    bucket: str
    kms_key: str | None


def state_refusals(data: Mapping[str, Any]) -> Iterator[Refusal]:
    """Rules between `state` and `pipeline`, on a cell's raw values."""
    pipeline = data.get("pipeline")
    if not isinstance(pipeline, Mapping):
        return
    old = [name for name in _OLD if cast(Mapping[str, Any], pipeline).get(name) is not None]
    if data.get("state") is not None and old:
        reason = f"The place of the state stands in the file twice: state, and pipeline.{old[0]}."
        yield Refusal("state-twice", reason, f"delete {' and '.join(old)}.", ("pipeline", old[0]))


def state_notices(data: Mapping[str, Any]) -> Iterator[Refusal]:
    """What is still to be written, and what the next release no longer reads, on a cell's raw values."""
    pipeline = data.get("pipeline")
    if isinstance(pipeline, Mapping):
        if data.get("state") is None and cast(Mapping[str, Any], pipeline).get("state_bucket") is None:
            reason = "The platform cannot be deployed yet: its pipeline's role may use the state's bucket alone."
            yield Refusal("state-missing", reason, _by_bootstrap(data), ("pipeline",))
        for name in _OLD:
            if cast(Mapping[str, Any], pipeline).get(name) is not None:
                reason = f"`state` has replaced `pipeline.{name}`, which the next release does not read."
                yield Refusal("state-old-form", reason, _new_form(name), ("pipeline", name))


def _by_bootstrap(data: Mapping[str, Any]) -> str:
    return f"add what `myflux-keys bootstrap {data.get('cell')}` prints; docs/state.md."


def _new_form(name: str) -> str:
    if name == "state_bucket":
        return "move the bucket's name to state.bucket, beside state.kms_key; docs/state.md shows how."
    return "move the ARN to state.kms_key, beside state.bucket."
