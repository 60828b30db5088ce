"""What a cell needs before its platform: boundaries, the place of the state, the role of people, the OIDC provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws.iam import OpenIdConnectProvider

from components.iam.copies import Replica
from components.people_access import PeopleAccess, PeopleAccessArgs
from components.state_store import StateStore, StateStoreArgs
from myflux_keys.aws_names import CellNames


@dataclass
class BootstrapArgs:
    """`principals` are ARNs that may become the people's role; `project` is the Pulumi project of the cell's stacks."""

    names: CellNames
    principals: Sequence[str]
    project: str
    replicas: Sequence[Replica] = ()
    issuers: Sequence[str] = ()
    """The addresses, without scheme, of the OIDC providers to make: not of those that the account has already. An
    account has one provider for each issuer, and others' pipelines use it too."""
    audience: str = ""
    protect: bool = False
    tls: bool = True


class Bootstrap(pulumi.ComponentResource):
    """Guarantees: no role exists before its boundary, and no state lies in the bucket before it is closed."""

    bucket: pulumi.Output[str]
    kms_key_arn: pulumi.Output[str]
    people_role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: BootstrapArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:Bootstrap", name, None, opts)
        names = args.names
        people = PeopleAccess(
            f"{name}-people",
            PeopleAccessArgs(names=names, principals=args.principals, project=args.project, replicas=args.replicas),
            pulumi.ResourceOptions(parent=self),
        )
        child = pulumi.ResourceOptions(parent=self)
        store = StateStore(f"{name}-state", StateStoreArgs(names=names, protect=args.protect, tls=args.tls), child)
        for issuer in args.issuers:
            OpenIdConnectProvider(
                f"{name}-issuer-{issuer}",
                url=f"https://{issuer}",
                client_id_lists=[args.audience],
                tags=names.tags,
                opts=child,
            )
        self.bucket = store.bucket
        self.kms_key_arn = store.kms_key_arn
        self.people_role_arn = people.role_arn
        self.register_outputs(
            {
                "bucket": self.bucket,
                "kms_key_arn": self.kms_key_arn,
                "people_role_arn": self.people_role_arn,
            }
        )
