"""The AWS account's outbound web identity federation, by which a cell's tenants do without keys."""

from __future__ import annotations

import pulumi
from pulumi_aws.iam import OutboundWebIdentityFederation


def federation_issuer(name: str, opts: pulumi.ResourceOptions, *, enabled: bool, issuer: str) -> pulumi.Output[str]:
    """The issuer's URL; empty without federation. `name` is the Pulumi name of the component that makes it.

    There is one for all cells of an account: another cell's file names the `issuer`, so that no second platform makes
    it, or ends it.
    """
    if not enabled or issuer:
        return pulumi.Output.from_input(issuer if enabled else "")
    return OutboundWebIdentityFederation(f"{name}-federation", opts=opts).issuer_identifier
