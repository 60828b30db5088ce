"""The bucket of tenants' declarations, of the catalogue, and of what the health function remembers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws.s3 import BucketObjectv2

from components.closed_bucket import ClosedBucketArgs, closed_bucket
from components.iam.health import health_bucket
from myflux_keys.aws_names import CellNames
from myflux_keys.declaration import CATALOGUE

JSON = "application/json"


@dataclass
class HealthStoreArgs:
    """`deployers` are ARNs, `catalogue` is the text of the object."""

    names: CellNames
    deployers: Sequence[str]
    catalogue: str
    tls: bool = True
    """False for a local cell, whose addresses have no certificate."""
    federation: bool = False
    """The runtime reads tenants' identities there."""


class HealthStore(pulumi.ComponentResource):
    """Guarantees: nothing lies in the bucket before it is closed, and a deleted declaration is gone: the bucket keeps
    no versions. Why none, and why it is deleted with its objects: docs/adr/0039-what-the-health-function-knows.md."""

    bucket: pulumi.Output[str]

    def __init__(self, name: str, args: HealthStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:HealthStore", name, None, opts)
        names = args.names
        closed = closed_bucket(
            name,
            ClosedBucketArgs(
                bucket=names.health_bucket,
                policy=health_bucket(names, deployers=args.deployers, tls=args.tls, federation=args.federation),
                tags=names.tags,
                force_destroy=True,
            ),
            self,
        )
        self.bucket = pulumi.Output.all(closed.bucket.bucket, *closed.settled).apply(lambda known: str(known[0]))
        BucketObjectv2(
            f"{name}-catalogue",
            bucket=self.bucket,
            key=CATALOGUE,
            content=args.catalogue,
            content_type=JSON,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"bucket": self.bucket})
