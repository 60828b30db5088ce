"""Which objects of the state bucket a pipeline's role may read, write and delete: those of the stacks that it deploys.

Owns the layout of the engine's state in a bucket, and the document, which has room for a part of what the stacks'
resources need. Leaves out that part (`deployer_permissions`). Why not the whole bucket:
docs/adr/0038-a-pipelines-state.md. The layout is the engine's own:
https://github.com/pulumi/pulumi/blob/v3.250.0/pkg/backend/diy/store.go, state.go, lock.go, stack_tags.go
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from components.iam.deployer_permissions import deployer_beside
from components.iam.grants import Deploys
from components.iam.statements import Document, allow, document
from myflux_keys.aws_names import CellNames

_PLATFORM: Final = (
    "json",
    "json.bak",
    "json.gz",
    "json.gz.bak",
    "json.zst",
    "json.zst.bak",
    "pulumi-tags",
)
"""How files of one stack's state end. In full: a stack `CELL.json` of another cell also begins with ``CELL.json``."""
_TENANTS: Final = ("json*", "pulumi-tags")
"""Shorter, since no other cell's stack ends with the cell's name."""


@dataclass(frozen=True)
class State:
    """Where the stacks' state is: an S3 bucket, the KMS key of Pulumi's secrets provider, if one is used, and the
    Pulumi project, whose name is a folder in the bucket."""

    bucket: str
    key_arn: str | None
    project: str


def deployer_state(names: CellNames, deploys: Deploys, state: State) -> Document:
    """Fits a managed policy, which holds 6,144 characters.

    Names of all objects may be listed: with a condition on the prefix, S3 answers a request for an object that does not
    exist with 403 instead of 404, and the engine asks whether files exist.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    own = _files(f"*.{names.cell}", _TENANTS, state.project)
    read = [".pulumi/meta.yaml"]
    platform = _files(names.cell, _PLATFORM, state.project)
    if deploys == "everything":
        own += platform
    else:
        read += platform[: len(_PLATFORM)]
    bucket = f"arn:{names.partition}:s3:::{state.bucket}"
    return document(
        allow("NamesOfObjects", ["s3:ListBucket"], [bucket]),
        allow(
            "StateOfItsStacks",
            ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            [f"{bucket}/{path}" for path in own],
        ),
        allow("ReadsWhatItDoesNotDeploy", ["s3:GetObject"], [f"{bucket}/{path}" for path in read]),
        *([allow("SecretsInState", ["kms:Decrypt", "kms:Encrypt"], [state.key_arn])] if state.key_arn else []),
        *deployer_beside(names, deploys),
    )


def _files(stack: str, endings: Sequence[str], project: str) -> list[str]:
    """`stack` is a stack's name, or a pattern of names. The state comes first."""
    return [
        *(f".pulumi/stacks/{project}/{stack}.{ending}" for ending in endings),
        f".pulumi/locks/organization/{project}/{stack}/*",
        f".pulumi/history/{project}/{stack}/*",
        f".pulumi/backups/{project}/{stack}/*",
    ]
