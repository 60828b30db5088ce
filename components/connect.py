"""Connect: the intake of customers' keys, the page's public URL, and what starts the promoter.

Owns the resources beside the two functions (`key_function`), and their order. Leaves out who may do what
(`components/iam/connect.py`). Why like this: docs/adr/0041-connect.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws.lambda_ import FunctionUrl, Permission
from pulumi_aws.s3 import BucketLifecycleConfiguration

from components.closed_bucket import ClosedBucketArgs, closed_bucket
from components.encryption_key import EncryptionKey, EncryptionKeyArgs
from components.iam import connect
from components.iam.people import TAG_PURPOSE
from components.scheduled_call import ScheduledCallArgs, minutes_of, scheduled_call
from functions.shared.intake import HANDED_IN, LINKS, OUTCOMES, REVOKED, SEEN
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import PROMOTER

EVERY_MINUTES: Final = 1
"""A customer who has saved a key looks at the page until it is stored."""
KEPT_DAYS: Final = 30
"""Longer than a link lives (7 days) and its key then waits (14): what tells that a link is dead outlives it."""
INTAKE, LINK = "intake", "link"
"""The purposes of the two keys: the policy pack judges their policies by this tag."""
OPENED: Final = ("FunctionURLAllowPublicAccess", "FunctionURLAllowInvokeAction")
"""The AWS provider writes statements of these ids itself when it makes a public URL, unless they exist, and leaves them
when the URL goes. As resources of ours they go with it."""


@dataclass
class IntakeArgs:
    """`deployers` are ARNs of people, who sign links and confirm organizations; never a pipeline's role."""

    names: CellNames
    deployers: Sequence[str]
    tls: bool = True
    protect: bool = False


class Intake(pulumi.ComponentResource):
    """The bucket and the two KMS keys. Guarantees: nothing lies in the bucket before it is closed, and nothing of a
    link for longer than KEPT_DAYS. The organizations that persons confirmed stay.

    It goes with its objects: what was handed in and not promoted can be handed in again.
    """

    def __init__(self, name: str, args: IntakeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:Intake", name, None, opts)
        names = args.names
        child = pulumi.ResourceOptions(parent=self)
        closed = closed_bucket(
            name,
            ClosedBucketArgs(
                bucket=names.connect_bucket,
                policy=connect.connect_bucket(names, deployers=args.deployers, tls=args.tls),
                tags=names.tags,
                force_destroy=True,
            ),
            self,
        )
        BucketLifecycleConfiguration(
            f"{name}-old-objects",
            bucket=closed.bucket.bucket,
            rules=[
                {
                    "id": folder.rstrip("/"),
                    "status": "Enabled",
                    "filter": {"prefix": folder},
                    "expiration": {"days": KEPT_DAYS},
                }
                for folder in (HANDED_IN, LINKS, OUTCOMES, REVOKED, SEEN)
            ],
            # S3 refuses two settings of one bucket at the same time.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[closed.policy]),
        )
        EncryptionKey(
            f"{name}-key",
            EncryptionKeyArgs(
                alias=names.intake_kms_alias,
                description=f"What customers of cell {names.cell} hand in",
                policy=connect.intake_key(names),
                tags=names.tags | {TAG_PURPOSE: INTAKE},
                protect=args.protect,
            ),
            child,
        )
        EncryptionKey(
            f"{name}-link-key",
            EncryptionKeyArgs(
                alias=names.link_kms_alias,
                description=f"Signs links to the connect page of cell {names.cell}",
                policy=connect.link_key(names, deployers=args.deployers),
                tags=names.tags | {TAG_PURPOSE: LINK},
                signs=True,
                protect=args.protect,
            ),
            child,
        )
        self.register_outputs({})


@dataclass
class ConnectArgs:
    names: CellNames
    page_arn: pulumi.Input[str]
    promoter_arn: pulumi.Input[str]


class Connect(pulumi.ComponentResource):
    """The page's address, and the promoter's schedule.

    Guarantees: the page is invoked through its URL only, which needs both grants; no other function has either.
    """

    url: pulumi.Output[str]

    def __init__(self, name: str, args: ConnectArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:Connect", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        opened = [
            Permission(
                f"{name}-url-permission",
                statement_id=OPENED[0],
                action="lambda:InvokeFunctionUrl",
                function=args.page_arn,
                principal="*",
                function_url_auth_type="NONE",
                opts=child,
            ),
            Permission(
                f"{name}-invoke-permission",
                statement_id=OPENED[1],
                action="lambda:InvokeFunction",
                function=args.page_arn,
                principal="*",
                invoked_via_function_url=True,
                opts=child,
            ),
        ]
        url = FunctionUrl(
            f"{name}-url",
            function_name=args.page_arn,
            authorization_type="NONE",
            opts=pulumi.ResourceOptions(parent=self, depends_on=opened),
        )
        scheduled_call(
            f"{name}-promoting",
            ScheduledCallArgs(
                names=args.names,
                rule=args.names.rule(PROMOTER),
                description="Every minute: promotes what customers handed in.",
                schedule=minutes_of(args.names.cell, every=EVERY_MINUTES),
                function_arn=args.promoter_arn,
                statement_id="TheSchedulePromotes",
                target_id="promoter",
                event={},
            ),
            self,
        )
        self.url = url.function_url
        self.register_outputs({"url": self.url})
