"""The component `Platform`, for other programs."""

import os

import pulumi

import program
from component_package.arguments import PlatformArgs
from component_package.surroundings import checked_cell, through_the_account
from components.platform import Platform as CellPlatform
from tenancy.address import LOCAL_OPENAI_URL


class Platform(CellPlatform):
    """What a cell's tenants share: KMS key, functions, roles, alarms, and an empty secret for the OpenAI admin key.

    After the first `up`, `myflux-keys admin-key set` stores the admin key in it: no program ever has the key.
    """

    kms_key_arn: pulumi.Output[str]
    """For this cell's tenants' keys."""
    rotation_function_arn: pulumi.Output[str]
    """For this cell's tenants' keys."""
    provisioner_function: pulumi.Output[str]
    """For this cell's tenants' keys."""
    runtime_role_arn: pulumi.Output[str]
    """The role that the runtime assumes, with the session tag `tenant`."""
    admin_secret_arn: pulumi.Output[str]
    """The secret for the admin key; only the functions can read it."""
    health_bucket: pulumi.Output[str]
    """The bucket of tenants' declarations."""
    federation_issuer: pulumi.Output[str]
    """The issuer of the AWS account's tokens, for tenants without a key. Empty where the cell has no federation."""

    def __init__(self, name: str, args: PlatformArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        cell = checked_cell(args["cell"], f"Platform {name}")
        platform = program.platform_args(cell, os.environ.get(LOCAL_OPENAI_URL))
        super().__init__(name, platform, through_the_account(name, cell, opts))
