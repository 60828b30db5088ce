"""The bucket and the KMS key that hold a cell's state."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_aws.s3 import BucketLifecycleConfiguration, BucketVersioning

from components.closed_bucket import ClosedBucketArgs, closed_bucket
from components.encryption_key import EncryptionKey, EncryptionKeyArgs
from components.iam.people import STATE, TAG_PURPOSE
from components.iam.state_store import state_bucket, state_key
from myflux_keys.aws_names import CellNames

OLD_VERSIONS_DAYS = 90
NEWEST_VERSIONS = 20
"""Each `up` writes a version. The newest stay whatever their age: a cell may rest for months."""


@dataclass
class StateStoreArgs:
    names: CellNames
    protect: bool = False
    """Protect bucket and key from deletion: without them nobody knows what is deployed."""
    tls: bool = True
    """False for a local cell, whose addresses have no certificate."""


class StateStore(pulumi.ComponentResource):
    """Guarantees: an overwritten or deleted state can be restored for 90 days, the newest 20 versions for ever; nobody
    of another account, and nobody without TLS, reaches it; the key encrypts what Pulumi marks as secret.
    """

    bucket: pulumi.Output[str]
    kms_key_arn: pulumi.Output[str]

    def __init__(self, name: str, args: StateStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:StateStore", name, None, opts)
        names = args.names
        child = pulumi.ResourceOptions(parent=self)
        key = EncryptionKey(
            f"{name}-key",
            EncryptionKeyArgs(
                alias=names.state_kms_alias,
                description=f"Secrets in the state of MyFlux Keys' cell {names.cell}",
                policy=state_key(names),
                tags=names.tags | {TAG_PURPOSE: STATE},
                protect=args.protect,
            ),
            child,
        )
        closed = closed_bucket(
            name,
            ClosedBucketArgs(
                bucket=names.state_bucket,
                policy=state_bucket(names, tls=args.tls),
                tags=names.tags | {TAG_PURPOSE: STATE},
                protect=args.protect,
            ),
            self,
        )
        bucket = closed.bucket
        versions = BucketVersioning(
            f"{name}-versions",
            bucket=bucket.bucket,
            versioning_configuration={"status": "Enabled"},
            opts=child,
        )
        lifecycle = BucketLifecycleConfiguration(
            f"{name}-old-versions",
            bucket=bucket.bucket,
            rules=[
                {
                    "id": "old-versions-end",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "noncurrent_version_expiration": {
                        "noncurrent_days": OLD_VERSIONS_DAYS,
                        "newer_noncurrent_versions": NEWEST_VERSIONS,
                    },
                }
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versions]),
        )
        # Known once all is set, so that no state lies in a bucket that keeps no versions or that the public may read.
        settled = [*closed.settled, versions.id, lifecycle.id]
        self.bucket = pulumi.Output.all(bucket.bucket, *settled).apply(lambda known: str(known[0]))
        self.kms_key_arn = key.arn
        self.register_outputs({"bucket": self.bucket, "kms_key_arn": self.kms_key_arn})
