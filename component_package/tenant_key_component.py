"""The component `TenantKey`, for other programs."""

from typing import Any

import pulumi

import program
from component_package.arguments import TenantKeyArgs
from component_package.surroundings import checked_cell, through_the_account
from components.tenant_key import TenantKey as CellTenantKey
from tenancy import from_program


class TenantKey(CellTenantKey):
    """The secret for a tenant's OpenAI key, its policy and, for a managed tenant, its project, limits and rotation.

    The key is in no input, output or state: the rotation function mints it, and the runtime reads it. A tenant with
    `credential: federated` has no secret: its runtime gets tokens.
    """

    secret_arn: pulumi.Output[str] | None
    """The secret that holds the key, if the tenant has one."""
    role_arn: pulumi.Output[str]
    """The role that may read the secret: the cell's runtime role, or a dedicated tenant's own."""
    project_id: pulumi.Output[str] | None
    """The OpenAI project of a managed tenant."""

    def __init__(self, name: str, args: TenantKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = f"TenantKey {name}"
        values: dict[str, Any] = dict(args)
        cell = checked_cell(values.pop("cell"), place)
        kms_key_arn = values.pop("kms_key_arn")
        rotation_function_arn = values.pop("rotation_function_arn")
        provisioner_function = values.pop("provisioner_function")
        federation_issuer = values.pop("federation_issuer", "")
        # Before any output: a refused tenant registers nothing, and leaves nothing that waits.
        tenant = from_program.tenant(values, place, cell)
        shared = program.Shared(
            kms_key_arn=kms_key_arn,
            rotation_function_arn=rotation_function_arn,
            provisioner_function=provisioner_function,
            # No argument of its own: the platform answers with its KMS key once the bucket is closed.
            health_bucket=pulumi.Output.from_input(kms_key_arn).apply(
                lambda arn: cell.names.health_bucket if arn else ""
            ),
            federation_issuer=federation_issuer,
        )
        super().__init__(name, program.tenant_key_args(cell, tenant, shared), through_the_account(name, cell, opts))
